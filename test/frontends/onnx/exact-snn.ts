import { expect } from 'vitest';
import { elementCount, tensor } from '../../../src/base/dtype.js';
import { exactCodes, lower, outputNames } from '../../../src/lower/program/index.js';
import { type Network, isNeuronLayer, roleOf } from '../../../src/network/index.js';
import { evaluate } from '../../../src/tensor/index.js';
import { convert, sws } from '../../support/sws.js';
import { compareWithOnnxruntime, imported, randomNumbers } from './harness.js';

export interface Exact {
  readonly imported: Network;
  readonly spiking: Network;
}

/** Numbers that fill the range of the quantiser that comes first in the network. */
export function inputsFor(network: Network, seed: number): Float32Array<ArrayBuffer> {
  const input = network.ops.find((op) => op.kind === 'input')!;
  const code = network.ops.find((op) => op.kind === 'quantize')!.type.code;
  if (code.kind !== 'quant') throw new Error('no quantiser');
  const next = randomNumbers(seed + 5);
  const [low, high] = [(code.min - code.zero) * code.scale, (code.max - code.zero) * code.scale];
  return Float32Array.from({ length: elementCount(input.type.shape) }, () => low + next() * (high - low));
}

/**
 * The imported network computes, layer by layer, what onnxruntime computes (1e-5), and with Ts = Tc every code of
 * the spiking network equals the quantised network's in exact arithmetic, and its logits (1e-4).
 */
export async function convertsExactly(bytes: Uint8Array, seeds: readonly number[] = [1, 2]): Promise<Exact> {
  const { network } = imported(bytes);
  const { quantised, spiking } = convert(network, sws({ silent: 8 }));
  const probes = { codes: true };
  const exactly = lower(quantised, { carrier: exactCodes, probes }).program;
  const program = lower(spiking, { probes }).program;
  const shape = network.ops.find((op) => op.kind === 'input')!.type.shape;
  // digits of a value are no codes of the quantised network
  const layers = spiking.ops
    .filter((op) => roleOf(op) === 'encoder' || (isNeuronLayer(op) && !('base' in op.attrs)))
    .map((op) => op.id);
  for (const seed of seeds) {
    const x = inputsFor(network, seed);
    await compareWithOnnxruntime(bytes, x);
    const image = tensor('f32', [1, ...shape], x);
    const wanted = evaluate(exactly, { [exactly.inputs[0]!.id]: image });
    const found = evaluate(program, { [program.inputs[0]!.id]: image });
    for (const id of layers) {
      const name = outputNames.codes(id);
      expect([...found[name]!.data], `codes of ${id}`).toEqual([...wanted[name]!.data]);
    }
    const [a, b] = [[...found['0']!.data], [...wanted['0']!.data]];
    const largest = Math.max(1, ...b.map(Math.abs));
    a.forEach((logit, i) => expect(Math.abs(logit - b[i]!) / largest, `logit ${i}`).toBeLessThan(1e-4));
  }
  return { imported: network, spiking };
}
