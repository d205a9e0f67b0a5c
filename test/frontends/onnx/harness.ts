import * as ort from 'onnxruntime-node';
import { expect } from 'vitest';
import type { Diagnostic } from '../../../src/base/diagnostics/index.js';
import { elementCount } from '../../../src/base/dtype.js';
import { productsSaturate } from '../../../src/engines/saturation.js';
import {
  exposeTensors,
  importOnnx,
  type ImportOptions,
  type ImportedNetwork,
  standardForm,
} from '../../../src/frontends/onnx/index.js';
import type { Op } from '../../../src/network/types.js';
import { verifyNetwork } from '../../../src/network/verify.js';
import { evaluateAnn } from '../../../src/testing/ann-evaluate.js';

/** Deterministic numbers in [0, 1). */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0 || 1;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** `count` numbers in [-range, range), rounded to float32. */
export function randomFloats(seed: number, count: number, range = 1): Float32Array<ArrayBuffer> {
  const next = randomNumbers(seed * 7919 + 17);
  return Float32Array.from({ length: count }, () => (next() * 2 - 1) * range);
}

/** `count` integers in [min, max]. */
export function randomInts(seed: number, count: number, min: number, max: number): number[] {
  const next = randomNumbers(seed * 104729 + 3);
  return Array.from({ length: count }, () => min + Math.floor(next() * (max - min + 1)));
}

/** Imports what must be importable; the network must verify. */
export function imported(bytes: Uint8Array, name = 'test.onnx', options: ImportOptions = {}): ImportedNetwork {
  const { value, diagnostics } = importOnnx({ name, bytes }, options);
  expect(diagnostics.filter((d) => d.severity === 'error').map((d) => `${d.code}: ${d.message}`)).toEqual([]);
  expect(verifyNetwork(value!.network)).toEqual([]);
  return value!;
}

/** The diagnostics of what must not be importable. */
export function refused(bytes: Uint8Array, options: ImportOptions = {}): readonly Diagnostic[] {
  const { value, diagnostics } = importOnnx({ name: 'bad.onnx', bytes }, options);
  expect(value).toBeUndefined();
  expect(diagnostics.some((d) => d.severity === 'error')).toBe(true);
  return diagnostics;
}

export function codes(diagnostics: readonly Diagnostic[]): string[] {
  return diagnostics.map((d) => d.code);
}

export interface Comparison {
  /** Tensors compared. */
  compared: number;
  /** Codes that differ by one where the value lies within 1e-3 of the border between them. */
  ties: number;
  output: Float64Array;
  network: ImportedNetwork;
}

/**
 * Runs the model in onnxruntime (optimisations disabled) with every tensor an op stands for exposed, and
 * evaluates each op alone on onnxruntime's values of its inputs, so that one tie can't hide other differences.
 */
export async function compareWithOnnxruntime(
  bytes: Uint8Array,
  input: Float32Array<ArrayBuffer>,
  options: { readonly tolerance?: number; readonly external?: ImportOptions } = {},
): Promise<Comparison> {
  const network = imported(bytes, 'test.onnx', options.external);
  const { ops } = network.network;
  const source = network.sourceInputs[0]!;
  const names = ops.flatMap((op) => op.origin ?? []);
  const session = await ort.InferenceSession.create(
    exposeTensors(
      standardForm(bytes, { withoutDynamic: true, unsigned: await productsSaturate() })?.bytes ?? bytes,
      names,
    ).bytes,
    {
      graphOptimizationLevel: 'disabled',
      intraOpNumThreads: 1,
      logSeverityLevel: 3,
    },
  );
  const feeds = { [source.name]: new ort.Tensor('float32', input, [1, ...source.shape]) };
  const results = await session.run(feeds);
  await session.release();
  const known = new Map<string, Float64Array>();
  for (const op of ops) {
    const tensor = op.origin === undefined ? undefined : results[op.origin];
    if (tensor !== undefined) known.set(op.id, asReals(op, tensor));
  }
  const values = evaluateAnn(network.network, Float64Array.from(input), known);
  const comparison = { compared: 0, ties: 0, output: values.get(network.network.outputs[0]!)!, network };
  for (const op of ops) {
    const wanted = known.get(op.id);
    if (wanted === undefined) continue;
    comparison.compared++;
    const from = op.inputs.map((id) => known.get(id) ?? values.get(id)!)[0];
    comparison.ties += compareOp(op, values.get(op.id)!, wanted, from, options.tolerance ?? 1e-5);
  }
  const [last] = network.network.outputs;
  const lastOp = ops.find((op) => op.id === last)!;
  expect(lastOp.origin, 'the output stands for a tensor of the file').toBeDefined();
  return comparison;
}

/** Integer tensors hold codes. */
function asReals(op: Op, tensor: ort.Tensor): Float64Array {
  const data = Float64Array.from(tensor.data as ArrayLike<number>);
  expect(data.length, `${op.id}: size of ${op.origin}`).toBe(elementCount(op.type.shape));
  if (tensor.type === 'float32' || tensor.type === 'float64') return data;
  const { code } = op.type;
  if (code.kind !== 'quant') throw new Error(`${op.id} stands for ${tensor.type} but has no code`);
  return data.map((q) => (q - code.zero) * code.scale);
}

function compareOp(
  op: Op,
  got: Float64Array,
  wanted: Float64Array,
  from: Float64Array | undefined,
  tolerance: number,
): number {
  const { code } = op.type;
  const largest = wanted.reduce((most, v) => Math.max(most, Math.abs(v)), 1e-3);
  let ties = 0;
  for (let i = 0; i < wanted.length; i++) {
    const difference = Math.abs(got[i]! - wanted[i]!);
    if (code.kind === 'quant' && op.kind === 'quantize') {
      const steps = Math.round(difference / code.scale);
      if (steps === 0) continue;
      const q = from![i]! / code.scale;
      const nearTie = Math.abs(q - Math.floor(q) - 0.5) < 1e-3;
      if (steps > 1 || !nearTie) throw new Error(`${op.id}[${i}]: code differs by ${steps}, value ${q} steps`);
      ties++;
    } else if (!(difference <= tolerance * Math.max(largest, 1))) {
      throw new Error(`${op.id} (${op.kind})[${i}]: ${got[i]} instead of ${wanted[i]} (${op.origin})`);
    }
  }
  return ties;
}
