// Converts networks as toolchains write them (exporters.py builds some) and compares each spiking network with its
// file: codes of every layer against the quantised network in float64, predictions against onnxruntime.
//   npm run build && python bench/exporters.py OUT && node bench/exporters.mjs OUT
// Arguments are folders and files. --inputs N: how many inputs (4). --json: the table as JSON.
import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import * as ort from 'onnxruntime-node';
import { libraryNeurons } from '../dist/src/workspace/files.js';
import { importFile } from '../dist/src/workspace/target.js';
import { Findings } from '../dist/src/workspace/findings.js';
import { verifyImport } from '../dist/src/run/verify-import.js';
import { engineNamed } from '../dist/src/engines/index.js';
import { openNpz } from '../dist/src/data/index.js';
import { lower, outputNames } from '../dist/src/lower/program/index.js';
import { configure, everyLayer, pipelines, runPipeline } from '../dist/src/passes/index.js';
import { evaluate, simplify } from '../dist/src/tensor/index.js';

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    inputs: { type: 'string', default: '4' },
    json: { type: 'boolean', default: false },
  },
});
const wanted = Number(options.inputs);
/** A sum this near to half-way between two codes is a tie: which side it rounds to is arithmetic, not conversion. What follows from one isn't counted. */
const tie = 1e-9;

const files = positionals.flatMap((path) =>
  statSync(path).isDirectory()
    ? readdirSync(path)
        .filter((name) => name.endsWith('.onnx'))
        .sort()
        .map((name) => join(path, name))
    : [path],
);
const rows = [];
if (!options.json) {
  console.log('| network | layers | codes | differing | ties | predictions as the file’s | result |');
  console.log('| --- | --- | --- | --- | --- | --- | --- |');
}
for (const path of files) {
  const row = { network: basename(path, '.onnx'), ...(await tried(path)) };
  rows.push(row);
  if (!options.json) {
    const { network, layers = '', codes = '', differing = '', ties = '', agree = '', result } = row;
    console.log(`| ${[network, layers, codes, differing, ties, agree, result].join(' | ')} |`);
  }
}
const right = rows.filter(({ ok }) => ok).length;
if (options.json) console.log(JSON.stringify(rows));
else console.log(`\n${right} of ${rows.length} (${((100 * right) / rows.length).toFixed(1)} %) convert and are exact`);

async function tried(path) {
  try {
    return await compared(path);
  } catch (error) {
    const list = error.diagnostics?.filter(({ severity }) => severity === 'error');
    if (list === undefined || list.length === 0)
      return { ok: false, result: `failed: ${error.message.split('\n')[0]}` };
    const [{ code, message, help }] = list;
    const more = list.length > 1 ? ` (and ${list.length - 1} more)` : '';
    return {
      ok: false,
      result: `${code}: ${message}${help === undefined ? '' : ` — ${help}`}${more}`.replaceAll('|', '/'),
    };
  }
}

async function compared(path) {
  const findings = new Findings();
  const source = importFile(path, findings);
  const imported = source.imported;
  const problems = await importProblems(source);
  const steps = stepsFor(imported.network);
  const passes = configure(pipelines['convert.sws'], {
    digits: { steps },
    'to-spikes': { steps },
    'schedule-time': { silent: everyLayer(steps) },
  });
  const converted = runPipeline(imported.network, passes, { neurons: libraryNeurons() });
  const errors = converted.diagnostics.filter(({ severity }) => severity === 'error');
  if (errors.length > 0) throw Object.assign(new Error('not converted'), { diagnostics: errors });
  const quantised = renamed(converted.runs.find(({ pass }) => pass === 'quantiser-regions').network);
  const quantisers = quantised.ops.filter((op) => op.kind === 'quantize');
  const expose = [...new Set(quantisers.flatMap((op) => [op.id, op.inputs[0]]))];
  const reference = simplify(lower(quantised, { precision: 'f64', probes: { expose } }).program);
  const runnable = lower(converted.network, { probes: { codes: true } });
  const program = simplify(runnable.program);
  const executable = await engineNamed('fused').open(program);
  const session = await ort.InferenceSession.create(source.bytes, {
    graphOptimizationLevel: 'disabled',
    logSeverityLevel: 3,
  }).catch(() => undefined);
  const shape = quantised.ops.find((op) => op.kind === 'input').type.shape;
  const inputs = inputsOf(path, shape, quantised, imported.sourceInputs[0]);
  let [codes, differing, ties, agree] = [0, 0, 0, 0];
  for (const x of inputs) {
    const before = ties;
    const images = { dtype: 'f32', shape: [1, ...shape], data: x };
    const expected = evaluate(reference, { [reference.inputs[0].id]: { ...images } });
    const found = await executable.step({ [program.inputs[0].id]: images });
    for (const op of quantisers) {
      const levels = found[outputNames.codes(op.id.slice(2))]?.data;
      if (levels === undefined) continue; // read out, not fired
      const { scale, zero, min } = op.attrs;
      const [values, sums] = [expected[op.id].data, expected[op.inputs[0]].data];
      codes += levels.length;
      for (let i = 0; i < levels.length; i++) {
        if (levels[i] === Math.round(values[i] / scale + zero) - min) continue;
        const position = sums[i] / scale;
        const isTie = Math.abs(Math.abs(position - Math.round(position)) - 0.5) < tie;
        if (isTie) ties++;
        else if (ties === before) differing++;
      }
    }
    const logits = found[runnable.outputs.logits] ?? Object.values(found)[0];
    agree += await agrees(session, imported, x, logits.data);
  }
  await executable.dispose();
  await session?.release();
  const ok = differing === 0 && problems === undefined && (session === undefined || agree === inputs.length);
  const count = session === undefined ? '' : `${agree} of ${inputs.length}`;
  const result = problems ?? (ok ? (ties > 0 ? 'exact but for ties' : 'exact') : 'DIFFERS');
  return { ok, layers: quantisers.length, codes, differing, ties, agree: count, result };
}

