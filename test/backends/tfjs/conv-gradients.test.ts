import type * as TensorFlow from '@tensorflow/tfjs';
import { expect, it } from 'vitest';
import { emitTfjsProgram } from '../../../src/backends/tfjs/index.js';
import { type Tensor, tensor } from '../../../src/base/dtype.js';
import { loadTensorFlow } from '../../../src/engines/tfjs.js';
import { ProgramBuilder, evaluate } from '../../../src/tensor/index.js';

interface Module {
  run(tf: typeof TensorFlow, given: Record<string, TensorFlow.Tensor>): Record<string, TensorFlow.Tensor>;
}

const wave = (shape: readonly number[], by: number): Tensor => {
  const count = shape.reduce((a, b) => a * b, 1);
  return tensor(
    'f32',
    shape,
    Float32Array.from({ length: count }, (_, i) => Math.sin(by * i + 1)),
  );
};

/** Both gradients of a convolution of 4 to 6 channels. */
function gradients(kernel: number, stride: number, pads: readonly number[], dilation: number, groups: number) {
  const b = new ProgramBuilder('gradients');
  const attrs = { stride: [stride, stride], pads, dilation: [dilation, dilation], groups };
  const x = b.input('x', 'f32', [{ batch: 1 }, 4, 7, 7]);
  const w = b.input('w', 'f32', [6, 4 / groups, kernel, kernel]);
  const y = b.conv2d(x, w, attrs);
  const g = b.mul(y, y);
  b.output('gx', b.conv2dInputGrad(w, g, { ...attrs, input: [7, 7] }));
  b.output('gw', b.conv2dWeightGrad(x, g, { ...attrs, kernel: [kernel, kernel] }));
  const feeds = { x: wave([2, 4, 7, 7], 0.3), w: wave([6, 4 / groups, kernel, kernel], 0.7) };
  return { program: b.build(), feeds };
}

const forms = [
  ['plain', gradients(3, 1, [1, 1, 1, 1], 1, 1), 2],
  ['with strides that leave rows over', gradients(2, 2, [0, 0, 0, 0], 1, 1), 2],
  ['with asymmetric pads', gradients(3, 2, [1, 0, 2, 1], 1, 1), 2],
  ['dilated', gradients(3, 1, [1, 1, 1, 1], 2, 1), 0],
  ['in groups', gradients(3, 1, [1, 1, 1, 1], 1, 2), 0],
] as const;

it.each(forms)(
  '%s: by the kernels of a backend that has them and by other operations alike',
  async (_, form, kernels) => {
    const { program, feeds } = form;
    const tf = await loadTensorFlow('cpu');
    const text = emitTfjsProgram(program);
    const module = (await import(`data:text/javascript,${encodeURIComponent(text)}`)) as Module;
    const expected = evaluate(program, feeds);
    for (const own of [false, true]) {
      const run: string[] = [];
      // a backend of another name, whose kernels are cpu's
      const engine = {
        runKernel: (...args: Parameters<ReturnType<typeof tf.engine>['runKernel']>) => {
          run.push(args[0]);
          return tf.engine().runKernel(...args);
        },
      };
      const other = { ...tf, getBackend: () => 'other', getKernel: () => ({}), engine: () => engine };
      const before = tf.memory().numTensors;
      const given = Object.fromEntries(
        Object.entries(feeds).map(([id, { data, shape }]) => [id, tf.tensor(data as Float32Array, [...shape])]),
      );
      const found = module.run(own ? (other as never) : tf, given);
      expect(run).toEqual(own ? ['Conv2DBackpropInput', 'Conv2DBackpropFilter'].slice(0, kernels) : []);
      for (const name of ['gx', 'gw']) {
        const values = found[name]!.dataSync();
        expected[name]!.data.forEach((v: number, i: number) => expect(values[i]).toBeCloseTo(v, 3));
      }
      tf.dispose([found, given] as never);
      expect(tf.memory().numTensors).toBe(before);
    }
  },
);
