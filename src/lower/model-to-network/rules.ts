import { type Diagnostic, addingLine, diagnostic, distinct, givingArgument } from '../../base/diagnostics/index.js';
import { describePlace } from '../../base/source.js';
import {
  type Expr,
  expandUnits,
  isRealValued,
  levelProblems,
  maxUnits,
  partsOf,
  spikeLevels,
  stepwiseParameters,
  surrogateProblem,
  valueOf,
} from '../../equations/index.js';
import {
  type CodingChoice,
  type Config,
  type Layer,
  type NeuronUse,
  type OwnNetwork,
  stepsOf,
} from '../../model/index.js';
import { type CodingNumbers, carriers, conversionOf } from '../program/carriers/index.js';
import { BitPlan, neuronWithBits } from './bits.js';
import { bitProblems } from './check-bits.js';
import { sizeProblems } from './sizes.js';
import { delayProblems, readOutProblems } from './check-time.js';
import { tdbnProblems } from './tdbn.js';

/** Codings whose trains carry means and have gradients: what networks of layers are trained with. */
const trainable = carriers.flatMap(({ coding, trains, untrainable }) =>
  trains === 'means' && untrainable === undefined ? [coding] : [],
);

/**
 * Everything that keeps a config with a network of layers from being compiled, and what it is warned of. `lowerModel`
 * lowers what this list has no error for, and nothing else.
 */
export function configProblems(config: Config): readonly Diagnostic[] {
  const { network } = config;
  if (network.kind !== 'network') return [];
  return distinct([
    ...codingProblems(config, network),
    ...delayProblems(config, network),
    ...readOutProblems(config, network),
    ...neuronProblems(config, network),
    ...sentProblems(config, network),
    ...bitProblems(config, network),
    ...sizeProblems(config, network),
    ...tdbnProblems(config, network),
  ]);
}

/** What the language can say and the lowering can't do. */
function codingProblems({ name, coding, neuron, place }: Config, network: OwnNetwork): Diagnostic[] {
  const found: Diagnostic[] = [];
  if (coding === undefined) {
    if (!network.layers.some((layer) => layer.kind === 'spike')) return found;
    const added = 'coding direct(steps: 4)';
    const help = addingLine(`add for example \`${added}\``, place, added);
    return [diagnostic('model/setting-missing', { config: name, name: 'coding' }, place, { help })];
  }
  if (!trainable.includes(coding.name)) {
    const construct = `\`coding ${coding.name}\` with a network of layers`;
    const names = trainable.map((one) => `\`${one}\``).join(', ');
    const why = carriers.find((carrier) => carrier.coding === coding.name)?.untrainable;
    const help = `${why === undefined ? '' : `${why}: `}networks of layers compile with ${names}; \`${coding.name}\` converts ONNX files`;
    found.push(diagnostic('cli/not-lowered', { construct }, coding.place, { help }));
  } else found.push(...ownNeuronProblems(coding, network, neuron));
  const ranged = coding.layers.find(({ settings }) => 'range' in settings || 'ranges' in settings);
  if (ranged !== undefined) {
    const problem = 'a `range` belongs to the conversion of an ONNX file; this config has a network of layers';
    found.push(diagnostic('model/conflict', { problem }, ranged.place));
  }
  if (stepsOf(coding) === undefined && trainable.includes(coding.name)) {
    const args = { callee: coding.name, name: 'steps', type: 'an integer of at least 1' };
    const help = givingArgument('say how many: `steps: 4`', coding.place, 'steps', 4);
    found.push(diagnostic('model/argument-missing', args, coding.place, { help }));
  }
  return found;
}

