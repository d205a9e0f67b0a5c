import { type CMemory, emitC } from '../../src/backends/c/index.js';
import { elementCount, tensor } from '../../src/base/dtype.js';
import { lower } from '../../src/lower/program/index.js';
import type { Network } from '../../src/network/index.js';
import { type Program, concreteShape, evaluate, simplify } from '../../src/tensor/index.js';
import { type Shape, runC } from './c-compiler.js';
import { randomImages } from './random-network.js';

/** Sizes of a program's inputs and outputs for one sample. */
export function shapeOf(program: Program): Shape {
  const size = (id: string): number => {
    const value = [...program.inputs, ...program.params, ...program.ops].find((one) => one.id === id)!;
    return elementCount(concreteShape(value.shape, 1));
  };
  return { inputs: program.inputs.map(({ id }) => size(id)), outputs: Object.values(program.outputs).map(size) };
}

export interface Compared {
  readonly c: number[][];
  readonly reference: number[][];
  readonly notes: readonly string[];
  readonly memory: CMemory;
}

/** What C computes of a network on drawn images, or those given, and what the reference evaluator does. */
export function inBoth(network: Network, samples: number | readonly Float32Array[] = 3): Compared {
  const program = simplify(lower(network).program);
  const shape = shapeOf(program);
  const drawn = (k: number): Float32Array[] => shape.inputs.map((n, i) => randomImages(17 * k + i, 1, [n]));
  const fed =
    typeof samples === 'number' ? Array.from({ length: samples }, (_, k) => drawn(k)) : samples.map((one) => [one]);
  const { files, notes, memory } = emitC({ network, program });
  const reference = fed.map((arrays) => {
    const feeds = Object.fromEntries(
      program.inputs.map(({ id, shape: of }, i) => [id, tensor('f32', concreteShape(of, 1), arrays[i]!)] as const),
    );
    const outputs = evaluate(program, feeds);
    return Object.keys(program.outputs).flatMap((name) => [...outputs[name]!.data]);
  });
  return { c: runC(files, shape, fed).map((one) => [...one]), reference, notes, memory };
}
