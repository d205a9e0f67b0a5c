import { present } from '../base/invariant.js';
import type { Engine } from '../engines/index.js';
import { lower } from '../lower/program/index.js';
import { type Network, isNeuronLayer, numberAttr } from '../network/index.js';
import { openRunnable } from '../train/index.js';
import { stepwiseTrain } from './compare-codes.js';
import { type Images, forEachBatch } from './metrics/index.js';

/** What TSA neurons keep behind their trains: |u|/β^Ts in units of θ, of all layers, neurons and samples (SWS Fig. 5a). */
export interface Residuals {
  readonly samples: number;
  /** Residuals that were counted; neurons at the end of their range, which keep what they may not emit, are not among them. */
  readonly count: number;
  readonly mean: number;
  /** Of a bin of `density`, in θ. */
  readonly width: number;
  /** Probability density from 0 on, per θ. */
  readonly density: readonly number[];
  /** The share of what lies beyond the last bin. */
  readonly beyond: number;
}

const width = 0.025;
const bins = 60;

/** Counts residuals in bins. */
export class ResidualCounter {
  readonly #bins = new Float64Array(bins);
  #count = 0;
  #sum = 0;

  add(residual: number): void {
    this.#count++;
    this.#sum += residual;
    const bin = Math.floor(residual / width);
    if (bin < bins) this.#bins[bin]!++;
  }

  result(samples: number): Residuals {
    const count = this.#count;
    const inside = this.#bins.reduce((a, b) => a + b, 0);
    const per = count === 0 ? 0 : 1 / (count * width);
    return {
      samples,
      count,
      mean: count === 0 ? 0 : this.#sum / count,
      width,
      density: Array.from(this.#bins, (n) => n * per),
      beyond: count === 0 ? 0 : (count - inside) / count,
    };
  }
}

/** Runs a network of stepwise trains and counts the residuals of its neurons. */
export async function residualsOf(
  spiking: Network,
  images: Images,
  engine: Engine,
  counter?: (done: number, total: number) => void,
): Promise<Residuals> {
  const layers = spiking.ops.filter(isNeuronLayer).map((op) => ({
    ...stepwiseTrain(op),
    threshold: numberAttr(op.attrs, 'threshold', 0.5),
  }));
  const found = new ResidualCounter();
  const running = await openRunnable(lower(spiking, { probes: { codes: true, membrane: true } }), engine);
  const { codes, membrane } = running.outputs.probes;
  try {
    await forEachBatch(
      images,
      1,
      running.pass(),
      (results) => {
        for (const { id, amplification, top, threshold } of layers) {
          const u = results[membrane.get(id) ?? '']?.data;
          if (u === undefined) continue;
          const levels = present(results[codes.get(id) ?? ''], `run: no codes of ${id}`).data;
          for (let i = 0; i < u.length; i++) {
            const residual = u[i]! / amplification;
            // held at an end of its range: clipping, not residual
            if (residual > threshold && (levels[i]! <= 0 || levels[i]! >= top)) continue;
            found.add(residual);
          }
        }
      },
      counter,
    );
  } finally {
    await running.dispose();
  }
  return found.result(images.count);
}
