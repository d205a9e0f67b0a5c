import { type Diagnostic, addingLine, diagnostic, givingArgument, writing } from '../base/diagnostics/index.js';
import { levelProblems, spikeLevels } from '../equations/index.js';
import { type CodingNumbers, type Levels, conversionOf } from '../lower/program/index.js';
import type { CodingChoice, Config, SwsCoding } from '../model/index.js';

/**
 * Everything that keeps a config from converting its ONNX network, whatever the file holds, and what it is warned of.
 * `check` says it, and commands convert what this list has no error for; those know the `levels` of the imported network's codes, too.
 */
export function conversionProblems(config: Config, levels?: Levels): readonly Diagnostic[] {
  if (config.network.kind !== 'onnx') return [];
  return [...trainProblems(config), ...codingProblems(config), ...uselessSteps(config, levels), ...bitProblems(config)];
}

/** An imported network is trained as the spiking network that it is converted to: through neurons that a config names itself. */
export function trainProblems({ train, coding, bits }: Config): readonly Diagnostic[] {
  if (train === undefined) return [];
  if (coding?.name !== 'direct' && coding?.name !== 'rate') {
    const how = coding === undefined ? 'without a coding' : `with \`coding ${coding.name}\``;
    const help =
      'a gradient goes through neurons with a surrogate: `neuron IF(start: 0.5)` and `coding direct(steps: 4)`, ranges as `convert --coding rate` writes them';
    return [diagnostic('cli/not-lowered', { construct: `\`train\` of an ONNX network ${how}` }, train.place, { help })];
  }
  if (bits === undefined) return [];
  const problem = '`bits` round the weights of an imported network, and `train` moves them';
  const help = 'leave out `bits` while it is trained';
  return [diagnostic('model/conflict', { problem }, bits.place, { help })];
}

function codingProblems(config: Config): readonly Diagnostic[] {
  const { name, coding, neuron, bits, place } = config;
  if (coding === undefined && bits !== undefined) return [];
  if (coding?.name === 'direct') return meanProblems(config);
  if (coding?.name === 'rate') return [...meanProblems(config), ...inputProblems(coding)];
  if (coding !== undefined && neuron !== undefined) {
    const text = `\`coding ${coding.name}\` brings its own neurons; with \`coding direct(…)\` the neuron is chosen`;
    const { source, start, end } = neuron.place;
    const setting = source.text.lastIndexOf('neuron', start);
    const help = writing(text, 'Remove the neuron', { source, start: setting, end }, '');
    return [diagnostic('cli/not-lowered', { construct: '`neuron`' }, neuron.place, { help })];
  }
  if (coding === undefined) {
    const reason = `config ${name} converts a network but has no coding`;
    const text =
      'add: coding sws(beta: 2, steps: 8, silent: 2), or a neuron and coding direct(steps: 16); without spikes: bits { weights 8 }';
    const help = addingLine(text, place, 'coding sws(beta: 2, steps: 8, silent: 2)');
    return [diagnostic('convert/bad-coding', { reason }, place, { help })];
  }
  const conversion = conversionOf(coding.name);
  if (conversion !== undefined) {
    const problem = conversion.problem?.(coding.args as CodingNumbers);
    if (problem === undefined) return [];
    return [diagnostic('convert/bad-coding', { reason: problem.reason }, coding.place, { help: problem.help })];
  }
  if (coding.name === 'binary') return coding.args.steps === 1 ? [] : [severalSteps(coding)];
  if (coding.name !== 'sws') return [notLowered(`the conversion to \`coding ${coding.name}\``, coding.place)];
  return silentProblems(coding);
}

/** Steps that tell nothing, where these are known of the levels of a network's codes. */
function uselessSteps({ coding }: Config, levels: Levels | undefined): readonly Diagnostic[] {
  if (coding === undefined) return [];
  const args = coding.args as CodingNumbers;
  const found = conversionOf(coding.name)?.useless?.(args, levels);
  if (found === undefined) return [];
  const help = givingArgument(found.help, coding.place, 'steps', found.steps);
  return [diagnostic('convert/useless-steps', { reason: found.reason }, coding.place, { help })];
}

