import { GraphWriter, valueInfo } from '../backends/onnx/writer.js';
import { joined } from '../base/pieces.js';
import { Session } from './onnxruntime-session.js';
import { tensor } from '../base/dtype.js';

/** Long enough for every kernel to use its vectors. */
const depth = 64;

let known: Promise<boolean> | undefined;

/**
 * Whether onnxruntime's products of uint8 by int8 saturate on this processor: without dot products of bytes (AVX2) it adds pairs in
 * 16 bits, and 255·127 + 255·127 comes out as 32,767. Tried once.
 */
export function productsSaturate(): Promise<boolean> {
  return (known ??= tried());
}

async function tried(): Promise<boolean> {
  const rows = { batch: 1 };
  const w = new GraphWriter({
    name: 'bytes',
    inputs: [{ id: 'x', dtype: 'u8', shape: [rows, depth] }],
    params: [],
    ops: [],
    outputs: {},
  });
  w.initializer('weights', { dtype: 'i8', shape: [depth, 1], data: new Int8Array(depth).fill(127) });
  w.node('MatMulInteger', ['x', 'weights'], {}, 'y');
  const model = joined(w.finish([valueInfo('y', 'i32', [rows, 1])]));
  const session = await Session.open(model, { optimize: false, brief: true, threads: 1, what: 'a product of bytes' });
  try {
    const { y } = await session.run({ x: tensor('u8', [1, depth], new Uint8Array(depth).fill(255)) });
    return y!.data[0] !== depth * 255 * 127;
  } finally {
    await session.close();
  }
}
