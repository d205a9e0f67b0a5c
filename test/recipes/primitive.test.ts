import { afterAll, beforeAll, expect, it } from 'vitest';
import { tensor } from '../../src/base/dtype.js';
import { emitOnnx, onnxEmitters } from '../../src/backends/onnx/index.js';
import { onnxruntimeEngine } from '../../src/engines/onnxruntime.js';
import {
  type PrimKind,
  ProgramBuilder,
  autodiff,
  evaluate,
  ops,
  parseProgram,
  primKinds,
  printProgram,
  simplify,
} from '../../src/tensor/index.js';
import type { OpDef } from '../../src/tensor/ops/def.js';

// A primitive: a row of the table (shape rule, evaluator, gradient) and one in each backend.

const table = ops as Record<string, OpDef<unknown>>;
const kinds = primKinds as unknown as string[];
const emitters = onnxEmitters as unknown as Record<string, (typeof onnxEmitters)['abs']>;

beforeAll(() => {
  table['cube'] = {
    arity: 1,
    attrs: [],
    doc: 'x³',
    infer: ([x]) => ({ dtype: x!.dtype, shape: x!.shape }),
    evaluate: ([x], { dtype, shape }) =>
      tensor(
        dtype,
        shape,
        Array.from(x!.data, (v) => v ** 3),
      ),
    gradient: ({ b, inputs: [x], grad }) => [b.mul(grad, b.mul(b.mul(x!, x!), 3))],
  };
  kinds.push('cube');
  emitters['cube'] = ({ w, names, out }) => w.node('Mul', [names[0]!, w.node('Mul', [names[0]!, names[0]!])], {}, out);
});
afterAll(() => {
  delete table['cube'];
  kinds.pop();
  delete emitters['cube'];
});

function program() {
  const b = new ProgramBuilder('cubes');
  const x = b.input('x', 'f32', [{ batch: 1 }, 3]);
  const y = b.op('cube' as PrimKind, [x], {});
  b.output('y', y);
  b.output('loss', b.sumAll(y));
  return b.build();
}
const x = tensor('f32', [2, 3], [1, -2, 3, 0.5, 0, 4]);
const cubes = [1, -8, 27, 0.125, 0, 64];

it('a new primitive prints, is read, and is evaluated by the reference', () => {
  const text = printProgram(program());
  expect(text).toContain('cube');
  const { value, diagnostics } = parseProgram({ name: 'cubes.tensor', text });
  expect(diagnostics).toEqual([]);
  expect(printProgram(value!)).toBe(text);
  expect([...evaluate(simplify(program()), { x })['y']!.data]).toEqual(cubes);
});

it('a new primitive has the gradient of its row', () => {
  const b = new ProgramBuilder('step');
  const w = b.param('w', tensor('f32', [3], [1, -2, 3]));
  b.output('loss', b.sumAll(b.op('cube' as PrimKind, [w], {})));
  const forward = b.build();
  const { program: step } = autodiff(forward, forward.outputs['loss']!, ['w']);
  expect([...evaluate(step, {})['grad.w']!.data]).toEqual([3, 12, 27]);
});

it('a new primitive runs in onnxruntime by its emitter', async () => {
  expect(emitOnnx(program()).length).toBeGreaterThan(0);
  const opened = await onnxruntimeEngine.open(program());
  const run = await opened.step({ x });
  expect([...run['y']!.data]).toEqual(cubes);
  await opened.dispose();
});
