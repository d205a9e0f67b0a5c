// Reads one damaged input after the other, as commands do. What ends in diagnostics is fine; all else is reported.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DiagnosticError } from '../dist/src/base/diagnostics/index.js';
import { driver } from '../dist/src/commands/index.js';
import { openDataset } from '../dist/src/data/index.js';
import { trainOptions, zip } from './seeds.mjs';

const opened = (name, folder) => {
  const dataset = openDataset(name.replaceAll('@', folder));
  try {
    dataset.read(0, 4);
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
    driver.formatFile(path);
    valueOf(driver.checkFile({ path }, {}));
    if (!readFileSync(path, 'utf8').includes('config c')) return;
    valueOf(await driver.compileTarget({ path, config: 'c' }, { emit: ['ir', 'json'], outDir: join(folder, 'out') }));
    valueOf(await driver.costOf({ path: join(folder, 'out') }, {}));
    if (thorough)
      await driver.compileTarget(
        { path, config: 'c' },
        { emit: ['ir', 'onnx'], planes: true, outDir: join(folder, 'planes') },
      );
  },
  onnx: async (folder, { coding }) => {
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
  idx: (folder) => opened('idx:@/images,@/labels', folder),
};

process.on('message', ({ format, folder, coding, thorough }) => {
  void (async () => {
    let problem;
    let refused = false;
    const memory = measured();
    try {
      await uses[format](folder, { coding, thorough });
    } catch (error) {
      refused = error instanceof DiagnosticError;
      if (!refused) problem = error instanceof Error ? error.stack : String(error);
    }
    rmSync(join(folder, 'out'), { recursive: true, force: true });
    process.send({ problem, refused, grown: memory() });
  })();
});
process.send({ ready: true });