/** A coding that says what a spike counts needs the neurons that fire such spikes, and a real input. */
function ownNeuronProblems(coding: CodingChoice, { layers }: OwnNetwork, config?: NeuronUse): Diagnostic[] {
  const conversion = conversionOf(coding.name);
  if (conversion === undefined) return [];
  const args = coding.args as CodingNumbers;
  const found: Diagnostic[] = [];
  const problem = conversion.problem?.(args);
  if (problem !== undefined) {
    found.push(diagnostic('convert/bad-coding', { reason: problem.reason }, coding.place, { help: problem.help }));
  }
  if ((args['input'] ?? 0) > 0) {
    const construct = `\`input\` in \`coding ${coding.name}\` with a network of layers`;
    const words = 'leave it out: the first layer reads the real input as a current';
    const help = givingArgument(words, coding.place, 'input', 0);
    found.push(diagnostic('cli/not-lowered', { construct }, coding.place, { help }));
  }
  const own = conversion.neuron(args);
  const uses = new Set(layers.flatMap(({ kind, neuron = config }) => (kind === 'spike' && neuron ? [neuron] : [])));
  for (const { def, args: given, place } of uses) {
    const differs = def.name !== own.name || Object.entries(own.args).some(([name, value]) => given[name] !== value);
    if (!differs) continue;
    const written = Object.entries(own.args).map(([name, value]) => `${name}: ${value}`);
    const construct = `the neuron \`${def.name}\` with these parameters in \`coding ${coding.name}\``;
    const help = `its spikes count by time or by what came before: use \`${own.name}(${written.join(', ')})\` of "spikec/neurons"`;
    const related = [{ place: coding.place, message: 'the coding' }];
    found.push(diagnostic('cli/not-lowered', { construct }, place, { help, related }));
  }
  return found;
}

/** What is wrong with the neurons of the layers, and with the config's own, used or not; each use once. */
function neuronProblems(config: Config, { layers }: OwnNetwork): Diagnostic[] {
  const plan = new BitPlan(config.bits, config.coding);
  const found: Diagnostic[] = [];
  const judged = new Set<string>();
  for (const layer of layers) {
    const use = layer.neuron ?? config.neuron;
    if (layer.kind !== 'spike' || use === undefined) continue;
    const setting = plan.of('spikes', layer.id);
    const steps = plan.localSteps(layer.id);
    const currents = currentProblem(use, layer);
    if (currents !== undefined) {
      found.push(currents);
      continue;
    }
    const key = JSON.stringify([describePlace(use.place), use.args, setting, steps]);
    if (judged.has(key)) continue;
    judged.add(key);
    found.push(...useProblems(use, layer, steps));
    if (setting === undefined || config.bits === undefined) continue;
    const levels = spikeLevels(use.def, use.args, { steps });
    const count = levels === undefined ? Infinity : levels.max - levels.min + 1;
    const withBits = neuronWithBits(use, setting, count, config.bits.place);
    if (!('def' in withBits)) found.push(withBits);
    else if (withBits !== use) found.push(...useProblems(withBits, layer, steps));
  }
  const own = config.neuron;
  const unused = !layers.some(({ kind, neuron }) => kind === 'spike' && neuron === undefined);
  if (unused && own !== undefined) found.push(...levelProblems(own));
  return found;
}

/** Spikes whose codes a coding can't send bit by bit: signed or too many, or neurons that send them another way. */
function sentProblems({ coding, neuron: config }: Config, { layers }: OwnNetwork): Diagnostic[] {
  const sent = carriers.find((carrier) => carrier.coding === coding?.name)?.sentLevels;
  if (coding === undefined || sent === undefined) return [];
  const most = sent(coding.args as CodingNumbers);
  const uses = new Set(layers.flatMap(({ kind, neuron = config }) => (kind === 'spike' && neuron ? [neuron] : [])));
  return [...uses].flatMap(({ def, args, place }): Diagnostic[] => {
    const levels = spikeLevels(def, args);
    if (levels === undefined) return [];
    const fits = levels.min === 0 && levels.max < most;
    if (fits && (def.planes !== 'unary' || levels.max === 1)) return [];
    const why = fits ? 'which sends as many spikes as its code says' : `of levels ${levels.min} to ${levels.max}`;
    const construct = `the neuron \`${def.name}\`, ${why}, in \`coding ${coding.name}\``;
    const help = fits
      ? 'use a neuron with `planes binary`, as `IBLIF` or `IBRALIF` of "spikec/neurons"'
      : `its codes have to be 0 to ${most - 1}: give the neuron other levels, or the coding other bits`;
    const related = [{ place: coding.place, message: 'the coding' }];
    return [diagnostic('cli/not-lowered', { construct }, place, { help, related })];
  });
}

