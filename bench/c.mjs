// Emitted C beside the engines: predictions on a data set, and processor time an image on one core.
//   npm run bench -- c TARGET … --data mnist:test --limit 10000
//   npm run bench -- c TARGET … --data cifar10:test --data-dir ../shared/data --speed
// A target is what every command takes: FILE#CONFIG, a run folder, a compiled one. Predictions are compared with --engine
// (default: native), times with the onnxruntime engine on one thread, batches of --batch images. --from N begins at image N; --flags
// are the compiler's. "/ packed" is flash by what the weights have in bits; RAM measured is what the compiler put into .data and .bss.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { emitC } from '../dist/src/backends/c/index.js';
import { openDataset, readBatch } from '../dist/src/data/index.js';
import { engineNamed } from '../dist/src/engines/index.js';
import { lower } from '../dist/src/lower/program/index.js';
import { simplify } from '../dist/src/tensor/index.js';
import { Findings } from '../dist/src/workspace/findings.js';
import { openTarget } from '../dist/src/workspace/open.js';

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    data: { type: 'string', default: 'mnist:test' },
    'data-dir': { type: 'string' },
    limit: { type: 'string', default: '10000' },
    from: { type: 'string', default: '0' },
    flags: { type: 'string', default: '-O3 -march=native' },
    mean: { type: 'string' },
    std: { type: 'string' },
    engine: { type: 'string', default: 'native' },
    batch: { type: 'string', default: '100' },
    speed: { type: 'boolean', default: false },
    seconds: { type: 'string', default: '600' },
    planes: { type: 'boolean', default: false },
  },
});
const batch = Number(options.batch);
const numbers = (text) => text?.split(',').map(Number);

const mainOf = (stem, size, outputs) => `#include "${stem}.h"
#include <stdio.h>
#include <time.h>
static float images[${batch}][${size}], logits[${batch}][${outputs}];
int main(int argc, char **argv) {
  int rounds = argc > 1 ? argv[1][0] - '0' : 1;
  size_t n, i;
  (void)argv;
  while ((n = fread(images, sizeof images[0], ${batch}, stdin)) > 0) {
    clock_t start = clock();
    int round;
    for (round = 0; round < rounds; round++) for (i = 0; i < n; i++) ${stem}_run(images[i], logits[i]);
    fprintf(stderr, "%.9f\\n", (double)(clock() - start) / CLOCKS_PER_SEC / rounds / (double)n);
    fwrite(logits, sizeof logits[0], n, stdout);
  }
  return 0;
}
`;

const largest = (row) => row.reduce((best, x, i) => (x > row[best] ? i : best), 0);
const rowsOf = (values, width) =>
  Array.from({ length: values.length / width }, (_, i) => values.subarray(i * width, (i + 1) * width));

function targetOf(text) {
  const [path, config] = text.split('#');
  return config === undefined ? { path } : { path, config };
}

/** Bytes of an object file that a program's memory holds: its sections .data and .bss. */
function sizesOf(file) {
  const rows = execFileSync('size', ['-A', file], { encoding: 'utf8' }).matchAll(/^\.(?:data|bss)\s+(\d+)/gm);
  return [...rows].reduce((sum, [, n]) => sum + Number(n), 0);
}

/** Bytes of all weights of a network, each at its bits (float32 where it has none). */
function packedSize(network) {
  let bits = 0;
  for (const op of network.ops) {
    const weight = op.params.weight && network.params.get(op.params.weight);
    if (!weight) continue;
    const { data } = weight.tensor;
    bits += data.length * (op.attrs.weight_bits ?? 8 * data.BYTES_PER_ELEMENT);
  }
  return Math.ceil(bits / 8);
}

