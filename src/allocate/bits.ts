import { present } from '../base/invariant.js';
import { join } from 'node:path';
import { fail } from '../base/diagnostics/index.js';
import type { LayerCost } from '../cost/index.js';
import { agreement, classesOf, divergence, outputsOf, readLabels } from '../run/metrics/index.js';
import { type Network, opsById, wholeOf } from '../network/index.js';
import {
  type BitAllocation,
  configure,
  costTextOf,
  isWeighted,
  leastCost,
  pipelines,
  runPipeline,
} from '../passes/index.js';
import type { Chosen } from './chosen.js';
import { allocationFiles, bitLines } from './files.js';
import { type AllocationTarget, costsOf, preparedNetwork } from './target.js';
import { openLogits } from '../run/logits.js';
import { libraryNeurons } from '../workspace/files.js';
import { runFiles } from '../workspace/run-folder.js';
import { checkRuns } from '../run/runnable.js';
import { type BitSensitivity, type Measuring, bitSensitivity } from './sensitivity.js';
import type { Findings } from '../workspace/findings.js';
import type { AllocateOptions, BitBudget } from './types.js';

const defaultRange = { least: 2, most: 8 };

export interface ChooseOptions extends Pick<AllocateOptions, 'least' | 'most'> {
  readonly measuring: Measuring;
}

/** Costs of a layer that grow with the bits of its weights. */
interface LayerSize {
  readonly params: number;
  /** S-ACE of one bit. */
  readonly sAce: number;
}

/** Bits of weights for a budget: measures sensitivities, then runs the pass allocate-bits on them. */
export async function chooseBits(
  target: AllocationTarget,
  budget: BitBudget,
  options: ChooseOptions,
  findings: Findings,
): Promise<Chosen> {
  const { least = defaultRange.least, most = Math.max(defaultRange.most, least) } = options;
  if (least > most) fail('allocate/range', { what: 'bits', least, most });
  const prepared = preparedNetwork(target, findings);
  if (target.from.kind === 'folder') checkRuns(prepared, join(target.from.folder, runFiles.network));
  const weighted = prepared.ops.filter(isWeighted);
  if (weighted.length === 0) fail('allocate/nothing', { what: 'no layer has weights' });
  const costs = costsOf(target, prepared, findings);
  const sizes = new Map(weighted.map(({ id }) => [id, sizeOf(id, costs)] as const));
  const fixed = fixedCosts(costs, new Set(weighted.map(({ id }) => id)));
  const plan = planOf(budget, sizes, fixed);
  checkBudget(plan, least);
  const sensitivity = await bitSensitivity(prepared, weighted, [least, most], options.measuring);
  const allocated = allocate(target, plan.allocation(errorsOf(sensitivity)), findings);
  const byId = opsById(allocated);
  const bits = new Map(
    weighted.map(({ id }) => [
      id,
      present(wholeOf(allocated, byId.get(id)!, 'weight_bits'), `allocate: ${id} has no bits`),
    ]),
  );
  const errorOf = (id: string): number => sensitivity.layers.get(id)!.find((one) => one.bits === bits.get(id))!.error;
  const sum = (of: (size: LayerSize, id: string) => number): number =>
    [...sizes].reduce((total, [id, size]) => total + of(size, id), 0);
  const params = sum((size) => size.params);
  const bitsOfAll = sum((size, id) => size.params * bits.get(id)!);
  return {
    goal: budget,
    layers: weighted.map(({ id }) => ({
      id,
      params: sizes.get(id)!.params,
      weight_bits: bits.get(id)!,
      error: errorOf(id),
      tried: sensitivity.layers.get(id)!.map((one) => ({ value: one.bits, error: one.error })),
    })),
    total: {
      params,
      weight_bits: params === 0 ? 0 : bitsOfAll / params,
      size_bytes: bitsOfAll / 8 + fixed.bytes,
      s_ace: sum((size, id) => size.sAce * bits.get(id)!) + fixed.sAce,
      error: weighted.reduce((total, { id }) => total + errorOf(id), 0),
    },
    exact: !findings.all.some(({ code }) => code === 'allocate/greedy'),
    calibration: await measured(allocated, sensitivity, options.measuring),
    files: () => {
      const base = target.from.kind === 'import' ? target.from.model?.config : undefined;
      return allocationFiles(target, bitLines(bits, base), allocated, findings);
    },
  };
}

