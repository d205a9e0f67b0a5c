import { givingArgument } from '../../base/diagnostics/index.js';
import type { Reporter } from '../reporter.js';
import type { Config } from '../types.js';
import type { Choice, SettingValue } from '../values.js';

/** The settings of a config don't contradict one another. */
export function settingsAgree({ train, bits, network, normalize }: Config, reporter: Reporter): void {
  const learned = [bits?.settings ?? {}, ...(bits?.layers ?? []).map((layer) => layer.settings)];
  for (const [name, value] of learned.flatMap((settings) => Object.entries(settings))) {
    if (isChoice(value)) boundsHold(name, value, reporter);
  }
  for (const said of [normalize, train?.settings['normalize']])
    if (isChoice(said)) channelsAgree(said, network, reporter);
}

function channelsAgree(normalize: Choice, network: Config['network'], reporter: Reporter): void {
  if (normalize.name !== 'channels') return;
  const { mean, std } = normalize.args as { readonly mean: readonly number[]; readonly std: readonly number[] };
  const input = network.kind === 'network' ? network.layers.find((layer) => layer.kind === 'input') : undefined;
  const channels = input?.shape.length === 3 ? input.shape[0]! : undefined;
  if (mean.length !== std.length) {
    const problem = `\`normalize\` has ${count(mean, 'mean')} and ${count(std, 'standard deviation')}`;
    const help = 'give as many of one as of the other: one for all, or one a channel';
    reporter.report('model/conflict', { problem }, normalize.place, { help });
  } else if (channels !== undefined && mean.length !== 1 && mean.length !== channels) {
    const problem = `\`normalize\` has ${count(mean, 'mean')} for an input of ${channels} channels`;
    const related = [{ place: input!.place, message: 'the input' }];
    reporter.report('model/conflict', { problem }, normalize.place, {
      related,
      help: 'give one for all, or one a channel',
    });
  }
}

/** Learned bits start and aim at something that they may reach. */
function boundsHold(name: string, { args, place }: Choice, reporter: Reporter): void {
  const { init, max, target } = args as Readonly<Record<string, number | undefined>>;
  if (max === undefined) return;
  for (const [what, argument, value] of [
    ['start', 'init', init],
    ['target', 'target', target],
  ] as const) {
    if (value === undefined || value <= max) continue;
    const problem = `\`${name}\` has the ${what} ${value}, above its bound of ${max}`;
    const text = `write \`max: ${value}\` or more, or \`${argument}: ${max}\` or less`;
    const help = givingArgument(text, place, argument, max);
    reporter.report('model/conflict', { problem }, place, { help });
  }
}

function isChoice(value: SettingValue | undefined): value is Choice {
  return typeof value === 'object' && value !== null && 'args' in value;
}

function count(list: readonly number[], what: string): string {
  return `${list.length} ${what}${list.length === 1 ? '' : 's'}`;
}
