// Valid inputs of every format, which mutate.mjs damages. Each is a list of files; `target` is the one that is damaged.
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { driver } from '../dist/src/commands/index.js';
import { libraryFolder } from '../dist/src/workspace/files.js';
import { OnnxBuilder } from '../dist/src/testing/onnx-builder.js';
import { importHdf5 } from '../dist/src/data/packages.js';
import { labelledHdf5, recordingSeeds, sampleSeeds } from './data-seeds.mjs';
import { idx, npy, wave, zip } from './files.mjs';

/** Networks as builders, so that their graphs can be damaged before they are bytes. */
export const onnxGraphs = [
  () => {
    const b = new OnnxBuilder(13);
    b.input('x', ['N', 1, 8, 8]);
    let x = b.fakeQuant('x', 0.05, 128);
    x = b.node('Conv', [x, b.floats('w', [2, 1, 3, 3], wave(18)), b.floats('b', [2], [0.1, -0.1])], {
      pads: [1, 1, 1, 1],
    });
    x = b.fakeQuant(b.node('Relu', [x]), 0.05, 0);
    x = b.node('MaxPool', [x], { kernel_shape: [2, 2], strides: [2, 2] });
    x = b.node('Reshape', [x, b.ints('shape', [0, -1])]);
    b.output(b.node('Gemm', [x, b.floats('v', [4, 32], wave(128))], { transB: 1 }));
    return b;
  },
  () => {
    const b = new OnnxBuilder(17);
    b.input('x', [2, 3, 6, 6]);
    let x = b.node('Pad', ['x', b.ints('pads', [0, 0, 1, 1, 0, 0, 1, 1])]);
    x = b.node('Conv', [x, b.floats('w', [4, 3, 3, 3], wave(108))], { strides: [2, 2] });
    const bn = ['g', 'b', 'm', 'v'].map((name) => b.floats(name, [4], [0.5, 1, 1.5, 2]));
    const y = b.node('Relu', [b.node('BatchNormalization', [x, ...bn], { epsilon: 1e-5 })]);
    x = b.node('Concat', [b.node('Add', [y, b.node('Mul', [y, b.scalar('c', 'float', 0.5)])]), y], { axis: 1 });
    x = b.node('AveragePool', [x], { kernel_shape: [2, 2], ceil_mode: 1 });
    x = b.node('Flatten', [b.node('Clip', [x, b.scalar('lo', 'float', 0), b.scalar('hi', 'float', 6)])]);
    b.output(b.node('Softmax', [b.node('MatMul', [x, b.floats('w2', [32, 3], wave(96))])]));
    return b;
  },
  () => {
    const b = new OnnxBuilder(13);
    b.input('x', ['N', 6]);
    const zero = b.scalar('z', 'uint8', 7);
    const codes = b.node('QuantizeLinear', ['x', b.scalar('s', 'float', 0.1), zero]);
    const w = b.constant('w', { type: 'int8', dims: [6, 3], values: Array.from({ length: 18 }, (_, i) => i - 9) });
    const product = b.node('Cast', [b.node('MatMulInteger', [codes, w, zero])], { to: 1 });
    const x = b.node('Mul', [product, b.scalar('f', 'float', 0.01)]);
    b.output(b.node('Transpose', [b.node('Transpose', [x], { perm: [0, 1] })], { perm: [0, 1] }));
    return b;
  },
];

const model = `use "spikec/neurons" { LIF, PLIF }
neuron Own(theta = 1, tau = learn(2)) {
  state u = 0
  charge u = u + (x - u) / tau
  fire s = u >= theta
  reset u = where(s != 0, 0, u)
  surrogate rectangle(width: 1)
}
block Res(n: int) { input x  output x | conv(n, kernel: 3) | batchnorm | spike }
network N { input image: real[1, 8, 8]
  a = image | conv(4, kernel: 3, stride: 2) | batchnorm | spike
  b = a | conv(4, kernel: 3) | batchnorm
  output a + b | spike | avgpool(2) | flatten | linear(4) }
config c { network N neuron Own coding direct(steps: 3)
  train { data mnist optimizer sgd(lr: 1e-2) batch 4 epochs 1 seed 1 } }
config d { network N neuron LIF(tau: 2) coding direct(steps: 2) }
network F { input image: real[1, 6, 6]
  output image | conv(2, kernel: 3) | spike | avgpool(2) | flatten | linear(4) | spike }
config f { network F neuron LIF(tau: 2) coding direct(steps: 2) }
`;

/** Trainings whose checkpoints have all that a checkpoint may have: averages, learned bits with what renews and settles them, numbers as labels. */
const trainings = [
  model.replace(
    'sgd(lr: 1e-2) batch 4',
    'sgd(lr: 1e-2, momentum: 0.9) schedule plateau(patience: 1) average ema(decay: 0.9) validation 0.25 augment [flip, crop(padding: 1)] batch 4',
  ),
  `use "spikec/neurons" { Refined }
network N { input image: real[1, 8, 8]
  output image | conv(2, kernel: 3, stride: 2) | batchnorm | spike | flatten | linear(4) }
config c { network N neuron Refined coding direct(steps: 2)
  bits { weights learn(init: 4, max: 6, target: 2) spikes learn(init: 4, max: 6, target: 2) settle 0.5 renewal all }
  train { data mnist optimizer adam(lr: 1e-2) batch 4 epochs 1 seed 1 } }
`,
  `use "spikec/neurons" { LIF, LI }
network N { input image: real[1, 8, 8]
  h = image | flatten | linear(6) | spike
  output h | linear(64) | spike(LI) }
config c { network N neuron LIF(tau: 2, theta: 0.5) coding direct(steps: 2)
  train { data mnist target reconstruction optimizer adamw(lr: 1e-2) clip norm(max: 1) batch 4 epochs 1 seed 1 } }
`,
];

