import { type DType, type Tensor, elementCount } from '../../../src/base/dtype.js';
import { type Dim, type Program, ProgramBuilder, type Value } from '../../../src/tensor/index.js';

export interface RandomOptions {
  readonly random: () => number;
  readonly inner: readonly number[];
  /** Steps of time folded into the batch. */
  readonly steps: number;
  readonly ops: number;
  /** Adds convolution-like work between the element-wise ops. */
  readonly heavy?: boolean;
}

const stored: readonly DType[] = ['f32', 'f64', 'i32', 'i8', 'u8', 'bool'];
const arithmetic: readonly DType[] = ['f32', 'f64', 'i32'];

/** A program of random element-wise ops, casts and movements along time, with several outputs. */
export function randomProgram({ random, inner, steps, ops, heavy = false }: RandomOptions): Program {
  const b = new ProgramBuilder('random');
  const pick = <T>(choices: readonly T[]): T => choices[Math.floor(random() * choices.length)]!;
  const step: readonly Dim[] = [{ batch: 1 }, ...inner];
  const pool: Value[] = [];
  for (const dtype of stored) {
    if (random() < 0.4 && pool.length > 0) continue;
    const train = b.input(`in_${dtype}`, dtype, [{ batch: steps }, ...inner]);
    for (let t = 0; t < steps; t++) pool.push(b.sliceAxis(train, 0, t, t + 1));
  }
  const constants = stored.map((dtype) => b.param(`p_${dtype}`, randomConstant(dtype, inner, random)));
  const operand = (dtype: DType, needsBatch: boolean): Value => {
    const known = pool.filter((value) => value.dtype === dtype);
    if (known.length === 0) return b.cast(pick(pool), dtype);
    const choice = random();
    if (needsBatch || choice < 0.6) return pick(known);
    if (choice < 0.8) return constants.find((value) => value.dtype === dtype)!;
    return b.scalar(dtype, dtype === 'bool' ? Math.floor(random() * 2) : Math.floor(random() * 5));
  };
  for (let i = 0; i < ops; i++) pool.push(randomOp(b, pick, operand, pool));
  if (heavy) pool.push(...heavyOps(b, pick, pool));
  for (let i = 0; i < ops / 2; i++) pool.push(randomOp(b, pick, operand, pool));
  pool.slice(-4).forEach((value, i) => b.output(`last${i}`, value));
  for (const dtype of stored) {
    const parts = pool.filter((v) => v.dtype === dtype && v.shape.length === step.length).slice(-3);
    if (parts.length > 1) b.output(`train_${dtype}`, b.concat(parts, 0));
  }
  return b.build();
}

function randomOp(
  b: ProgramBuilder,
  pick: <T>(choices: readonly T[]) => T,
  operand: (dtype: DType, needsBatch: boolean) => Value,
  pool: readonly Value[],
): Value {
  const dtype = pick(arithmetic);
  const binary = (): [Value, Value] => [operand(dtype, true), operand(dtype, false)];
  const kind = pick([
    'unary',
    'unary',
    'binary',
    'binary',
    'binary',
    'compare',
    'compare',
    'logic',
    'select',
    'cast',
  ] as const);
  switch (kind) {
    case 'unary': {
      const op = pick(['neg', 'abs', 'sign', 'floor', 'round', 'sqrt'] as const);
      const float = dtype === 'i32' && op !== 'neg' && op !== 'abs' && op !== 'sign' ? 'f32' : dtype;
      const x = operand(float, true);
      return op === 'sqrt' ? b.op('sqrt', [b.op('abs', [x], {})], {}) : b.op(op, [x], {});
    }
    case 'binary': {
      const op = pick(['add', 'sub', 'mul', 'div', 'min', 'max'] as const);
      const [x, y] = binary();
      if (op === 'div') {
        // The reference rounds −0.3 to +0, kernels to −0: no infinities of either sign.
        return b.op('div', [x, b.select(b.op('ne', [y, b.scalar(dtype, 0)], {}), y, b.scalar(dtype, 3))], {});
      }
      if (dtype !== 'i32') return b.op(op, [x, y], {});
      // Kept small: overflow is not defined alike everywhere.
      const bounded = b.op('min', [b.op('max', [x, b.scalar('i32', -999)], {}), b.scalar('i32', 999)], {});
      return b.op(
        op,
        [bounded, b.op('min', [b.op('max', [y, b.scalar('i32', -999)], {}), b.scalar('i32', 999)], {})],
        {},
      );
    }
    case 'compare':
      return b.op(pick(['eq', 'ne', 'lt', 'le', 'gt', 'ge'] as const), binary(), {});
    case 'logic': {
      const x = operand('bool', true);
      const op = pick(['and', 'or', 'not'] as const);
      return op === 'not' ? b.op('not', [x], {}) : b.op(op, [x, operand('bool', false)], {});
    }
    case 'select':
      return b.op('select', [operand('bool', true), operand(dtype, false), operand(dtype, false)], {});
    case 'cast': {
      const target = pick(stored);
      return b.op('cast', [pick(pool)], { to: target });
    }
  }
}

/** Values under another shape, and pooled ones, come back into the pool's shape. */
function heavyOps(b: ProgramBuilder, pick: <T>(choices: readonly T[]) => T, pool: readonly Value[]): Value[] {
  const floats = pool.filter((value) => value.dtype === 'f32' && value.shape.length === 4);
  if (floats.length === 0) return [];
  const x = pick(floats);
  const window = { kernel: [3, 3], stride: [1, 1], pads: [1, 1, 1, 1] };
  // Infinities and NaN under a pool are not alike everywhere.
  const tame = b.select(b.op('le', [b.op('abs', [x], {}), b.scalar('f32', 1000)], {}), x, b.scalar('f32', 0));
  const pooled = b.op('maxpool', [tame], window);
  const flat = b.reshape(x, [{ batch: 1 }, x.shape.slice(1).reduce<number>((n, d) => n * (d as number), 1)]);
  return [pooled, b.reshape(b.op('abs', [flat], {}), x.shape)];
}

/** Of one of the shapes that broadcast to `inner`. */
function randomConstant(dtype: DType, inner: readonly number[], random: () => number): Tensor {
  const shape = inner.map((size) => (random() < 0.5 ? size : 1));
  const lead = Math.floor(random() * (shape.length + 1));
  const full = random() < 0.3 ? [1, ...shape] : shape.slice(random() < 0.5 ? 0 : lead);
  const count = elementCount(full);
  const whole = dtype === 'f32' || dtype === 'f64' ? 8 : 1;
  const values = Array.from({ length: count }, () => Math.floor(random() * 8 * whole) / whole);
  const data = {
    f32: Float32Array,
    f64: Float64Array,
    i32: Int32Array,
    i8: Int8Array,
    u8: Uint8Array,
    bool: Uint8Array,
  };
  return { dtype, shape: full, data: data[dtype].from(dtype === 'bool' ? values.map((v) => v & 1) : values) } as Tensor;
}