/** As many steps as the widest codes have bits: then trains carry them all. */
function stepsFor(network) {
  const ranges = network.ops.filter(({ kind }) => kind === 'quantize').map(({ attrs }) => attrs.max - attrs.min);
  return Math.max(8, ...ranges.map((range) => Math.ceil(Math.log2(range + 1))));
}

/** Ids that no output's name can be: exposed values come under their ids. */
function renamed(network) {
  const ops = network.ops.map((op) => ({ ...op, id: `q.${op.id}`, inputs: op.inputs.map((id) => `q.${id}`) }));
  return { ...network, ops, outputs: network.outputs.map((id) => `q.${id}`) };
}

/** What the check of the import, layer by layer in onnxruntime, has found. */
async function importProblems(source) {
  try {
    await verifyImport(source);
    return undefined;
  } catch (error) {
    const [first] = error.diagnostics ?? [];
    return `${first?.code ?? 'failed'}: ${first?.message ?? error.message}`;
  }
}

/** Whether the file's prediction is the spiking network's, or the two logits are as good as equal. */
async function agrees(session, imported, x, logits) {
  if (session === undefined) return 0;
  const [source] = imported.sourceInputs;
  const batch = source.batch ?? 1;
  const data = new Float32Array(x.length * batch);
  for (let n = 0; n < batch; n++) data.set(x, n * x.length);
  const results = await session.run({ [source.name]: new ort.Tensor('float32', data, [batch, ...source.shape]) });
  const output = Array.from(results[imported.sourceOutput.name].data).slice(0, logits.length).map(Number);
  const top = output.indexOf(Math.max(...output));
  const spiking = Array.from(logits);
  const own = spiking.indexOf(Math.max(...spiking));
  return output[own] >= output[top] - 1e-4 * Math.max(1, Math.abs(output[top])) || imported.sourceOutput.dropped
    ? 1
    : 0;
}

/** The inputs beside the file, or random ones over the range of the quantiser that reads the input. */
function inputsOf(path, shape, network) {
  const beside = path.replace(/\.onnx$/, '.npz');
  const count = shape.reduce((a, b) => a * b, 1);
  if (existsSync(beside)) {
    try {
      const set = openNpz(`npz:${beside}`, beside, { labelled: false });
      const batch = set.read(0, wanted);
      if (batch.images.length === batch.count * count) {
        return Array.from({ length: batch.count }, (_, n) =>
          Float32Array.from(batch.images.subarray(n * count, (n + 1) * count)),
        );
      }
    } catch {
      // of another form: random inputs do
    }
  }
  const first = network.ops.find((op) => op.kind === 'quantize');
  const { scale = 1, zero = 0, min = -1, max = 1 } = first?.attrs ?? {};
  const [low, high] = [(min - zero) * scale, (max - zero) * scale];
  let state = 12345;
  const next = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
  return Array.from({ length: wanted }, () => Float32Array.from({ length: count }, () => low + (high - low) * next()));
}