function mentions(expr: Expr, name: string): boolean {
  return (expr.kind === 'name' && expr.name === name) || partsOf(expr).some((part) => mentions(part, name));
}

/** A surrogate whose argument is a parameter of the neuron that was given a number it can't have. */
function surrogateArgumentProblem({ def, args, place }: NeuronUse, steps?: number): Diagnostic | undefined {
  const known = steps === undefined ? {} : { T: steps };
  const { name = '', args: written = {} } = def.surrogate ?? {};
  const given = Object.entries(written).flatMap(([argument, value]): [string, number][] => {
    const number = typeof value === 'number' ? value : valueOf(value, new Map(Object.entries({ ...args, ...known })));
    return number === undefined ? [] : [[argument, number]];
  });
  const numbers = Object.fromEntries(given);
  const wrong = surrogateProblem(name, numbers);
  if (wrong === undefined) return undefined;
  const what = `\`${wrong.argument}\` of \`${name}\`, the surrogate of \`${def.name}\``;
  const found = String(numbers[wrong.argument]);
  return diagnostic('model/argument-type', { what, expected: wrong.expected, found }, place);
}

/** A layer with more input currents than its neuron has names for, or with fewer. */
function currentProblem({ def, place }: NeuronUse, layer: Layer): Diagnostic | undefined {
  const names = ['x', ...(def.currents ?? [])];
  const found = layer.inputs.length;
  if (found === names.length) return undefined;
  const problem = `\`spike\` is given ${found} input current${found === 1 ? '' : 's'}, \`${def.name}\` has ${names.length}: ${names.join(', ')}`;
  const help =
    found < names.length
      ? `give them in this order: \`spike(${names.map((_, i) => `current${i + 1}`).join(', ')}, ${def.name}(…))\``
      : `declare the others in the neuron (\`input NAME\`), or add the currents up before`;
  const related = [{ place, message: 'the neuron' }];
  return diagnostic('model/conflict', { problem }, layer.place, { help, related });
}

function useProblems(use: NeuronUse, layer: Layer, steps: number | undefined): readonly Diagnostic[] {
  const { def, args, place } = use;
  const refuse = (construct: string, help: string): Diagnostic => {
    const related = [{ place: layer.place, message: 'used here' }];
    return diagnostic('cli/not-lowered', { construct }, place, { help, related });
  };
  const single = expandUnits(use);
  if (single === undefined) {
    const help = `all its states with units need the same number of them, from 1 to ${maxUnits}`;
    return [refuse(`the neuron \`${def.name}\` with these numbers of units`, help)];
  }
  const surrogate = surrogateArgumentProblem(use, steps);
  if (surrogate !== undefined) return [surrogate];
  const early = stepwiseParameters(def).find((name) => def.states.some(({ initial }) => mentions(initial, name)));
  if (early !== undefined) {
    const problem = `a first value of \`${def.name}\` reads \`${early}\`, which has a value for each step`;
    const help = 'learn it `per: neuron` or `per: channel`';
    return [diagnostic('model/conflict', { problem }, place, { help })];
  }
  const problems = levelProblems(single, steps);
  if (problems.some(({ severity }) => severity === 'error')) return problems;
  if ((args['silent'] ?? 0) > 0) {
    const help = 'set `silent: 0`, or convert with `coding sws(…)`';
    return [...problems, refuse(`the silent steps of \`${def.name}\` in this coding`, help)];
  }
  const isReal = isRealValued(single.def, single.args, steps);
  if (spikeLevels(single.def, single.args, { steps }) === undefined && !isReal) {
    const help = 'bound it and give it a step, for example `fire s = clip(round(u), 0, 4)`';
    const construct = `the neuron \`${def.name}\`, whose output \`s\` has no finite set of levels,`;
    return [...problems, refuse(construct, help)];
  }
  return problems;
}
