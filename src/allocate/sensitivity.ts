import { fail } from '../base/diagnostics/index.js';
import { type Tensor, tensor } from '../base/dtype.js';
import type { Engine } from '../engines/index.js';
import { type Images, type Outputs, divergence, outputsOf } from '../run/metrics/index.js';
import { type Network, type Op, type Param, paramOf, realValues } from '../network/index.js';
import { hasCodesOf, quantisedWeight } from '../passes/index.js';
import { openLogits, weightId } from '../run/logits.js';
import type { OnProgress } from '../workspace/types.js';

/** What a run over the calibration images needs. */
export interface Measuring {
  readonly images: Images;
  readonly engine: Engine;
  readonly threads?: number | undefined;
  readonly onProgress?: OnProgress | undefined;
}

/** Bits of a layer's weights with the error they bring to the network's output. */
export interface BitError {
  readonly bits: number;
  readonly error: number;
}

export interface BitSensitivity {
  /** By layer: from the fewest bits to the most, or to those the weights have already, with error 0. */
  readonly layers: ReadonlyMap<string, readonly BitError[]>;
  readonly reference: Outputs;
}

/**
 * The error of the network's output (Kullback-Leibler divergence of the softmax of its logits) when one layer's
 * weights have n bits and all others stay, for every layer and n. The network is compiled once; weights are fed.
 */
export async function bitSensitivity(
  network: Network,
  weighted: readonly Op[],
  [least, most]: readonly [number, number],
  { images, engine, threads, onProgress }: Measuring,
): Promise<BitSensitivity> {
  const names = [...new Set(weighted.map((op) => op.params['weight']!))];
  const own = Object.fromEntries(
    names.map((name) => [weightId(network, name), realTensor(network.params.get(name)!)] as const),
  );
  const tried = weighted.map((op) => ({ op, bits: bitsToTry(paramOf(network, op, 'weight'), least, most) }));
  const runs = 1 + tried.reduce((sum, { bits }) => sum + bits.measured.length, 0);
  const logits = await openLogits(network, engine, { threads, fed: Object.keys(own) });
  let done = 0;
  const measure = async (changed: Readonly<Record<string, Tensor>>): Promise<Outputs> => {
    const outputs = await outputsOf(logits.begin({ ...own, ...changed }), logits.lanes, images, (count) =>
      onProgress?.({
        phase: 'measuring sensitivity',
        done: done * images.count + count,
        total: runs * images.count,
        unit: 'images',
      }),
    );
    done++;
    return outputs;
  };
  try {
    const reference = await measure({});
    finite(reference, images.dataset.name);
    const layers = new Map<string, readonly BitError[]>();
    for (const { op, bits } of tried) {
      const weight = paramOf(network, op, 'weight');
      const errors: BitError[] = [];
      for (const n of bits.measured) {
        const id = weightId(network, op.params['weight']!);
        const found = await measure({ [id]: realTensor(quantisedWeight(weight, n)) });
        errors.push({ bits: n, error: divergence(reference, found) });
      }
      if (bits.exact !== undefined) errors.push({ bits: bits.exact, error: 0 });
      layers.set(op.id, errors);
    }
    return { layers, reference };
  } finally {
    await logits.dispose();
  }
}

/** Bits up to those with which the weight stays as it is: there is no use in more. */
function bitsToTry(weight: Param, least: number, most: number): { measured: number[]; exact: number | undefined } {
  const all = Array.from({ length: most - least + 1 }, (_, i) => least + i);
  const exact = all.find((bits) => hasCodesOf(weight, bits));
  return { measured: exact === undefined ? all : all.filter((bits) => bits < exact), exact };
}

function realTensor(param: Param): Tensor {
  return tensor('f32', param.tensor.shape, realValues(param));
}

/** Errors of outputs that aren't numbers say nothing. */
export function finite({ data }: Outputs, name: string): void {
  if (!data.every((value) => Number.isFinite(value))) fail('allocate/no-sensitivity', { data: name });
}
