// Quantised ONNX files as others have published them: which convert, how many codes differ, and what the others are refused for.
//   npm run bench -- public-files FOLDER|FILE … [--coding sws] [--seconds 300] [--memory 4096]
// Of files with the same operators in the same order and the same shapes of weights one is run; those without a quantiser, integer
// weights or weights at all aren't. A file whose activations have no range gets drawn numbers for `--calibrate`, free sizes 64.
// --seconds are of a processor. --json: a line a file. --promise: `doctor` says beforehand whether it converts, and both answers are compared.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { seededRandom } from '../dist/src/base/random.js';
import { decodeModel } from '../dist/src/frontends/onnx/wire.js';
import { npy, zip } from '../fuzz/files.mjs';

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    coding: { type: 'string', default: 'sws' },
    seconds: { type: 'string', default: '300' },
    memory: { type: 'string', default: '4096' },
    promise: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});
const command = fileURLToPath(new URL('../dist/src/cli/main.js', import.meta.url));
const work = mkdtempSync(join(tmpdir(), 'spikec-public-'));
const quantising =
  /Quant|^Floor$|^Round$|^MatMulInteger|^ConvInteger|^QLinear|^QGemm|^QAttention|MultiThreshold|RequantShift|^Trunc$|XnorPopcount|^StreamingDataflow/;
const weighing = /Conv|Gemm|MatMul|MVAU|VVAU|MatrixVector|VectorVector|Vector_Vector|StreamingFC|^StreamingDataflow/;
const integerTypes = new Set([2, 3, 21, 22]);

const rows = [];
const seen = new Set();
// smallest first: as many as the time allows
const bySize = (a, b) => statSync(a).size - statSync(b).size;
for (const path of positionals.flatMap(filesOf).sort(bySize)) {
  const about = describe(path);
  if (about === undefined || seen.has(about.structure)) continue;
  seen.add(about.structure);
  const row = { file: relative(process.cwd(), path), ...verdict(path, about.inputs) };
  rows.push(row);
  if (options.json) console.log(JSON.stringify(row));
}
rmSync(work, { recursive: true });
if (!options.json) printTable();

function filesOf(path) {
  if (!statSync(path).isDirectory()) return [resolve(path)];
  return readdirSync(path, { recursive: true })
    .filter((name) => name.endsWith('.onnx'))
    .sort()
    .map((name) => resolve(path, name));
}

/** What tells a network from others, and its inputs; undefined of what is no quantised network. */
function describe(path) {
  let graph;
  try {
    graph = decodeModel(readFileSync(path)).graph;
  } catch {
    return undefined;
  }
  if (graph === undefined) return undefined;
  const types = graph.nodes.map(({ opType }) => opType);
  const weights = graph.initializers.map(({ dims }) => dims.join('x')).sort();
  const isQuantised =
    types.some((type) => quantising.test(type)) ||
    graph.nodes.some(({ domain }) => /finn|qonnx|brevitas|PACT/.test(domain)) ||
    graph.initializers.some(({ dataType, dims }) => integerTypes.has(dataType) && dims.length > 1) ||
    graph.nodes.some(({ attributes }) => attributes.has('weight_bits') || attributes.has('out_bits'));
  if (!isQuantised || !types.some((type) => weighing.test(type))) return undefined;
  const stored = new Set(graph.initializers.map(({ name }) => name));
  const inputs = graph.inputs.filter(({ name }) => !stored.has(name));
  const structure = createHash('sha1')
    .update(JSON.stringify([types, weights, inputs]))
    .digest('hex');
  return { structure, inputs };
}

