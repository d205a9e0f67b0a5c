import type { Network } from '../../src/network/index.js';
import {
  type ConfiguredPass,
  type PassRun,
  byLayer,
  configure,
  pipelines,
  runPipeline,
} from '../../src/passes/index.js';
import { evaluateAnn } from '../../src/testing/ann-evaluate.js';
import { surroundings } from './sws.js';

/** The passes of a conversion to a neuron of the standard library. */
export function meansOf(
  name: string,
  given: Readonly<Record<string, number>>,
  steps: number,
  range: (id: string) => number | undefined = () => 2,
): readonly ConfiguredPass[] {
  return configure(pipelines['convert.means'], {
    'activation-ranges': { range: byLayer(range) },
    'insert-neurons': { neuron: { name, args: given }, steps },
  });
}

export function convertToMeans(
  network: Network,
  conversion: readonly ConfiguredPass[],
): { clipped: Network; spiking: Network; runs: readonly PassRun[] } {
  const result = runPipeline(network, conversion, surroundings);
  if (result.network === undefined || result.diagnostics.length > 0) {
    throw new Error(result.diagnostics.map((d) => d.message).join('\n') || 'no network');
  }
  const clipped = result.runs.find(({ pass }) => pass === 'activation-ranges')!.network;
  return { clipped, spiking: result.network, runs: result.runs };
}

/** A neuron written out by hand: from membrane and input current (in spikes) the spike and the next membrane. */
export interface HandNeuron {
  readonly start: number;
  readonly top: number;
  readonly step: (u: number, x: number) => { readonly s: number; readonly u: number };
}

/**
 * The conversion the other way round, apart from everything the compiler does: weights stay, every neuron has
 * its own threshold, one step after the other, float64. Mean logits over the steps, after each step.
 */
export function simulateMeans(
  clipped: Network,
  image: Float64Array,
  steps: number,
  neuron: HandNeuron,
): Float64Array[] {
  const sites = clipped.ops.filter((op) => op.kind === 'clip' || op.kind === 'maxpool');
  const membranes = new Map<string, Float64Array>();
  const sums = new Map<string, Float64Array>();
  const total: number[] = [];
  const means: Float64Array[] = [];
  for (let t = 1; t <= steps; t++) {
    const now = new Map<string, Float64Array>();
    for (const op of sites) {
      if (op.kind === 'maxpool') {
        // the running maximum of what came so far, less what it was
        const before = sums.get(op.id);
        const most = evaluateAnn(clipped, image, new Map([[op.inputs[0]!, sums.get(op.inputs[0]!)!]])).get(op.id)!;
        sums.set(op.id, most);
        now.set(op.id, before === undefined ? most : most.map((v, i) => v - before[i]!));
        continue;
      }
      const current = evaluateAnn(clipped, image, now);
      const x = now.get(op.inputs[0]!) ?? current.get(op.inputs[0]!)!;
      const unit = Number(op.attrs['max']) / neuron.top;
      const u = membranes.get(op.id) ?? new Float64Array(x.length).fill(neuron.start);
      const s = new Float64Array(x.length);
      for (let i = 0; i < x.length; i++) {
        const next = neuron.step(u[i]!, x[i]! / unit);
        u[i] = next.u;
        s[i] = next.s * unit;
      }
      membranes.set(op.id, u);
      now.set(op.id, s);
      const sum = sums.get(op.id) ?? new Float64Array(x.length);
      sums.set(
        op.id,
        sum.map((v, i) => v + s[i]!),
      );
    }
    const logits = evaluateAnn(clipped, image, now).get(clipped.outputs[0]!)!;
    logits.forEach((v, i) => (total[i] = (total[i] ?? 0) + v));
    means.push(Float64Array.from(total, (v) => v / t));
  }
  return means;
}
