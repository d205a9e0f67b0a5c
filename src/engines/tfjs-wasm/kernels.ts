import type * as TensorFlow from '@tensorflow/tfjs';
import { type Backend, type Info, type Loop, type Tf, addressOf, loopMaker, replace, withBytes } from './backend.js';
import { waitWithElementwise } from './pending.js';
import { borderCopy, packedColumns, sideBySide } from './copies.js';
import { type Windows, outputsAtOnce, packedBytes, productOf, weightGradientOf } from './loops.js';

type ConvInfo = TensorFlow.backend_util.Conv2DInfo;

/**
 * Gives TensorFlow.js' wasm backend kernels of our own over its memory: convolutions and matrix products in half the time of
 * its own, and the gradient of a filter, which it has none of. They are machine code for one shape each. What they don't
 * take (dilation, matrices side by side) is left to the backend's. Done once for a `tf`; nothing where its memory can't be
 * reached or is shared between threads.
 */
export function giveWasmKernels(tf: Tf): void {
  const loopFor = loopMaker(tf.backend() as unknown as Backend);
  if (loopFor === undefined || tf.getKernel('Conv2DBackpropFilter', 'wasm') !== undefined) return;
  const product = (windows: Windows, outputs: number): Loop =>
    loopFor('product', [windows, outputs], () => productOf(windows, outputs));
  const gradient = (windows: Windows, outputs: number): Loop =>
    loopFor('gradient', [windows, outputs], () => weightGradientOf(windows, outputs));

  /** Writes a matrix [rows, outputs] as `productOf` reads it. */
  const pack = (backend: Backend, from: number, rows: number, outputs: number, to: number): void => {
    const whole = outputs - (outputs % outputsAtOnce);
    if (whole > 0) loopFor('pack', [rows, outputs], () => packedColumns(rows, outputs))(from, to, 0);
    if (whole === outputs) return;
    const { buffer } = backend.wasm.HEAPU8;
    const w = new Float32Array(buffer, from, rows * outputs);
    const packed = new Float32Array(buffer, to + 4 * rows * whole, rows * outputsAtOnce);
    packed.fill(0);
    for (let row = 0; row < rows; row++) {
      packed.set(w.subarray(row * outputs + whole, (row + 1) * outputs), row * outputsAtOnce);
    }
  };

  /** Calls `use` with the address of each image, with its border of zeros around it. */
  const eachImage = (
    backend: Backend,
    x: Info,
    info: ConvInfo,
    use: (address: number, index: number) => void,
  ): void => {
    const { inHeight, inWidth, inChannels, padInfo } = info;
    const [row, from] = [4 * inWidth * inChannels, addressOf(backend, x)];
    const image = inHeight * row;
    const { height, width } = paddedSize(info);
    if (height === inHeight && width === inWidth) {
      for (let i = 0; i < info.batchSize; i++) use(from + i * image, i);
      return;
    }
    const padded = 4 * width * inChannels;
    const fill = loopFor('border', [inHeight, row, padded], () => borderCopy(inHeight, row, padded));
    withBytes(backend, height * padded, (address) => {
      backend.wasm.HEAPU8.fill(0, address, address + height * padded);
      const inside = address + padInfo.top * padded + 4 * padInfo.left * inChannels;
      for (let i = 0; i < info.batchSize; i++) {
        fill(from + i * image, inside, 0);
        use(address, i);
      }
    });
  };

  replace(tf, 'Conv2D', ({ inputs, attrs, backend }) => {
    const [x, filter] = [inputs['x']!, inputs['filter']!];
    const info = convInfo(tf, x.shape, filter.shape, attrs);
    if (info === undefined) return undefined;
    const y = backend.makeOutput(info.outShape, 'float32');
    const windows = windowsOf(info);
    const loop = product(windows, info.outChannels);
    withBytes(backend, packedBytes(windows, info.outChannels), (packed) => {
      pack(backend, addressOf(backend, filter), windows.rows * windows.run, info.outChannels, packed);
      const to = addressOf(backend, y);
      const each = 4 * info.outHeight * info.outWidth * info.outChannels;
      eachImage(backend, x, info, (image, i) => loop(image, packed, to + i * each));
    });
    return y;
  });

  replace(tf, 'Conv2DBackpropFilter', ({ inputs, attrs, backend }) => {
    const [x, dy] = [inputs['x']!, inputs['dy']!];
    const shape = attrs['filterShape'] as number[];
    const info = convInfo(tf, x.shape, shape, attrs);
    if (info === undefined) throw new TypeError('the gradient of a filter: dilation is not for this kernel');
    const w = backend.makeOutput(shape, 'float32');
    const to = addressOf(backend, w);
    backend.wasm.HEAPU8.fill(0, to, to + 4 * shape.reduce((a, b) => a * b, 1));
    const loop = gradient(windowsOf(info), info.outChannels);
    const each = 4 * info.outHeight * info.outWidth * info.outChannels;
    eachImage(backend, x, info, (image, i) => loop(image, addressOf(backend, dy) + i * each, to));
    return w;
  });

  replace(tf, 'BatchMatMul', ({ inputs, attrs, backend }) => {
    const [a, b] = [inputs['a']!, inputs['b']!];
    if (a.shape.length !== 2 || b.shape.length !== 2 || attrs['transposeA'] === true || attrs['transposeB'] === true) {
      return undefined;
    }
    const [rows, run, outputs] = [a.shape[0]!, a.shape[1]!, b.shape[1]!];
    if (rows * run * outputs === 0) return undefined;
    const y = backend.makeOutput([rows, outputs], 'float32');
    const windows = { rows: 1, run, rowStep: 4 * run, down: 1, across: rows, downStep: 0, acrossStep: 4 * run };
    const loop = product(windows, outputs);
    withBytes(backend, packedBytes(windows, outputs), (packed) => {
      pack(backend, addressOf(backend, b), run, outputs, packed);
      loop(addressOf(backend, a), packed, addressOf(backend, y));
    });
    return y;
  });

  // the backend's own copies row by row in JavaScript
  replace(tf, 'Concat', ({ inputs, attrs, backend }) => {
    const parts = Object.values(inputs);
    const { shape } = parts[0]!;
    const axis = ((attrs['axis'] as number) + shape.length) % shape.length;
    const outer = shape.slice(0, axis).reduce((a, b) => a * b, 1);
    const inner = parts.map((one) => one.shape.slice(axis).reduce((a, b) => a * b, 1));
    if (outer < 2 || inner.some((n) => n === 0 || n % 4 !== 0)) return undefined;
    const y = backend.makeOutput(
      tf.backend_util.computeOutShape(
        parts.map((one) => one.shape),
        axis,
      ),
      'float32',
    );
    const loop = loopFor('concat', [outer, inner], () => sideBySide(outer, inner));
    withBytes(backend, 4 * (parts.length + 1), (table) => {
      const addresses = [y, ...parts].map((one) => addressOf(backend, one));
      new Uint32Array(backend.wasm.HEAPU8.buffer, table, addresses.length).set(addresses);
      loop(table, 0, 0);
    });
    return y;
  });

  waitWithElementwise(tf, loopFor);
}