function verdict(path, inputs) {
  const shapes = inputs.map(({ name, dims = [] }) => ({
    name,
    shape: dims.map((d, i) => (typeof d === 'number' && d > 0 ? d : i === 0 ? 1 : 64)),
  }));
  const isFree = inputs.some(({ dims = [] }) => dims.slice(1).some((d) => typeof d !== 'number' || d <= 0));
  const sizes = isFree ? shapes.flatMap(({ name, shape }) => ['--input-shape', `${name}=${shape.join(',')}`]) : [];
  const promised = options.promise ? promiseOf(path, sizes) : {};
  let found = convert(path, sizes);
  if (found.code === 'convert/uncalibrated' || /--calibrate/.test(found.help ?? '')) {
    const data = join(work, 'data.npz');
    const only = shapes.length === 1;
    const arrays = shapes.map(({ name, shape }) => {
      const { shape: size, data: values } = drawn([16, ...shape.slice(1)]);
      return [`${only ? 'images' : name}.npy`, npy('<f4', size, values)];
    });
    writeFileSync(data, zip(Object.fromEntries(arrays)));
    found = { ...convert(path, [...sizes, '--calibrate', `npz:${data}`]), calibrated: true };
  }
  return { ...found, ...promised };
}

/** What doctor says of the coding: yes, calibrate or no; and what of a crash. */
function promiseOf(path, sizes) {
  const { status, stdout } = run(['doctor', path, ...sizes, '--json']);
  try {
    const { codings } = JSON.parse(stdout);
    return { promised: codings.find(({ coding }) => coding === options.coding)?.converts ?? 'no' };
  } catch {
    return { promised: `exit ${status}` };
  }
}

function convert(path, more) {
  const out = join(work, 'out');
  const { status, signal, stdout, stderr } = run([
    'convert',
    path,
    '--coding',
    options.coding,
    '-o',
    out,
    '--emit',
    'ir',
    '--json',
    ...more,
  ]);
  rmSync(out, { recursive: true, force: true });
  if (signal !== null || status === null) return { outcome: 'no end', status: signal ?? 'time' };
  let said;
  try {
    said = JSON.parse(stdout);
  } catch {
    return { outcome: 'crash', status, text: stderr.slice(0, 400) };
  }
  const errors = (said.diagnostics ?? []).filter(({ severity }) => severity === 'error');
  if (status === 0) {
    const { check, verified } = said;
    const [differing, codes] = [check?.differing ?? null, check?.codes ?? null];
    const beside = (said.diagnostics ?? []).filter(({ severity }) => severity === 'warning').map(({ code }) => code);
    const outcome = check === undefined ? 'unchecked' : differing === 0 || differing === undefined ? 'equal' : 'few';
    return { outcome, differing, codes, agreement: check?.agreement, verified, warnings: [...new Set(beside)] };
  }
  if (status !== 1 || errors.length === 0) return { outcome: 'crash', status, text: stderr.slice(0, 400) };
  const [{ code, message, help }] = errors;
  return { outcome: 'refused', code, message, help, errors: errors.length };
}

/** The command under limits of memory and of processor time, which other work on the machine doesn't change. */
function run(args) {
  const [heap, seconds] = [`--max-old-space-size=${options.memory}`, Number(options.seconds)];
  const limited = ['-c', `ulimit -t ${seconds}; exec "$@"`, 'sh', process.execPath, heap, command, ...args];
  const limits = { encoding: 'utf8', timeout: seconds * 60_000, killSignal: 'SIGKILL', maxBuffer: 2 ** 28 };
  return spawnSync('sh', limited, { cwd: work, ...limits });
}

/** Numbers in [0, 1), the same in every run. */
function drawn(shape) {
  const next = seededRandom(11);
  const length = shape.reduce((a, b) => a * b, 1);
  return { shape, data: Float32Array.from({ length }, () => next()) };
}

function printTable() {
  const kinds = new Map();
  for (const { outcome, code, message, calibrated } of rows) {
    const why = code === undefined ? '' : `${code}: ${message.replace(/"[^"]*"|%[\w./:-]+/g, '…')}`;
    const kind = `| ${outcome}${calibrated ? ', calibrated' : ''} | ${why.replaceAll('|', '\\|')} |`;
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  }
  console.log('| networks | outcome | because |\n| --- | --- | --- |');
  for (const [kind, count] of [...kinds].sort((a, b) => b[1] - a[1])) console.log(`| ${count} ${kind}`);
}
