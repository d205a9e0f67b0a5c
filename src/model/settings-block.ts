import { type Help, withWords } from '../base/diagnostics/index.js';
import { closest, instead } from '../base/did-you-mean.js';
import type { Setting } from '../syntax/index.js';
import { evaluateAs, toSetting } from './arguments.js';
import type { EvaluationContext } from './evaluate.js';
import { layerTable } from './layers/index.js';
import type { Reporter } from './reporter.js';
import type { Parameter, Spec } from './schema.js';
import { bitSettings, hardwareSettings, trainSettings } from './settings.js';
import type { Written } from './typed-settings.js';
import type { LayerSettings } from './types.js';
import type { SettingValue } from './values.js';

/** The blocks of settings of a config. */
const blocks = { train: trainSettings, bits: bitSettings, hardware: hardwareSettings } as const;

/** Settings as rows say them; wrong ones are reported and left out. `what` names the block in messages. */
export function writtenSettings<const P extends readonly Parameter[]>(
  settings: readonly Setting[],
  what: string,
  parameters: P,
  context: EvaluationContext,
  alsoKnown: readonly string[] = [],
): Written<P> {
  const { reporter } = context;
  const result: Record<string, SettingValue> = {};
  const names = [...parameters.map((parameter) => parameter.name), ...alsoKnown];
  for (const { name, value, settings: inner, span } of knownSettings(settings, what, names, reporter)) {
    const parameter = parameters.find((one) => one.name === name.text)!;
    if (value === undefined || inner !== undefined) {
      const form = `with one value: \`${name.text} …\``;
      reporter.report('model/setting-form', { name: name.text, form }, span);
      continue;
    }
    const checked = evaluateAs(value, parameter.spec, `\`${name.text}\` of \`${what}\``, context);
    if (checked.kind !== 'error') result[name.text] = toSetting(checked);
  }
  // each value has been found to be as its row says
  return result as Written<P>;
}

/** A block of settings with `layer "…" { … }` among them. */
export function layeredSettings<const P extends readonly Parameter[], const L extends readonly Parameter[]>(
  settings: readonly Setting[],
  what: string,
  parameters: P,
  perLayer: L,
  context: EvaluationContext,
): { readonly settings: Written<P>; readonly layers: readonly LayerSettings<Written<L>>[] } {
  const { reporter } = context;
  const layers: LayerSettings<Written<L>>[] = [];
  for (const setting of settings.filter((one) => one.name.text === 'layer')) {
    const pattern = setting.value;
    if (pattern?.kind !== 'string' || setting.settings === undefined) {
      const form = 'with a pattern and a block: `layer "stem" { … }`';
      reporter.report('model/setting-form', { name: 'layer', form }, setting.span);
      continue;
    }
    const earlier = layers.find((layer) => layer.pattern === pattern.value);
    if (earlier !== undefined) {
      const related = [{ place: earlier.place, message: 'first set here' }];
      reporter.report('model/setting-twice', { name: `layer "${pattern.value}"` }, pattern.span, { related });
    }
    const checked = writtenSettings(setting.settings, `layer "${pattern.value}"`, perLayer, context);
    layers.push({ pattern: pattern.value, settings: checked, place: pattern.span });
  }
  const others = settings.filter((one) => one.name.text !== 'layer');
  return { settings: writtenSettings(others, what, parameters, context, ['layer']), layers };
}

/** The settings with a known name, each once; what else there is is reported. */
export function knownSettings(
  settings: readonly Setting[],
  what: string,
  names: readonly string[],
  reporter: Reporter,
): readonly Setting[] {
  const seen = new Map<string, Setting>();
  for (const setting of settings) {
    const { text, span } = setting.name;
    const earlier = seen.get(text);
    if (!names.includes(text)) {
      const help = (): Help => settingHelp(text, what, names);
      reporter.report('model/unknown-name', { kind: 'setting', name: text }, span, { help });
    } else if (earlier !== undefined) {
      const related = [{ place: earlier.name.span, message: 'first set here' }];
      reporter.report('model/setting-twice', { name: text }, span, { related });
    } else {
      seen.set(text, setting);
    }
  }
  return [...seen.values()];
}

/** The likeliest name, or where a setting or an argument of that name stands; and what there is. */
function settingHelp(name: string, what: string, names: readonly string[]): Help {
  const list = names.length === 0 ? `\`${what}\` has no settings` : `\`${what}\` has: ${names.join(', ')}`;
  const near = closest(name, names);
  if (near !== undefined) return withWords(instead(near), ` ${list}`);
  const block = Object.entries(blocks).find(([key, rows]) => key !== what && rows.some((row) => row.name === name));
  if (block !== undefined) return `\`${name}\` stands in \`${block[0]} { … }\`; ${list}`;
  for (const row of Object.values(blocks).flat()) {
    const choice = choicesOf(row.spec).find(([, parameters]) => parameters.some((one) => one.name === name));
    if (choice === undefined || !names.includes(row.name)) continue;
    return `\`${name}\` is an argument: \`${row.name} ${choice[0]}(${name}: …)\`; ${list}`;
  }
  if (Object.hasOwn(layerTable, name))
    return `\`${name}\` is a layer, and stands in a network: \`x | ${name}(…)\`; ${list}`;
  return list;
}

function choicesOf(spec: Spec): readonly (readonly [string, readonly Parameter[]])[] {
  if (spec.kind === 'choice' || spec.kind === 'sum')
    return Object.entries(spec.of).map(([name, { args }]) => [name, args]);
  if (spec.kind === 'list') return choicesOf(spec.of);
  return spec.kind === 'either' ? spec.of.flatMap(choicesOf) : [];
}
