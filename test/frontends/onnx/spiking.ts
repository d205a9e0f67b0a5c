import { expect } from 'vitest';
import { type Tensor, type TypedArray, tensor } from '../../../src/base/dtype.js';
import { exactCodes, lower, outputNames } from '../../../src/lower/program/index.js';
import type { Network } from '../../../src/network/index.js';
import { evaluate } from '../../../src/tensor/index.js';
import { convert, sws } from '../../support/sws.js';
import { imported } from './harness.js';

/** The SNN of a network with every layer silent until its input is in. */
export interface Spiking {
  readonly spiking: Network;
  /** Codes compared, all of them equal. */
  readonly codes: number;
  readonly logits: TypedArray;
}

/**
 * Converts a file with Ts = Tc and runs the SNN in the reference evaluator: every code of every layer must equal the
 * quantised network's in exact arithmetic.
 */
export function codesEqual(bytes: Uint8Array, images: Float32Array<ArrayBuffer>, steps = 8): Spiking {
  const { network, sourceInputs } = imported(bytes);
  const { shape } = sourceInputs[0]!;
  const { quantised, spiking } = convert(network, sws({ steps, silent: steps }));
  const size = shape.reduce((a, b) => a * b, 1);
  const image = tensor('f32', [images.length / size, ...shape], images);
  const input = network.ops.find(({ kind }) => kind === 'input')!;
  const run = (program: Parameters<typeof evaluate>[0]): Readonly<Record<string, Tensor>> =>
    evaluate(program, { [input.id]: image });
  const exact = run(lower(quantised, { carrier: exactCodes, probes: { codes: true } }).program);
  const found = run(lower(spiking, { probes: { codes: true } }).program);
  let codes = 0;
  for (const op of spiking.ops) {
    if (op.kind !== 'neuron' && op.kind !== 'encode') continue;
    const name = outputNames.codes(op.id);
    codes += exact[name]!.data.length;
    expect([...found[name]!.data], `codes of ${op.id}`).toEqual([...exact[name]!.data]);
  }
  return { spiking, codes, logits: found['0']!.data };
}
