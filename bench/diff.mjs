// `spikec diff` on networks of 300 layers and on imports of the size of ResNet-50.
//   npm run build && node bench/diff.mjs
// Prints milliseconds, the best of several runs, and what the diff names: the change that was made, nothing else.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { tensor } from '../dist/src/base/dtype.js';
import { diffNetworks, summaryOf } from '../dist/src/diff/index.js';
import { importOnnx } from '../dist/src/frontends/onnx/index.js';
import { NetworkBuilder } from '../dist/src/network/index.js';
import { OnnxBuilder } from '../dist/src/testing/onnx-builder.js';

const random = seeded(1);

console.log('| networks | ops | parameters | diff, ms | says |');
console.log('| --- | --- | --- | --- | --- |');
chains();
resnets();

function row(name, from, to) {
  let best = Infinity;
  let diff;
  for (let i = 0; i < 5; i++) {
    const started = performance.now();
    diff = diffNetworks(from, to);
    best = Math.min(best, performance.now() - started);
  }
  const parameters = [...from.params.values()].reduce((sum, { tensor: { data } }) => sum + data.length, 0);
  console.log(
    `| ${name} | ${from.ops.length} | ${parameters.toLocaleString('en')} | ${best.toFixed(0)} | ${summaryOf(diff)} |`,
  );
}

/** 100 × (conv, relu, identity), with ids that are running numbers. */
function chain(blocks, values) {
  const b = new NetworkBuilder('chain');
  let x = b.add({ id: 'x', kind: 'input', attrs: { shape: [16, 8, 8] } });
  let n = 0;
  for (const block of blocks) {
    const id = `Conv_${n++}`;
    b.param(`${id}.w`, { tensor: tensor('f32', [16, 16, 3, 3], values(block)) });
    const attrs = { kernel: [3, 3], stride: [1, 1], pads: [1, 1, 1, 1], dilation: [1, 1], groups: 1 };
    x = b.add({ id, kind: 'conv', inputs: [x], attrs, params: { weight: `${id}.w` } });
    x = b.add({ id: `Relu_${n++}`, kind: 'relu', inputs: [x] });
    x = b.add({ id: `Identity_${n++}`, kind: 'identity', inputs: [x] });
  }
  return b.finish([x]);
}

function chains() {
  const known = new Map();
  const values = (block) => {
    if (!known.has(block)) known.set(block, numbers(16 * 16 * 9));
    return known.get(block);
  };
  const blocks = Array.from({ length: 100 }, (_, i) => i);
  const base = chain(blocks, values);
  row('300 ops, equal', base, chain(blocks, values));
  row('300 ops, a block inserted at 50', base, chain([...blocks.slice(0, 50), 'new', ...blocks.slice(50)], values));
  row(
    '300 ops, other weights',
    base,
    chain(blocks, () => numbers(16 * 16 * 9)),
  );
}

function resnets() {
  const started = performance.now();
  const bytes = resnet50();
  const base = imported('resnet50.onnx', bytes);
  console.error(`built and imported in ${((performance.now() - started) / 1000).toFixed(1)} s`);
  row('ResNet-50, equal', base, imported('resnet50.onnx', bytes));
  row('ResNet-50, one weight', base, withOtherWeight(base));
  const inserted = imported('resnet50b.onnx', resnet50(6));
  row('ResNet-50, a layer inserted', base, inserted);
  const folder = mkdtempSync(join(tmpdir(), 'spikec-bench-'));
  try {
    const paths = ['a.onnx', 'b.onnx'].map((name) => join(folder, name));
    for (const path of paths) writeFileSync(path, bytes);
    const main = fileURLToPath(new URL('../dist/src/cli/main.js', import.meta.url));
    const begun = performance.now();
    const { status, stdout } = spawnSync(process.execPath, [main, 'diff', ...paths], { encoding: 'utf8' });
    const seconds = ((performance.now() - begun) / 1000).toFixed(1);
    console.log(
      `\nspikec diff of two files of ${(bytes.length / 1e6).toFixed(0)} MB: ${seconds} s, exit code ${status}`,
    );
    console.log(stdout.trim().split('\n').at(-1));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function imported(name, bytes) {
  const { value, diagnostics } = importOnnx({ name, bytes }, {});
  if (value === undefined) throw new Error(diagnostics.map((d) => d.message).join('\n'));
  return value.network;
}

function withOtherWeight(network) {
  const [name, param] = [...network.params][70];
  const data = param.tensor.data.slice();
  data[0] += 0.5;
  return { ...network, params: new Map([...network.params, [name, { tensor: { ...param.tensor, data } }]]) };
}

/** ResNet-50 with folded batch norm; a pool more behind the block `extra`. Weights are the same in every call. */
function resnet50(extra) {
  const b = new OnnxBuilder(17, {});
  const next = seeded(7);
  let count = 0;
  const conv = (x, into, out, k, stride) => {
    const w = b.floats(`w${count}`, [out, into, k, k], numbers(out * into * k * k, next));
    const bias = b.floats(`b${count++}`, [out], numbers(out, next));
    const p = (k - 1) / 2;
    return b.node('Conv', [x, w, bias], { kernel_shape: [k, k], strides: [stride, stride], pads: [p, p, p, p] });
  };
  let x = b.input('image', [1, 3, 224, 224]);
  x = b.node('Relu', [conv(x, 3, 64, 7, 2)]);
  x = b.node('MaxPool', [x], { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] });
  let channels = 64;
  let block = 0;
  for (const [stage, repeats] of [3, 4, 6, 3].entries()) {
    const width = 64 * 2 ** stage;
    for (let i = 0; i < repeats; i++) {
      const stride = i === 0 && stage > 0 ? 2 : 1;
      const a = b.node('Relu', [conv(x, channels, width, 1, 1)]);
      const c = b.node('Relu', [conv(a, width, width, 3, stride)]);
      const main = conv(c, width, 4 * width, 1, 1);
      const side = i === 0 ? conv(x, channels, 4 * width, 1, stride) : x;
      x = b.node('Relu', [b.node('Add', [main, side])]);
      if (block++ === extra) x = b.node('MaxPool', [x], { kernel_shape: [3, 3], pads: [1, 1, 1, 1] });
      channels = 4 * width;
    }
  }
  x = b.node('Flatten', [b.node('GlobalAveragePool', [x])]);
  const w = b.floats('fc.w', [1000, 2048], numbers(1000 * 2048, next));
  b.output(b.node('Gemm', [x, w, b.floats('fc.b', [1000], numbers(1000, next))], { transB: 1 }));
  return b.bytes();
}

function numbers(count, next = random) {
  return Float32Array.from({ length: count }, () => next() - 0.5);
}

function seeded(seed) {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
