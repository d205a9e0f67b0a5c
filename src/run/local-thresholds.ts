import { tensor } from '../base/dtype.js';
import { present } from '../base/invariant.js';
import { onnxruntimeEngine } from '../engines/onnxruntime.js';
import { type Carrier, type Lowering, RealNetwork, lower } from '../lower/program/index.js';
import type { Network, Op } from '../network/index.js';
import { openRunnable } from '../train/index.js';
import type { Value } from '../tensor/index.js';
import { type Images, forEachBatch } from './metrics/index.js';

/** The least threshold: a channel that is never active has it. */
const least = 1e-6;

const before = (id: string): string => `threshold ${id}`;
const after = (id: string): string => `next threshold ${id}`;

/** A network without time whose activations are cut off at thresholds, which each batch moves on. */
class BalancedNetwork extends RealNetwork {
  readonly #next = new Map<string, Value>();

  constructor(
    lowering: Lowering,
    readonly sites: ReadonlySet<string>,
  ) {
    super(lowering, 'f32');
  }

  override lower(op: Op): void {
    super.lower(op);
    if (this.sites.has(op.id)) this.#cutOff(op);
  }

  override real(id: string): Value {
    return this.#next.get(id) ?? super.real(id);
  }

  /** θ ← θ + 2·mean(max(x − θ, 0)) over batch and places of a channel, and then min(x, θ) (Bu et al. 2024). */
  #cutOff({ id, type: { shape } }: Op): void {
    const { builder } = this.lowering;
    const [channels, ...inner] = shape as readonly [number, ...number[]];
    const wide = (x: Value): Value => builder.reshape(x, [channels, ...inner.map(() => 1)]);
    const x = this.of(id);
    const threshold = builder.input(before(id), 'f32', [channels]);
    builder.at(id);
    const overflow = builder.as('overflow').max(builder.sub(x, wide(threshold)), 0);
    const sum = builder.sum(overflow, [0, ...inner.map((_, axis) => axis + 2)]);
    const places = inner.reduce((a, b) => a * b, 1);
    const moved = builder.add(threshold, builder.div(builder.mul(sum, 2 / places), builder.batchSize('f32')));
    const next = builder.as('next').max(moved, least);
    this.#next.set(after(id), next);
    this.set(id, builder.min(x, wide(next)));
  }
}

/**
 * Local threshold balancing (Bu et al. 2024): a threshold for each channel of these activations, from 0 up by twice the
 * mean of what exceeds it, batch after batch; activations go on cut off at it. No number of steps is asked for: how far
 * thresholds rise depends on how many batches there are.
 */
export async function localThresholds(
  network: Network,
  sites: readonly Op[],
  images: Images,
  passes: number,
  onBatch: (done: number, total: number) => void,
): Promise<ReadonlyMap<string, readonly number[]>> {
  const ids = new Set(sites.map(({ id }) => id));
  const carrier: Carrier = {
    coding: undefined,
    doc: 'real values, cut off at thresholds',
    trains: 'none',
    precision: 'f32',
    begin: (lowering) => new BalancedNetwork(lowering, ids),
  };
  const runnable = lower(network, { carrier, probes: { expose: [...ids].map(after) } });
  const running = await openRunnable(runnable, onnxruntimeEngine);
  const { exposed } = running.outputs;
  let thresholds = new Map(
    sites.map(({ id, type }) => [id, tensor('f32', [type.shape[0]!], new Float32Array(type.shape[0]!))]),
  );
  try {
    for (let pass = 0; pass < passes; pass++) {
      await forEachBatch(
        images,
        1,
        async (batch) => {
          const fed = Object.fromEntries([...thresholds].map(([id, values]) => [before(id), values]));
          const found = await running.pass(fed)(batch);
          thresholds = new Map(
            [...ids].map((id) => {
              const { shape, data } = present(found[exposed.get(after(id)) ?? ''], `run: no threshold of ${id}`);
              return [id, tensor('f32', shape, Float32Array.from(data))];
            }),
          );
        },
        () => undefined,
        (done, total) => onBatch(pass * total + done, passes * total),
      );
    }
  } finally {
    await running.dispose();
  }
  return new Map([...thresholds].map(([id, { data }]) => [id, Array.from(data, (one) => Number(one.toPrecision(6)))]));
}
