// Makes and reads one damaged input after the other, as commands do. What ends in diagnostics is fine; all else is reported.
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { deserialize } from 'node:v8';
import { DiagnosticError } from '../dist/src/base/diagnostics/index.js';
import { driver } from '../dist/src/commands/index.js';
import { loadReaders, openDataset } from '../dist/src/data/index.js';
import { framed } from '../dist/src/data/events/recordings.js';
import { inputOf } from './inputs.mjs';
import { zip } from './files.mjs';
import { trainOptions } from './seeds.mjs';

/** A data set opened, looked at and read, recordings framed as a network of their sensor would; what is refused names file or set. */
async function readSet(folder, { spec, target, thorough }) {
  await loadReaders(spec);
  try {
    const dataset = openDataset(spec.replaceAll('@', folder), { dataDir: folder });
    try {
      const { recordings } = dataset;
      if (recordings === undefined) dataset.read(0, 4);
      else {
        for (let i = 0; i < dataset.length; i++) recordings.events(i);
        const framing = { steps: 3, by: 'number', rule: 'spikingjelly' };
        const sensor = recordings.sensor ?? (recordings.channels ? { columns: 700 } : { rows: 128, columns: 128 });
        framed(dataset, recordings, framing, sensor).read(0, dataset.length);
      }
      if (thorough) valueOf(await driver.describeData({ dataset, normalisation: {} }));
    } finally {
      dataset.close();
    }
  } catch (error) {
    if (!(error instanceof DiagnosticError)) throw error;
    const [{ message }, ...more] = error.diagnostics;
    if (more.length > 0) throw new Error(`several diagnostics: ${message}`, { cause: error });
    const names = [basename(target), basename(folder), spec];
    if (!names.some((name) => message.includes(name)))
      throw new Error(`names neither file nor set: ${message}`, { cause: error });
    throw error;
  }
}

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

/** The files of a run folder with their bytes; what is there for a moment only is left out. */
function filesOf(run) {
  return new Map(
    readdirSync(run, { withFileTypes: true, recursive: true })
      .filter((entry) => entry.isFile() && !entry.name.endsWith('.tmp') && !entry.name.startsWith('.spikec'))
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => [relative(run, path), readFileSync(path)]),
  );
}

/** What a training that goes on never writes before it has done an epoch; all else follows from it, and is written again. */
const own = /^(checkpoint|model\.spike)/;

/** Whatever a command makes of a run folder: nothing goes, what is only read stays as it is, and of a training that is refused what it went on from. */
async function kept(run, mayWrite, work) {
  const before = filesOf(run);
  let refusal;
  try {
    await work();
  } catch (error) {
    if (!(error instanceof DiagnosticError)) throw error;
    refusal = error;
  }
  const after = filesOf(run);
  for (const [name, bytes] of before) {
    const now = after.get(name);
    if (now === undefined) throw new Error(`${name} was lost`);
    if ((!mayWrite || (refusal !== undefined && own.test(name))) && !now.equals(bytes))
      throw new Error(`${name} was changed`);
  }
  if (refusal !== undefined) throw refusal;
}

/** A run folder as commands read it; a training goes on for an epoch, or begins from its weights. */
async function ranFolder(folder, { command = 'resume', thorough }) {
  const run = join(folder, 'run');
  const trained = async (options) => {
    const from = process.cwd();
    process.chdir(folder);
    const work = driver.trainTarget({ path: 'n.spike', config: 'c' }, { ...trainOptions, ...options });
    valueOf(await work.finally(() => process.chdir(from)));
  };
  const evaluated = async (path) => {
    const dataset = openDataset(`idx:${folder}/images,${folder}/labels`);
    try {
      valueOf(await driver.evaluateTarget({ path }, { dataset, normalisation: {}, threads: 1, activity: thorough }));
    } finally {
      dataset.close();
    }
  };
  const uses = {
    resume: async () => {
      await trained({ resume: true, epochs: 2 });
      // what was written can be gone on with, and read
      await trained({ resume: true, epochs: 2 });
      valueOf(await driver.costOf({ path: run }, {}));
    },
    from: () => trained({ from: run, run: 'other' }),
    cost: async () => valueOf(await driver.costOf({ path: run }, {})),
    eval: () => evaluated(run),
    best: () => evaluated(join(run, 'best')),
    report: async () =>
      valueOf(await driver.reportTargets([{ path: run }], { normalisation: {}, outFile: join(folder, 'report.html') })),
  };
  await kept(run, command === 'resume', uses[command]);
}

const uses = {
  folder: ranFolder,
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
  npy: (folder, input) => {
    const members = Object.fromEntries(
      ['images.npy', 'labels.npy'].map((name) => [name, readFileSync(join(folder, name))]),
    );
    writeFileSync(join(folder, 'd.npz'), zip(members));
    return readSet(folder, { ...input, spec: 'npz:@/d.npz' });
  },
  npz: readSet,
  events: readSet,
  samples: readSet,
  nir: async (folder) => {
    valueOf(await driver.costOf({ path: join(folder, 'net.nir'), config: 'steps=3' }, {}));
  },
  idx: readSet,
};

/** What became of an input that lies in `folder`. */
async function answerTo({ format, folder, ...input }) {
  let problem;
  let refused = false;
  const memory = measured();
  const before = process.cpuUsage();
  try {
    await uses[format](folder, input);
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