async function compare(text) {
  const opened = openTarget(targetOf(text), { allowOutside: true }, new Findings());
  const { network } = opened.compiled(options.planes ? { planes: true } : {});
  const program = simplify(lower(opened.compiled().network).program);
  const { files, memory, notes } = emitC({ network, program });
  const stem = [...files.keys()][0].replace(/\.h$/, '');
  const header = files.get(`${stem}.h`);
  const sizes = [...header.matchAll(/_SIZE (\d+)/g)].map(([, n]) => Number(n));
  if (sizes.length !== 2) throw new Error('a network of one input and one output is expected');
  const [size, outputs] = sizes;
  const folder = mkdtempSync(join(tmpdir(), 'spikec-bench-'));
  for (const [name, content] of files) writeFileSync(join(folder, name), content);
  writeFileSync(join(folder, 'main.c'), mainOf(stem, size, outputs));
  const gcc = (...args) => execFileSync('gcc', ['-std=c99', ...options.flags.split(' '), ...args], { cwd: folder });
  gcc('-c', `${stem}.c`, '-o', 'network.o');
  gcc('network.o', 'main.c', '-o', 'main', '-lm');
  const measured = sizesOf(join(folder, 'network.o'));
  const dataset = openDataset(options.data, options['data-dir'] === undefined ? {} : { dataDir: options['data-dir'] });
  const normalisation = {
    ...opened.normalisation,
    ...(options.mean === undefined ? {} : { mean: numbers(options.mean) }),
    ...(options.std === undefined ? {} : { std: numbers(options.std) }),
  };
  const [input] = program.inputs;
  const engine = await engineNamed(options.speed ? 'onnxruntime' : options.engine).open(program, { threads: 1 });
  const first = Number(options.from);
  const count = Math.min(Number(options.limit), dataset.length - first, options.speed ? batch : Infinity);
  let [done, same, most] = [0, 0, 0];
  let [cTime, engineTime] = [Infinity, Infinity];
  const end = performance.now() + 1000 * Number(options.seconds);
  for (let round = 0; round < (options.speed ? 5 : 1); round++) {
    for (done = 0, same = 0; done < count && performance.now() < end;) {
      const { images } = readBatch(dataset, first + done, Math.min(batch, count - done), normalisation);
      const n = images.shape[0];
      const before = process.cpuUsage();
      const results = await engine.step({ [input.id]: images });
      const { user, system } = process.cpuUsage(before);
      engineTime = Math.min(engineTime, (user + system) / 1e6 / n);
      const expected = rowsOf(Object.values(results)[0].data, outputs);
      const bytes = Buffer.from(images.data.buffer, images.data.byteOffset, images.data.byteLength);
      const ran = spawnSync(join(folder, 'main'), options.speed ? ['3'] : [], { input: bytes, maxBuffer: 2 ** 28 });
      cTime = Math.min(cTime, Number(ran.stderr.toString().trim()));
      const found = rowsOf(new Float32Array(new Uint8Array(ran.stdout).buffer), outputs);
      found.forEach((row, i) => {
        if (largest(row) === largest(expected[i])) same++;
        row.forEach((x, j) => (most = Math.max(most, Math.abs(x - expected[i][j]))));
      });
      done += n;
    }
  }
  await engine.dispose();
  dataset.close();
  rmSync(folder, { recursive: true });
  const form = notes.length === 0 ? 'integers' : 'float';
  const cells = options.speed
    ? [(1000 * cTime).toFixed(3), (1000 * engineTime).toFixed(3), (cTime / engineTime).toFixed(2)]
    : [done, done - same, most.toExponential(1), (1000 * cTime).toFixed(3)];
  const ratio = (memory.flash / packedSize(network)).toFixed(3);
  return [text, form, memory.flash, ratio, memory.ram, measured, ...cells];
}

const heads = options.speed
  ? ['C, ms an image', 'onnxruntime, ms an image', 'C / onnxruntime']
  : ['images', 'predictions that differ', 'largest difference of logits', 'C, ms an image'];
const columns = ['target', 'C', 'flash', '/ packed', 'RAM', 'RAM measured', ...heads];
console.log(`| ${columns.join(' | ')} |`);
console.log(`|${' --- |'.repeat(columns.length)}`);
for (const text of positionals) console.log(`| ${(await compare(text)).join(' | ')} |`);