/** Sizes of a convolution that our loops take; `undefined` with dilation, of nothing, and for images that lie channels first. */
function convInfo(
  tf: Tf,
  x: readonly number[],
  filter: readonly number[],
  attrs: Readonly<Record<string, unknown>>,
): ConvInfo | undefined {
  if (attrs['dataFormat'] !== undefined && attrs['dataFormat'] !== 'NHWC') return undefined;
  const info = tf.backend_util.computeConv2DInfo(
    x as [number, number, number, number],
    filter as [number, number, number, number],
    attrs['strides'] as [number, number],
    (attrs['dilations'] as [number, number] | undefined) ?? 1,
    attrs['pad'] as 'valid',
    attrs['dimRoundingMode'] as 'floor',
  );
  const sizes = [...info.inShape, ...info.outShape, ...info.filterShape];
  return info.dilationHeight === 1 && info.dilationWidth === 1 && sizes.every((n) => n > 0) ? info : undefined;
}

/** Height and width with what windows reach over the edge. */
function paddedSize({ inHeight, inWidth, padInfo }: ConvInfo): { readonly height: number; readonly width: number } {
  return { height: inHeight + padInfo.top + padInfo.bottom, width: inWidth + padInfo.left + padInfo.right };
}

function windowsOf(info: ConvInfo): Windows {
  const { filterHeight, filterWidth, inChannels, outHeight, outWidth, strideHeight, strideWidth } = info;
  const rowStep = 4 * paddedSize(info).width * inChannels;
  return {
    rows: filterHeight,
    run: filterWidth * inChannels,
    rowStep,
    down: outHeight,
    across: outWidth,
    downStep: strideHeight * rowStep,
    acrossStep: 4 * strideWidth * inChannels,
  };
}