/** The bits of a code are one step's. */
function severalSteps({ place }: CodingChoice): Diagnostic {
  const reason = 'the codes of an ONNX network’s activations are sent once, bit for bit: in one step';
  return diagnostic('convert/bad-coding', { reason }, place, { help: 'leave out `steps`, or use more `bits`' });
}

function silentProblems(coding: SwsCoding): readonly Diagnostic[] {
  const { steps } = coding.args;
  const periods = [coding.args, ...coding.layers.map(({ settings }) => settings)].map(({ silent = 0 }) => silent);
  if (periods.every((silent) => silent <= steps)) return [];
  const reason = `a silent period of ${Math.max(...periods)} steps is longer than the train of ${steps}; after ${steps} steps a layer knows its whole input`;
  const help = givingArgument(`use silent: ${steps} at most`, coding.place, 'silent', steps);
  return [diagnostic('convert/bad-coding', { reason }, coding.place, { help })];
}

function meanProblems({ name, neuron, place }: Config): readonly Diagnostic[] {
  if (neuron === undefined) {
    const text = 'add for example `neuron IF(start: 0.5)`, or `neuron MBIF(integer: 1, fraction: 3, start: 0.0625)`';
    const help = addingLine(text, place, 'neuron IF(start: 0.5)');
    return [diagnostic('model/setting-missing', { config: name, name: 'neuron' }, place, { help })];
  }
  const problems = levelProblems(neuron);
  if (problems.some(({ severity }) => severity === 'error')) return problems;
  const { def, args } = neuron;
  const levels = spikeLevels(def, args);
  const several = def.states.some((state) => state.units !== undefined);
  if (levels !== undefined && !several && levels.min <= 0 && (args['silent'] ?? 0) === 0) return problems;
  const construct = `a conversion to \`${def.name}\``;
  const help = 'the neuron needs outputs in finitely many levels, 0 among them, single states, and no silent steps';
  return [...problems, diagnostic('cli/not-lowered', { construct }, neuron.place, { help })];
}

/** What comes in has no known size, and spikes are drawn of a share. */
function inputProblems({ args, place }: Extract<Config['coding'], { readonly name: 'rate' }>): readonly Diagnostic[] {
  if (args.input > 0) return [];
  const reason = 'with `coding rate` the input of an ONNX network comes in spikes, and nothing says how large it is';
  const text = 'write its largest size, `input: 1` for images in [0, 1], or use `coding direct(…)`: a constant current';
  const help = givingArgument(text, place, 'input', 1);
  return [diagnostic('convert/bad-coding', { reason }, place, { help })];
}

/** Only whole bits of weights, which aren't learned. */
function bitProblems({ bits }: Config): readonly Diagnostic[] {
  if (bits === undefined) return [];
  return [bits, ...bits.layers].flatMap(({ settings, place }) =>
    Object.entries(settings).flatMap(([name, value]): Diagnostic[] => {
      const learned = name === 'weights' && typeof value !== 'number';
      if (name === 'weights' && !learned) return [];
      const setting = learned ? '`learn(…)`' : `\`${name}\` in \`bits\``;
      return [diagnostic('allocate/import-bits', { setting }, place, { help: 'write `weights` and a whole number' })];
    }),
  );
}

export function notLowered(construct: string, place: Diagnostic['place']): Diagnostic {
  return diagnostic('cli/not-lowered', { construct }, place, {
    help: 'an ONNX network compiles with `sws`, `offset`, `phase`, `burst`, `ttfs`, `ttfs_dynamic`, `tsc`, `pattern` or `binary`, or with a neuron and `coding direct(…)` or `rate(…)`',
  });
}
