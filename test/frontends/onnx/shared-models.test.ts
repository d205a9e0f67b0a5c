import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { compareWithOnnxruntime, imported, randomFloats } from './harness.js';

const folder = join(import.meta.dirname, '../../../../shared/models');
const present = existsSync(folder);
if (!present) console.warn(`skipped: tests on trained networks, ${folder} is absent`);

// onnxruntime's uint8×int8 kernels add in saturating 16 bits on x86 processors without VNNI
const cpu = existsSync('/proc/cpuinfo') ? readFileSync('/proc/cpuinfo', 'utf8') : '';
const saturates = process.arch === 'x64' && !/vnni/.test(cpu);
if (saturates) console.warn('skipped: numbers of QLinear networks; onnxruntime is not exact on this processor');

const files: Readonly<Record<string, { shape: readonly number[]; quantisers: number; synapses: number }>> = {
  'lenet5-avgpool-mnist.fp32': { shape: [1, 28, 28], quantisers: 0, synapses: 5 },
  'lenet5-avgpool-mnist.qdq': { shape: [1, 28, 28], quantisers: 5, synapses: 5 },
  'lenet5-maxpool-mnist.fp32': { shape: [1, 28, 28], quantisers: 0, synapses: 5 },
  'lenet5-maxpool-mnist.qdq': { shape: [1, 28, 28], quantisers: 5, synapses: 5 },
  'lenet5-maxpool-mnist.qop': { shape: [1, 28, 28], quantisers: 5, synapses: 5 },
  'resnet20-cifar10.fp32': { shape: [3, 32, 32], quantisers: 0, synapses: 22 },
  'resnet20-cifar10.qdq': { shape: [3, 32, 32], quantisers: 32, synapses: 22 },
  'resnet20-cifar10.qop': { shape: [3, 32, 32], quantisers: 32, synapses: 22 },
  'vgg7-cifar10.fp32': { shape: [3, 32, 32], quantisers: 0, synapses: 8 },
  'vgg7-cifar10.qdq': { shape: [3, 32, 32], quantisers: 8, synapses: 8 },
};

const read = (name: string): Buffer => readFileSync(join(folder, `${name}.onnx`));

describe.skipIf(!present)('trained networks', () => {
  for (const [name, { shape, quantisers, synapses }] of Object.entries(files)) {
    it.skipIf(saturates && name.endsWith('.qop'))(
      `every op of ${name} computes what onnxruntime computes`,
      async () => {
        const input = randomFloats(5, shape[0]! * shape[1]! * shape[2]!, 2);
        const { network, compared, ties } = await compareWithOnnxruntime(read(name), input, { tolerance: 2e-5 });
        const kinds = network.network.ops.map((op) => op.kind);
        expect(kinds.filter((kind) => kind === 'quantize')).toHaveLength(quantisers);
        expect(kinds.filter((kind) => kind === 'conv' || kind === 'linear')).toHaveLength(synapses);
        expect(compared).toBeGreaterThan(synapses);
        expect(ties).toBeLessThan(20);
        expect(network.sourceInputs).toEqual([{ name: 'input', shape, batch: undefined, dtype: 'f32' }]);
        expect(network.sourceOutput).toEqual({ name: 'logits', logits: 'logits' });
      },
    );
  }

  it.each(['lenet5-maxpool-mnist', 'resnet20-cifar10'])(
    '%s has the same quantisers and weights in both forms',
    (name) => {
      const layers = (form: string): unknown[] => {
        const { network } = imported(read(`${name}.${form}`));
        return network.ops
          .filter((op) => ['quantize', 'conv', 'linear', 'maxpool', 'globalavgpool', 'add'].includes(op.kind))
          .map((op) => {
            const weight = network.params.get(op.params['weight'] ?? '');
            const bias = network.params.get(op.params['bias'] ?? '');
            return {
              kind: op.kind,
              attrs: op.attrs,
              type: op.type,
              weight: weight && { quant: weight.quant, codes: [...weight.tensor.data] },
              bias: bias?.tensor.data.length,
            };
          })
          .sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
      };
      expect(layers('qop')).toEqual(layers('qdq'));
    },
  );

  it('ids come from the names of the modules', () => {
    const ids = imported(read('resnet20-cifar10.qdq')).network.ops.map((op) => op.id);
    expect(ids.slice(0, 10)).toMatchInlineSnapshot(`
      [
        "input",
        "input.quant",
        "stem.c",
        "Relu",
        "Relu.quant",
        "b.0.a.c",
        "b.0.Relu",
        "b.0.Relu.quant",
        "b.0.b.c",
        "b.0.b.c.quant",
      ]
    `);
  });
});
