// NIR files beside nir.read: which load, which are refused and why, and whether their trains are those of the format's equations.
//   npm run bench -- nir-files FOLDER|FILE … --python PYTHON
// PYTHON has nir, torch and safetensors. Inputs are drawn; trains are compared value by value, ours and those of nir-run.py in float64.
// --json: a line a file. --tools snntorch: how many of them agree, too.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { tensor } from '../dist/src/base/dtype.js';
import { decodeSafetensors, encodeSafetensors } from '../dist/src/base/safetensors.js';
import { loadNir, readNir } from '../dist/src/data/nir.js';
import { importNir } from '../dist/src/frontends/nir/index.js';
import { lower } from '../dist/src/lower/program/index.js';
import { concreteShape, evaluate, simplify } from '../dist/src/tensor/index.js';

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    python: { type: 'string', default: process.env.SPIKEC_PYTHON ?? 'python3' },
    samples: { type: 'string', default: '4' },
    steps: { type: 'string', default: '20' },
    tools: { type: 'string', default: '' },
    json: { type: 'boolean', default: false },
  },
});
const [samples, steps] = [Number(options.samples), Number(options.steps)];
const tools = ['euler', ...options.tools.split(',').filter((one) => one !== '')];
const files = positionals.flatMap((path) =>
  statSync(path).isDirectory()
    ? readdirSync(path)
        .filter((name) => name.endsWith('.nir'))
        .sort()
        .map((name) => resolve(path, name))
    : [resolve(path)],
);
await loadNir();
const folder = mkdtempSync(join(tmpdir(), 'spikec-nir-'));
const rows = files.map((path, i) => opened(path, `${i}`));
const jobs = rows.flatMap(({ path, key, dt }) => [
  { key, file: path, tool: 'reads' },
  ...(dt === undefined
    ? []
    : tools.map((tool) => ({ key: `${key} ${tool}`, file: path, frames: `${key}.safetensors`, tool, dt }))),
]);
const script = new URL('nir-run.py', import.meta.url).pathname;
const ran = spawnSync(options.python, [script], { cwd: folder, input: JSON.stringify(jobs), stdio: ['pipe', 2, 2] });
if (ran.status !== 0) throw new Error(`${options.python} failed`);
const theirs = decodeSafetensors(readFileSync(join(folder, 'found.safetensors')), 'found').value.tensors;
const { failed, reads } = JSON.parse(readFileSync(join(folder, 'said.json'), 'utf8'));
rmSync(folder, { recursive: true });

const results = rows.map(({ path, key, trains, problem }) => ({
  file: basename(path),
  reads: reads[key],
  spikec: problem ?? 'loads',
  ...Object.fromEntries(
    tools.map((tool) => [
      tool,
      problem === undefined ? verdict(trains, theirs.get(`${key} ${tool}`)?.data, failed[`${key} ${tool}`]) : '',
    ]),
  ),
}));
if (options.json) for (const row of results) console.log(JSON.stringify(row));
else {
  console.log(`| ${Object.keys(results[0]).join(' | ')} |\n|${' --- |'.repeat(3 + tools.length)}`);
  for (const row of results) console.log(`| ${Object.values(row).join(' | ')} |`);
}

/** Our trains of drawn frames, or why there are none. */
function opened(path, key) {
  try {
    const { network, time } = importNir(readNir(path), { steps }, { name: 'net', path });
    const readOut = network.ops.find(({ id }) => network.outputs.includes(id));
    const from = (id) => {
      const op = network.ops.find((one) => one.id === id);
      return op.kind === 'identity' ? from(op.inputs[0]) : id;
    };
    const last = from(readOut.inputs[0]);
    const { program, outputs } = lower(network, { probes: { trains: (id) => id === last } });
    const ready = simplify(program);
    const [input] = ready.inputs;
    const each = concreteShape(input.shape, 1).slice(1);
    const size = each.reduce((a, b) => a * b, 1);
    let trains;
    let frames;
    // so strong that more than one value in a hundred isn't 0
    for (let amplitude = 1; amplitude <= 1e6; amplitude *= 10) {
      frames = drawn(steps * samples * size, amplitude);
      const fed = { [input.id]: tensor('f32', [steps * samples, ...each], frames) };
      trains = evaluate(ready, fed, { precision: 'f64' })[outputs.probes.train.get(last)].data;
      if (trains.filter((y) => y !== 0).length > trains.length / 100) break;
    }
    const x = tensor('f32', [steps, samples, ...each], frames);
    writeFileSync(join(folder, `${key}.safetensors`), encodeSafetensors(new Map([['x', x]])));
    return { path, key, dt: time.dt, trains };
  } catch (error) {
    if (error.diagnostics === undefined) throw error;
    return { path, key, problem: error.diagnostics[0].message.replaceAll('|', '\\|') };
  }
}

function drawn(length, amplitude) {
  let state = 11;
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state < 2 ** 31 ? amplitude : 0;
  });
}

function verdict(ours, found, failure) {
  if (found === undefined) return failure;
  if (found.length !== ours.length) return `${found.length} values for ${ours.length}`;
  const isSpikes = ours.every((x) => x === 0 || x === 1);
  const most = ours.reduce((a, x) => Math.max(a, Math.abs(x)), 0);
  const differ = ours.filter((x, i) => Math.abs(x - found[i]) > (isSpikes ? 0 : 1e-6 * most)).length;
  const rate = (ours.reduce((a, x) => a + Math.abs(x), 0) / ours.length).toPrecision(2);
  return `${differ === 0 ? 'equal' : `${differ} differ`} (${isSpikes ? `${rate} spikes` : `values, |y| ${rate}`})`;
}
