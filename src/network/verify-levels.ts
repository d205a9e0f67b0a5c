import {
  type NeuronDef,
  type SpikeLevels,
  neuronProblems,
  readsName,
  spikeLevels,
  stepParameter,
} from '../equations/index.js';
import type { OpProblem } from './verify-bits.js';
import type { Attrs, Network, Op } from './types.js';

/**
 * What is wrong with the levels and the amplitude that a layer of neurons declares: they follow from its equations with
 * its parameters, learned bits counted with their bound. Stepwise weighted trains (SWS) have levels in units of an
 * amplitude that the conversion chooses: of these the levels alone follow.
 */
export function neuronLevelProblems(op: Op, { neurons, coding }: Network): readonly OpProblem[] {
  const def = op.kind === 'neuron' ? neurons.get(op.attrs.neuron) : undefined;
  if (op.kind !== 'neuron' || def === undefined) return [];
  const args = argumentsOf(op, def);
  // what they lack is refused as such (`neuronProblems`, `valueProblems`)
  if (!haveLevels(def, args)) return [];
  const derived = levelsWith(def, args, stepsOfLayer(op.attrs, op.type.time?.steps));
  if (derived === undefined) {
    if (op.attrs.levels === undefined) return [];
    return [{ message: `declares levels, but the equations of ${def.name} give no finite ones` }];
  }
  const { levels: [min, max] = [], amplitude } = op.attrs;
  const problems: OpProblem[] = [];
  if (min !== derived.min || max !== derived.max) {
    const declared = min === undefined ? 'declares no levels' : `declares levels ${min} … ${max}`;
    const message = `${declared}, the equations of ${def.name} give ${derived.min} … ${derived.max}`;
    problems.push({ message, help: `write levels=[${derived.min}, ${derived.max}]` });
  }
  const known = amplitude ?? Number.NaN;
  if (coding?.name !== 'sws' && !(Math.abs(known - derived.step) <= 1e-9 * derived.step)) {
    const declared = amplitude === undefined ? 'no amplitude' : `amplitude ${amplitude}`;
    const message = `declares ${declared}, the equations of ${def.name} give ${derived.step}`;
    problems.push({ message, help: `write amplitude=${derived.step}` });
  }
  return problems;
}

/** What the levels of a layer of neurons follow from. */
type NeuronParts = { readonly attrs: Attrs; readonly params: Op['params'] };

/**
 * The levels that the equations give a layer of neurons whose input has so many steps, or nothing where they aren't
 * finitely many.
 */
export function derivedLevels(op: NeuronParts, def: NeuronDef, steps?: number): SpikeLevels | undefined {
  const args = argumentsOf(op, def);
  return haveLevels(def, args) ? levelsWith(def, args, stepsOfLayer(op.attrs, steps)) : undefined;
}

/** Levels by definition and parameters: layers alike have the same. */
const known = new WeakMap<NeuronDef, Derived>();

interface Derived {
  readonly readsSteps: boolean;
  readonly levels: Map<string, SpikeLevels | undefined>;
}

function levelsWith(
  def: NeuronDef,
  args: Readonly<Record<string, number>>,
  steps: number | undefined,
): SpikeLevels | undefined {
  const { readsSteps, levels } = known.get(def) ?? {
    readsSteps: readsName(def, 'T'),
    levels: new Map() as Derived['levels'],
  };
  known.set(def, { readsSteps, levels });
  const own = readsSteps ? steps : undefined;
  const key = [...Object.entries(args).flat(), own].join(' ');
  if (!levels.has(key)) levels.set(key, spikeLevels(def, args, { steps: own }));
  return levels.get(key);
}

/** T of a layer: the steps of its input, or those for which it holds it, behind the silent ones. */
function stepsOfLayer(attrs: Attrs, steps: number | undefined): number | undefined {
  const { hold = steps, silent = 0 } = attrs as { readonly hold?: number; readonly silent?: number };
  return hold === undefined ? undefined : hold + silent;
}

/** Whether equations can be asked for levels: they are right, and the step size, if it is a parameter, is a size. */
function haveLevels(def: NeuronDef, args: Readonly<Record<string, number>>): boolean {
  const size = args[stepParameter(def) ?? ''];
  return neuronProblems(def).length === 0 && (size === undefined || (size > 0 && size < Infinity));
}

/** The neuron's parameters as this layer has them: defaults, attributes, and the most bits that it may learn. */
function argumentsOf(op: NeuronParts, def: NeuronDef): Readonly<Record<string, number>> {
  const args: Record<string, number> = {};
  for (const { name, default: value } of def.params) {
    const own = op.attrs[name] ?? value;
    if (typeof own === 'number' || typeof own === 'boolean') args[name] = Number(own);
  }
  if (op.params['bits'] !== undefined && 'bits_max' in op.attrs) args['bits'] = Number(op.attrs['bits_max']);
  return args;
}
