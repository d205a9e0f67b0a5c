import { expect } from 'vitest';
import { tensor } from '../../src/base/dtype.js';
import { lower } from '../../src/lower/program/index.js';
import { type Network, attrsOf } from '../../src/network/index.js';
import { configure, multiplyingOps, pipelines, runPipeline } from '../../src/passes/index.js';
import { evaluate } from '../../src/tensor/index.js';
import { seeded } from './random-network.js';
import { surroundings } from './sws.js';

const configured = {
  planes: configure(pipelines.planes, {}),
  fuse: configure(pipelines.fuse, {}),
  ann: configure(pipelines.ann, {}),
};

export function runPasses(network: Network, pipeline: 'planes' | 'fuse' | 'ann'): Network {
  const result = runPipeline(network, configured[pipeline], surroundings);
  if (result.network === undefined) throw new Error(result.diagnostics.map((d) => d.message).join('\n'));
  return result.network;
}

/** Logits of one image by the reference evaluator, in float32 or float64. */
export function logitsOf(network: Network, image: Float32Array, precision?: 'f64'): number[] {
  const { program } = lower(network);
  const shape = network.ops[0]!.type.shape;
  const options = precision === undefined ? {} : { precision };
  return [...evaluate(program, { image: tensor('f32', [1, ...shape], image) }, options)['0']!.data];
}

export function expectClose(a: readonly number[], b: readonly number[], tolerance: number): void {
  const size = Math.max(1, ...b.map(Math.abs));
  expect(a.length).toBe(b.length);
  a.forEach((v, i) => expect(Math.abs(v - b[i]!)).toBeLessThanOrEqual(tolerance * size));
}

/** Every weighted synapse behind a neuron reads zeros and ones. */
export function expectBinary(network: Network): void {
  const types = new Map(network.ops.map((op) => [op.id, op.type]));
  for (const op of network.ops) {
    if (attrsOf(op)['planes'] === undefined) continue;
    const { code } = types.get(op.inputs[0]!)!;
    // averages of planes are graded: sums of zeros and ones
    if (code.kind !== 'spike' || code.min !== 0 || Math.abs(code.max * code.step - 1) > 1e-12) {
      throw new Error(`${op.id} reads ${JSON.stringify(code)}`);
    }
  }
  expect(multiplyingOps(network)).toEqual([]);
}

/** The network with batch norms that are anything but the identity, so that neurons fire. */
export function withRandomNorms(network: Network, seed: number): Network {
  const random = seeded(seed);
  const ranges: Readonly<Record<string, readonly [number, number]>> = {
    gamma: [1, 3],
    beta: [0, 0.8],
    mean: [-0.2, 0.2],
    variance: [0.05, 0.3],
  };
  const params = [...network.params].map(([name, param]) => {
    const range = ranges[name.split('.').at(-1)!];
    if (range === undefined) return [name, param] as const;
    const values = Array.from(param.tensor.data, () => range[0] + (range[1] - range[0]) * random());
    return [name, { tensor: tensor('f32', param.tensor.shape, values) }] as const;
  });
  return { ...network, params: new Map(params) };
}
