import { invariant, present } from '../base/invariant.js';
import type { NeuronDef } from '../equations/index.js';
import { type CodingNumbers, type Conversion, conversionOf } from '../lower/program/index.js';
import type { CodingChoice, Config, NeuronUse, SwsCoding } from '../model/index.js';
import { type PassPlan, type PerLayer, byLayer, byPattern, configure, pipelines } from '../passes/index.js';
import { importedBits } from './import-bits.js';

type BinaryCoding = Extract<CodingChoice, { readonly name: 'binary' }>;

/** Settings that stand in the place of the config's. */
export interface PlanChanges {
  /** Silent steps of a layer, by the id of its neurons. */
  readonly silent?: (id: string) => number;
  /** Weights keep their bits. */
  readonly weightsStay?: boolean;
}

/** The passes of a conversion, from the coding and the neuron of a config that can convert; `neurons` are the library's. */
export function planOf(config: Config, neurons: ReadonlyMap<string, NeuronDef>, changes: PlanChanges = {}): PassPlan {
  const { coding, neuron } = config;
  const weightBits = changes.weightsStay === true ? undefined : importedBits(config);
  const weights = { bits: weightBits === undefined ? undefined : byLayer(weightBits) };
  if (coding === undefined) return { passes: configure(pipelines.ann, { 'quantise-weights': weights }), neurons };
  if (coding.name === 'direct' || coding.name === 'rate') {
    const use = present(neuron, 'workspace: a conversion to means without a neuron');
    return meanPlan(coding, coding.args.steps, use, weights, neurons);
  }
  if (coding.name === 'binary') return binaryPlan(coding, weights, neurons);
  const conversion = conversionOf(coding.name);
  if (conversion !== undefined) return timedPlan(coding, conversion, weights, neurons);
  invariant(coding.name === 'sws', `workspace: nobody converts to ${coding.name}`);
  const { args } = coding;
  const passes = configure(pipelines['convert.sws'], {
    'quantise-weights': weights,
    'add-quantisers': {
      range: settingOf(coding, 'range'),
      from: settingOf(coding, 'from'),
      bits: Math.min(8, args.steps),
    },
    digits: { beta: args.beta, steps: args.steps },
    'to-spikes': {
      beta: args.beta,
      steps: args.steps,
      encoder: args.encoder,
      threshold: args.threshold,
      rectified: args.rectified,
    },
    'schedule-time': { silent: byLayer(changes.silent ?? silentOf(coding)) },
  });
  return { passes, neurons };
}

/** `neuron N  coding direct(steps: T)`, or `rate`, whose input fires: trains carry means; ranges stand in `layer "…" { range R }`. */
function meanPlan(
  coding: CodingChoice,
  steps: number,
  { def, args, place }: NeuronUse,
  weights: { readonly bits: PerLayer<number> | undefined },
  neurons: ReadonlyMap<string, NeuronDef>,
): PassPlan {
  const passes = configure(pipelines['convert.means'], {
    'quantise-weights': weights,
    'activation-ranges': { range: largestOf(coding) },
    'insert-neurons': {
      neuron: { name: def.name, args, place },
      steps,
      ...(coding.name === 'rate' ? rateInput(coding.args, coding.place) : {}),
      ...channelRanges(coding),
    },
  });
  return { passes, neurons: new Map(neurons).set(def.name, def) };
}

/** How the input fires. */
function rateInput(
  { steps, seed, encoder, input }: Extract<CodingChoice, { readonly name: 'rate' }>['args'],
  place: CodingChoice['place'],
) {
  return { coding: { name: 'rate', args: { steps, seed, input }, place }, encoder };
}

/** Ranges of each channel, where a layer has them. */
function channelRanges(coding: CodingChoice): { readonly ranges?: PerLayer<readonly number[]> } {
  if (coding.layers.every(({ settings }) => settings.ranges === undefined)) return {};
  return { ranges: ofLayers(coding, ({ ranges }) => ranges) };
}

/**
 * `coding binary(bits: B)`: a layer's codes 0 … 2^B − 1 are sent one bit a virtual step (IBRA eq. 6–15). The integer neuron
 * in one step, and its bit planes; no carrier of its own.
 */
function binaryPlan(
  coding: BinaryCoding,
  weights: { readonly bits: PerLayer<number> | undefined },
  neurons: ReadonlyMap<string, NeuronDef>,
): PassPlan {
  const def = present(neurons.get('IBRALIF'), 'workspace: the library has no IBRALIF');
  const use = { def, args: { D: 2 ** coding.args.bits - 1, N: 1 }, place: coding.place };
  const plan = meanPlan(coding, 1, use, weights, neurons);
  return { ...plan, passes: [...plan.passes, ...configure(pipelines.planes, {})] };
}

/** `coding phase(…)` and others that bring their neurons: a spike's time or its past says what it counts. */
function timedPlan(
  coding: CodingChoice,
  conversion: Conversion,
  weights: { readonly bits: PerLayer<number> | undefined },
  neurons: ReadonlyMap<string, NeuronDef>,
): PassPlan {
  const args = coding.args as CodingNumbers;
  const { place } = coding;
  const passes = configure(pipelines['convert.timed'], {
    'quantise-weights': weights,
    'activation-ranges': { range: largestOf(coding) },
    'insert-neurons': {
      neuron: { ...conversion.neuron(args), place },
      steps: args['steps']!,
      coding: { name: coding.name, args, place },
      ...channelRanges(coding),
    },
    'schedule-time': { silent: byLayer(() => conversion.silent?.(args) ?? 0) },
  });
  return { passes, neurons };
}

/** The range of a layer, or the largest of its channels. */
function largestOf(coding: CodingChoice): PerLayer<number> {
  return ofLayers(coding, ({ range, ranges }) => ranges?.reduce((a, b) => Math.max(a, b)) ?? range);
}

/** A setting by layers, of a coding's `layer "…" { SETTING NUMBER }`. */
function settingOf(coding: CodingChoice, name: 'range' | 'from' | 'silent'): PerLayer<number> {
  return ofLayers(coding, (settings) => settings[name]);
}

function ofLayers<T>(
  coding: CodingChoice,
  of: (settings: CodingChoice['layers'][number]['settings']) => T | undefined,
): PerLayer<T> {
  return byPattern<T>(coding.layers.map(({ pattern, place, settings }) => ({ pattern, place, value: of(settings) })));
}

function silentOf(coding: SwsCoding): (id: string) => number {
  const said = settingOf(coding, 'silent');
  return (id) => said.of(id) ?? coding.args.silent;
}