/** What a layer costs; one over a concatenation is several synapses, `ID`, `ID.2` and so on. */
function sizeOf(id: string, costs: readonly LayerCost[]): LayerSize {
  const parts = costs.filter((cost) => belongsTo(cost.id, id));
  return {
    params: parts.reduce((sum, { params }) => sum + params, 0),
    sAce: parts.reduce((sum, cost) => sum + cost.s_ace_squeezed / cost.weight_bits, 0),
  };
}

function belongsTo(part: string, id: string): boolean {
  return part === id || (part.startsWith(`${id}.`) && /^\d+$/.test(part.slice(id.length + 1)));
}

/** Costs of layers whose bits aren't chosen. */
function fixedCosts(costs: readonly LayerCost[], ids: ReadonlySet<string>): { bytes: number; sAce: number } {
  const others = costs.filter((cost) => ![...ids].some((id) => belongsTo(cost.id, id)));
  return {
    bytes: others.reduce((sum, cost) => sum + cost.size_bytes, 0),
    sAce: others.reduce((sum, cost) => sum + cost.s_ace_squeezed, 0),
  };
}

interface Plan {
  readonly allocation: (errors: ReadonlyMap<string, ReadonlyMap<number, number>>) => BitAllocation;
  readonly ids: readonly string[];
}

/** The budget as costs of choices: in bits of parameters, or in S-ACE. */
function planOf(
  { unit, value }: BitBudget,
  sizes: ReadonlyMap<string, LayerSize>,
  fixed: { readonly bytes: number; readonly sAce: number },
): Plan {
  const params = [...sizes.values()].reduce((sum, size) => sum + size.params, 0);
  const inBits = unit !== 's_ace';
  const budget =
    unit === 's_ace' ? value - fixed.sAce : unit === 'bytes' ? (value - fixed.bytes) * 8 : Math.round(value * params);
  return {
    ids: [...sizes.keys()],
    allocation: (errors) => ({
      choices: new Map(
        [...errors].map(([id, byBits]) => {
          const { params: own, sAce } = sizes.get(id)!;
          const choices = [...byBits].map(([bits, error]) => ({ bits, error, cost: bits * (inBits ? own : sAce) }));
          return [id, choices];
        }),
      ),
      budget,
      unit: inBits ? 'bits' : 's_ace',
      fixed: inBits ? fixed.bytes : fixed.sAce,
    }),
  };
}

/** A budget that can't be met is said before anything is measured. */
function checkBudget(plan: Plan, least: number): void {
  const everywhere = (bits: number): BitAllocation =>
    plan.allocation(new Map(plan.ids.map((id) => [id, new Map([[bits, 0]])])));
  const costWith = (bits: number): number => leastCost([...everywhere(bits).choices.values()]);
  const { budget } = everywhere(least);
  const costText = costTextOf(everywhere(least));
  const cost = costWith(least);
  if (cost <= budget) return;
  const one = `with \`--least 1\` the smallest is ${costText(costWith(1))}`;
  const larger = 'give a larger budget';
  const help = least === 1 ? larger : costWith(1) <= budget ? one : `${larger}; ${one}`;
  const smallest = `${costText(cost)} with at least ${least} bit${least === 1 ? '' : 's'} a layer`;
  fail('allocate/budget', { budget: costText(budget), least: smallest }, undefined, { help });
}

function errorsOf({ layers }: BitSensitivity): ReadonlyMap<string, ReadonlyMap<number, number>> {
  return new Map([...layers].map(([id, tried]) => [id, new Map(tried.map(({ bits, error }) => [bits, error]))]));
}

function allocate(target: AllocationTarget, allocation: BitAllocation, findings: Findings): Network {
  const result = runPipeline(target.network, configure(pipelines.allocate, { 'allocate-bits': allocation }), {
    neurons: libraryNeurons(),
  });
  const value = result.network === undefined ? {} : { value: result.network };
  return findings.take({ ...value, diagnostics: result.diagnostics });
}

/** The allocated network on the calibration images, beside the network as it was. */
async function measured(
  allocated: Network,
  { reference }: BitSensitivity,
  { images, engine, threads, onProgress }: Measuring,
): Promise<Chosen['calibration']> {
  const logits = await openLogits(allocated, engine, { threads });
  try {
    const found = await outputsOf(logits.begin(), logits.lanes, images, (done, total) =>
      onProgress?.({ phase: 'measuring the allocation', done, total, unit: 'images' }),
    );
    const labels = readLabels(images);
    const [before, after] = [classesOf(reference), classesOf(found)];
    return {
      samples: images.count,
      accuracy: agreement(after, labels),
      error: divergence(reference, found),
      source: { accuracy: agreement(before, labels), agreement: agreement(after, before) },
    };
  } finally {
    await logits.dispose();
  }
}
