// Makes and reads one damaged input after the other, as commands do. What ends in diagnostics is fine; all else is reported.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { deserialize } from 'node:v8';
import { DiagnosticError } from '../dist/src/base/diagnostics/index.js';
import { driver } from '../dist/src/commands/index.js';
import { openDataset } from '../dist/src/data/index.js';
import { framed } from '../dist/src/data/events/recordings.js';
import { inputOf } from './inputs.mjs';
import { trainOptions, zip } from './seeds.mjs';

const opened = (name, folder) => {
  const dataset = openDataset(name.replaceAll('@', folder));
  try {
    dataset.read(0, 4);
  } finally {
    dataset.close();
  }
};

/** Recordings read and framed, as a network of their sensor would. */
const recorded = (name, folder) => {
  const dataset = openDataset(name.replaceAll('@', folder));
  try {
    const { recordings } = dataset;
    for (let i = 0; i < dataset.length; i++) recordings.events(i);
    const framing = { steps: 3, by: 'number', rule: 'spikingjelly' };
    framed(dataset, recordings, framing, recordings.sensor ?? { rows: 128, columns: 128 }).read(0, dataset.length);
  } finally {
    dataset.close();
  }
};

/** From now on: by how much the process has grown at most. */
function measured() {
  const before = process.memoryUsage().rss;
  const peak = process.resourceUsage().maxRSS * 1024;
  try {
    // Linux forgets the peak so far; elsewhere a peak below an earlier one isn't seen
    writeFileSync('/proc/self/clear_refs', '5');
    return () => 1024 * Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]) - before;
  } catch {
    return () => {
      const now = process.resourceUsage().maxRSS * 1024;
      return (now > peak ? now : process.memoryUsage().rss) - before;
    };
  }
}

/** The value of an outcome; an input that is refused ends here. */
const valueOf = ({ value, diagnostics }) => {
  if (value === undefined) throw new DiagnosticError(diagnostics);
  return value;
};

const folderRead = async (folder, { thorough }) => {
  valueOf(await driver.costOf({ path: folder }, {}));
  if (!thorough) return;
  valueOf(await driver.diffTargets({ path: folder }, { path: folder }, {}));
  valueOf(await driver.reportTargets([{ path: folder }], { normalisation: {}, outFile: join(folder, 'report.html') }));
};

/** Goes on with a training that was done, which reads all of its records. */
const resumed = async (folder) => {
  const run = join(folder, 'run');
  const from = process.cwd();
  process.chdir(folder);
  const target = { path: 'n.spike', config: 'c' };
  valueOf(await driver.trainTarget(target, { ...trainOptions, resume: true }).finally(() => process.chdir(from)));
  // what was written again is read
  valueOf(await driver.costOf({ path: run }, {}));
};

const uses = {
  spike: async (folder, { thorough }) => {
    const path = join(folder, 'n.spike');
    await driver.formatFile(path);
    valueOf(await driver.checkFile({ path }, {}));
    if (!readFileSync(path, 'utf8').includes('config c')) return;
    valueOf(await driver.compileTarget({ path, config: 'c' }, { emit: ['ir', 'json'], outDir: join(folder, 'out') }));
    valueOf(await driver.costOf({ path: join(folder, 'out') }, {}));
    if (thorough)
      await driver.compileTarget(
        { path, config: 'c' },
        { emit: ['ir', 'onnx'], planes: true, outDir: join(folder, 'planes') },
      );
  },
  onnx: async (folder, { coding, thorough }) => {
    if (thorough) await driver.examineOnnx(join(folder, 'net.onnx'));
    valueOf(await driver.convertOnnx(join(folder, 'net.onnx'), { coding, outDir: join(folder, 'out') }));
    // what was written is read
    const { value, diagnostics } = await driver.costOf({ path: join(folder, 'out') }, {});
    if (value === undefined) throw new Error(`a folder that no command reads: ${diagnostics[0]?.message}`);
  },
  ir: folderRead,
  safetensors: folderRead,
  json: folderRead,
  log: resumed,
  run: resumed,
  checkpoint: resumed,
  journal: folderRead,
  npy: (folder) => {
    const members = Object.fromEntries(
      ['images.npy', 'labels.npy'].map((name) => [name, readFileSync(join(folder, name))]),
    );
    writeFileSync(join(folder, 'd.npz'), zip(members));
    opened('npz:@/d.npz', folder);
  },
  npz: (folder) => opened('npz:@/d.npz', folder),
  events: (folder) => recorded('events:@/d', folder),
  nir: async (folder) => {
    valueOf(await driver.costOf({ path: join(folder, 'net.nir'), config: 'steps=3' }, {}));
  },
  idx: (folder) => opened('idx:@/images,@/labels', folder),
};

/** What became of an input that lies in `folder`. */
async function answerTo({ format, folder, coding, thorough }) {
  let problem;
  let refused = false;
  const memory = measured();
  const before = process.cpuUsage();
  try {
    await uses[format](folder, { coding, thorough });
  } catch (error) {
    refused = error instanceof DiagnosticError;
    if (!refused) problem = error instanceof Error ? error.stack : String(error);
  }
  const { user, system } = process.cpuUsage(before);
  rmSync(join(folder, 'out'), { recursive: true, force: true });
  return { problem, refused, grown: memory(), milliseconds: (user + system) / 1000 };
}

/** Makes inputs `from … to − 1` in folders of their own, and removes those that nothing is to be said of. */
async function batch({ root, seeds: path, round, seed, from, to, growth }) {
  all ??= deserialize(readFileSync(path));
  for (let n = from; n < to; n++) {
    const input = inputOf(all, round, seed, n);
    const folder = join(root, String(n));
    let size = 0;
    for (const { name, bytes } of input.files) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), bytes);
      size += bytes.length;
    }
    const answer = await answerTo({ ...input, folder });
    const large = answer.grown > growth.factor * size + growth.plus;
    if (answer.problem === undefined && !large) rmSync(folder, { recursive: true });
    process.send({ n, size, ...answer });
  }
}
let all;

process.on('message', (input) => {
  void (input.from === undefined ? answerTo(input).then((answer) => process.send(answer)) : batch(input));
});
process.send({ ready: true });
