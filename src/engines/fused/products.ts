import { elementCount } from '../../base/dtype.js';
import { joined } from '../../base/pieces.js';
import { GraphWriter, valueInfo } from '../../backends/onnx/writer.js';
import { units } from '../../tensor/dims.js';
import { type Dim, type Program, attrsOf } from '../../tensor/types.js';
import { type PatchGeometry, isPointwise } from './patches.js';
import type { IntegerSynapse } from '../bytes/synapses.js';

/** Names in the ONNX graph of a product of bytes. */
export const productNames = { input: 'codes', output: 'sums' } as const;

function depth({ weights, columns }: IntegerSynapse): number {
  return weights.length / columns;
}

/** Rows and columns of the matrix of codes for a batch of `n`. */
export function productShape(synapse: IntegerSynapse, n: number): [number, number] {
  const [batch, , ...image] = synapse.op.shape;
  return [units(batch!) * n * elementCount(image.map(units)), depth(synapse)];
}

/** The windows of a convolution over codes [N, C, H, W]; undefined where the codes are the matrix themselves. */
export function patchGeometry(
  { op, zero, kernel }: IntegerSynapse,
  codes: readonly Dim[],
  n: number,
): PatchGeometry | undefined {
  if (op.kind === 'matmul') return undefined;
  const [batch, channels, height, width] = codes.map(units) as [number, number, number, number];
  const { stride, pads } = attrsOf(op, 'conv2d');
  const geometry: PatchGeometry = {
    images: batch * n,
    height,
    width,
    channels,
    kernel,
    stride: stride as [number, number],
    pads: pads as [number, number, number, number],
    outHeight: units(op.shape[2]!),
    outWidth: units(op.shape[3]!),
    fill: zero,
  };
  return isPointwise(geometry) ? undefined : geometry;
}

/** A graph of one node: codes [M, K] · weights [K, O] with the codes' zero point taken off. */
export function emitProduct(synapse: IntegerSynapse): Uint8Array {
  const rows: Dim = { batch: 1 };
  const program: Program = {
    name: synapse.op.id,
    inputs: [{ id: productNames.input, dtype: 'u8', shape: [rows, depth(synapse)] }],
    params: [],
    ops: [],
    outputs: {},
  };
  const w = new GraphWriter(program);
  w.initializer('weights', { dtype: 'i8', shape: [depth(synapse), synapse.columns], data: synapse.weights });
  w.node('MatMulInteger', [productNames.input, 'weights', w.scalar('u8', synapse.zero)], {}, productNames.output);
  return joined(w.finish([valueInfo(productNames.output, 'i32', [rows, synapse.columns])]));
}
