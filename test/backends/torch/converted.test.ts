import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { tensor } from '../../../src/base/dtype.js';
import { driver } from '../../../src/commands/index.js';
import { evaluate } from '../../../src/tensor/index.js';
import { OnnxBuilder } from '../../../src/testing/onnx-builder.js';
import { inferenceProgram } from '../../../src/workspace/artifacts.js';
import { Findings } from '../../../src/workspace/findings.js';
import { openTarget } from '../../../src/workspace/open.js';
import { hasTorch, readTensors, runPython, writeTensors } from '../../support/pytorch.js';
import { seeded } from '../../support/random-network.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

/** Two linear layers with a bias, and a function of what the first gives, which is a table of its codes. */
function quantisedSigmoid(): Uint8Array<ArrayBuffer> {
  const next = seeded(4);
  const b = new OnnxBuilder(13);
  b.input('image', ['N', 8]);
  const zero = b.constant('zero', { type: 'uint8', dims: [], values: [0] });
  const quantised = (value: string, name: string, size: number): string => {
    const scale = b.floats(name, [], [size]);
    return b.node('DequantizeLinear', [b.node('QuantizeLinear', [value, scale, zero]), scale, zero]);
  };
  const drawn = (name: string, dims: readonly number[]): string =>
    b.floats(
      name,
      dims,
      Array.from({ length: dims.reduce((a, n) => a * n, 1) }, () => next() - 0.5),
    );
  const sums = b.node('Gemm', [quantised('image', 's0', 1 / 64), drawn('w0', [6, 8]), drawn('b0', [6])], { transB: 1 });
  const table = quantised(b.node('Sigmoid', [sums]), 's1', 1 / 200);
  b.output(b.node('Gemm', [table, drawn('w1', [3, 6]), drawn('b1', [3])], { transB: 1 }));
  return Uint8Array.from(b.bytes());
}

const run = `
from safetensors.torch import load_file, save_file
from model import Network
import torch
network = Network()
network.load_state_dict(load_file("weights.safetensors"), strict=True)
network.eval()
with torch.no_grad():
    save_file({"y": network(load_file("x.safetensors")["x"]).contiguous()}, "y.safetensors")
`;

it.skipIf(!hasTorch)(
  '`convert --emit torch` writes the converted network op by op, tables of sums too: what the reference evaluator gives',
  async () => {
    const folder = temporaryFolder();
    const onnx = join(folder, 'sigmoid.onnx');
    writeFileSync(onnx, quantisedSigmoid());
    const outDir = join(folder, 'out');
    const { value } = await driver.convertOnnx(onnx, { coding: 'sws', outDir, emit: ['ir', 'torch'] });
    const program = inferenceProgram(openTarget({ path: outDir }, {}, new Findings()).compiled({}).network);
    expect(program.ops.some(({ kind }) => kind === 'lookup')).toBe(true);
    expect(value!.files).toEqual(expect.arrayContaining(['torch/model.py', 'torch/layers.py', 'torch/README.md']));
    const next = seeded(9);
    const x = tensor(
      'f32',
      [5, 8],
      Float32Array.from({ length: 40 }, () => next() * 4),
    );
    const wanted = Object.values(evaluate(program, { [program.inputs[0]!.id]: x }))[0]!;
    const torch = join(outDir, 'torch');
    writeTensors(torch, 'x.safetensors', { x });
    runPython(torch, ['-c', run]);
    const found = readTensors(readFileSync(join(torch, 'y.safetensors'))).get('y')!;
    expect(new Set(wanted.data).size).toBe(15);
    wanted.data.forEach((logit, i) => expect(found.data[i]).toBeCloseTo(logit, 5));
  },
  240_000,
);
