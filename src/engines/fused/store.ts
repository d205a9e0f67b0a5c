import type { DType } from '../../base/dtype.js';
import { type Location, type VectorEmitter, lanes, splatBytes } from './vector.js';
import type { FunctionBody } from './wasm.js';

/** Stores `count` elements (four, or the one to three of a tail). */
export function emitStore(
  f: FunctionBody,
  emitter: VectorEmitter,
  id: number,
  dtype: DType,
  to: Location,
  count: number,
): void {
  const part = (local: number, store: () => void) => {
    f.get(to.pointer);
    f.get(local);
    store();
  };
  if (dtype === 'f64') {
    emitter.emit(id).locals.forEach((local, half) => {
      const offset = to.offset + 16 * half;
      const left = count - 2 * half;
      if (left >= 2) part(local, () => f.store(offset));
      else if (left === 1) part(local, () => f.storeLane(64, offset, 0));
    });
  } else if (dtype === 'f32' || dtype === 'i32') {
    const local = emitter.emit(id).locals[0]!;
    if (count === lanes) return part(local, () => f.store(to.offset));
    if (count >= 2) part(local, () => f.storeLane(64, to.offset, 0));
    const last = to.offset + 4 * (count - 1);
    if (count !== 2) part(local, () => f.storeLane(32, last, count - 1));
  } else {
    storeBytes(f, emitter, id, dtype, to, count);
  }
}

function storeBytes(
  f: FunctionBody,
  emitter: VectorEmitter,
  id: number,
  dtype: DType,
  to: Location,
  count: number,
): void {
  const bytes = f.local('v128');
  if (dtype === 'bool') {
    f.get(emitter.mask(id, false)[0]!);
    f.constant(splatBytes('i32', 1));
    f.vector('v128.and');
  } else f.get(emitter.emit(id).locals[0]!);
  f.constant(splatBytes('i32', 0));
  f.vector('i16x8.narrow_i32x4_s');
  f.constant(splatBytes('i32', 0));
  f.vector(dtype === 'i8' ? 'i8x16.narrow_i16x8_s' : 'i8x16.narrow_i16x8_u');
  f.set(bytes);
  const store = (bits: 8 | 32, offset: number, lane: number) => {
    f.get(to.pointer);
    f.get(bytes);
    f.storeLane(bits, offset, lane);
  };
  if (count === lanes) return store(32, to.offset, 0);
  for (let lane = 0; lane < count; lane++) store(8, to.offset + lane, lane);
}