/** The files of a compiled or run folder, by name. */
async function compiled(work) {
  const folder = mkdtempSync(join(tmpdir(), 'spikec-fuzz-seed-'));
  try {
    await work(folder);
    return readdirSync(folder, { withFileTypes: true, recursive: true })
      .filter((entry) => entry.isFile())
      .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
      .map((name) => ({ name, bytes: readFileSync(join(folder, name)) }));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** An HDF5 file of images and labels. */
async function hdf5Bytes() {
  const library = await importHdf5('seeds');
  const [{ bytes }] = await compiled((folder) => labelledHdf5(library, join(folder, 'a.h5')));
  return bytes;
}

/** Inside of a folder with images and labels. */
export const trainOptions = { data: 'idx:images,labels', run: 'run', threads: 1 };

/** Seeds by format. */
export async function seeds() {
  const own = await compiled(async (folder) => {
    writeFileSync(join(folder, 'n.spike'), model);
    const { diagnostics, value } = await driver.compileTarget(
      { path: join(folder, 'n.spike'), config: 'c' },
      { emit: ['ir', 'json'], outDir: join(folder, '.') },
    );
    if (value === undefined) throw new Error(diagnostics.map(({ message }) => message).join('\n'));
  });
  const converted = await compiled(async (folder) => {
    mkdirSync(join(folder, 'from'));
    const file = join(folder, 'from', 'net.onnx');
    writeFileSync(file, onnxGraphs[0]().bytes());
    const { diagnostics, value } = await driver.convertOnnx(file, { coding: 'sws', steps: 8, outDir: folder });
    if (value === undefined) throw new Error(diagnostics.map(({ message }) => message).join('\n'));
  });
  const nir = await compiled(async (folder) => {
    writeFileSync(join(folder, 'n.spike'), model);
    const { diagnostics, value } = await driver.compileTarget(
      { path: join(folder, 'n.spike'), config: 'f' },
      { emit: ['nir'], outDir: join(folder, 'net') },
    );
    if (value === undefined) throw new Error(diagnostics.map(({ message }) => message).join('\n'));
  });
  const digits = [
    { name: 'images', bytes: idx(8, [8, 8, 8], new Uint8Array(512).fill(7)) },
    { name: 'labels', bytes: idx(8, [8], [0, 1, 2, 3, 0, 1, 2, 3]) },
  ];
  const trainedBy = (text) =>
    compiled(async (folder) => {
      for (const { name, bytes } of [...digits, { name: 'n.spike', bytes: text }]) {
        writeFileSync(join(folder, name), bytes);
      }
      // the data set's name is part of what a training is
      const from = process.cwd();
      process.chdir(folder);
      const target = { path: 'n.spike', config: 'c' };
      const { diagnostics, value } = await driver.trainTarget(target, trainOptions).finally(() => process.chdir(from));
      if (value === undefined) throw new Error(diagnostics.map(({ message }) => message).join('\n'));
    });
  const trained = await trainedBy(model);
  const runs = [];
  for (const text of trainings) runs.push(await trainedBy(text));
  // a write that was interrupted behind its journal: one file has taken its place, one hasn't
  const staged = 'weights.safetensors.4194305-0-1.spikec.tmp';
  const journal = [
    { name: 'network.ir', temporary: 'network.ir.4194305-0-0.spikec.tmp' },
    { name: 'weights.safetensors', temporary: staged },
  ];
  const interrupted = own.map(({ name, bytes }) => ({ name: name === 'weights.safetensors' ? staged : name, bytes }));
  interrupted.push({ name: '.spikec-journal.json', bytes: Buffer.from(JSON.stringify({ format: 1, files: journal })) });
  const folders = [own, converted];
  const member = (name) => folders.map((files) => ({ target: name, files }));
  const images = npy('<f4', [4, 1, 8, 8], wave(256));
  const labels = npy('<i4', [4], Int32Array.of(0, 1, 2, 3));
  const single = (name, bytes, spec) => ({ target: name, files: [{ name, bytes }], spec });
  const library = readFileSync(join(libraryFolder(), 'neurons.spike'));
  return {
    spike: [single('n.spike', Buffer.from(model)), single('n.spike', library)],
    onnx: onnxGraphs.map((graph) => single('net.onnx', Buffer.from(graph().bytes()))),
    ir: member('network.ir'),
    safetensors: member('weights.safetensors'),
    json: member('manifest.json'),
    log: [{ target: 'run/log.jsonl', files: trained }],
    run: [{ target: 'run/run.json', files: trained }],
    checkpoint: [{ target: 'run/checkpoint/state.safetensors', files: trained }],
    folder: runs.map((files) => ({ target: 'run', files })),
    journal: [{ target: '.spikec-journal.json', files: interrupted }],
    npy: ['images.npy', 'labels.npy'].map((target) => ({
      target,
      files: [
        { name: 'images.npy', bytes: images },
        { name: 'labels.npy', bytes: labels },
      ],
    })),
    nir: [single('net.nir', nir.find(({ name }) => name.endsWith('.nir')).bytes)],
    events: recordingSeeds(),
    samples: sampleSeeds(await hdf5Bytes()),
    npz: [single('d.npz', zip({ 'images.npy': images, 'labels.npy': labels }), 'npz:@/d.npz')],
    idx: [
      {
        target: 'images',
        spec: 'idx:@/images,@/labels',
        files: [
          { name: 'images', bytes: idx(8, [4, 8, 8], new Uint8Array(256).fill(7)) },
          { name: 'labels', bytes: idx(8, [4], [0, 1, 2, 3]) },
        ],
      },
    ],
  };
}
