import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type * as TensorFlow from '@tensorflow/tfjs';
import { expect, it } from 'vitest';
import { decodeSafetensors } from '../../src/base/safetensors.js';
import { driver } from '../../src/commands/index.js';
import { loadTensorFlow } from '../../src/engines/tfjs.js';
import { tinyModel } from '../support/train.js';

type Tf = typeof TensorFlow;
type Tensors = Record<string, TensorFlow.Tensor>;
interface Module {
  readonly inputs: { readonly step: Record<string, string>; readonly predict: Record<string, string> };
  init(tf: Tf, weights: object): Tensors;
  step(tf: Tf, state: Tensors, batch: Tensors, options: { learningRate: number; step: number }): Tensors;
  predict(tf: Tf, state: Tensors, batch: Tensors): Tensors;
}

it('--emit tfjs writes a module that trains the network by itself', async () => {
  const outDir = mkdtempSync(join(tmpdir(), 'spikec-'));
  const target = { path: 'examples/write-a-network/mnist.spike', config: 'lif' };
  const { value, diagnostics } = await driver.compileTarget(target, { emit: ['tfjs'], outDir });
  expect(diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
  expect(value!.files).toEqual(expect.arrayContaining(['train.mjs', 'train.safetensors', 'manifest.json']));
  const tf = await loadTensorFlow('wasm');
  const module = (await import(pathToFileURL(join(outDir, 'train.mjs')).href)) as Module;
  expect(module.inputs.step).toEqual({ image: 'f32[N,1,28,28]', labels: 'i32[N]' });
  expect(module.inputs.predict).toEqual({ image: 'f32[N,1,28,28]' });
  const weights = decodeSafetensors(
    new Uint8Array(readFileSync(join(outDir, 'train.safetensors'))),
    'train.safetensors',
  );
  const state = module.init(tf, Object.fromEntries(weights.value!.tensors));
  const n = 12;
  // Two kinds of images: the upper half bright, or the lower.
  const pixels = Float32Array.from({ length: n * 784 }, (_, i) =>
    i % 784 < 392 === (Math.floor(i / 784) % 2 === 0) ? 1 : 0,
  );
  const batch = {
    image: tf.tensor(pixels, [n, 1, 28, 28]),
    labels: tf.tensor(
      Int32Array.from({ length: n }, (_, i) => i % 2),
      [n],
      'int32',
    ),
  };
  const losses: number[] = [];
  for (let step = 1; step <= 5; step++) {
    const results = module.step(tf, state, batch, { learningRate: 2e-3, step });
    losses.push(results['loss']!.dataSync()[0]!);
    tf.dispose(results);
  }
  expect(losses[0]).toBeGreaterThan(1.5);
  expect(losses.at(-1)).toBeLessThan(0.7 * losses[0]!);
  const [logits] = Object.values(module.predict(tf, state, batch));
  expect(logits!.shape).toEqual([n, 10]);
  tf.dispose([state, batch, logits!] as never);
  rmSync(outDir, { recursive: true });
});

it('the example that uses the module alone learns', async () => {
  const outDir = mkdtempSync(join(tmpdir(), 'spikec-'));
  try {
    // TensorFlow.js in plain JavaScript is slow: smaller images than the example's
    const path = join(outDir, 'tiny.spike');
    writeFileSync(path, tinyModel({ train: 'optimizer adam(lr: 2e-3)' }));
    await driver.compileTarget({ path }, { emit: ['tfjs'], outDir });
    const example = 'examples/write-a-network/train-module.mjs';
    const { stdout, status } = spawnSync(process.execPath, [example, outDir], { encoding: 'utf8' });
    expect(status).toBe(0);
    const losses = [...stdout.matchAll(/loss (\S+)/g)].map((match) => Number(match[1]));
    expect(losses).toHaveLength(5);
    expect(losses.at(-1)).toBeLessThan(0.9 * losses[0]!);
  } finally {
    rmSync(outDir, { recursive: true });
  }
});
