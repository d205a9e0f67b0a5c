import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

// What a test changes for the whole process (modules replaced, the folder, the environment, the exit code) would reach
// the files that run behind it in the same process: such files have one of their own.
const changesProcess = /\bvi\.|process\.(chdir|exitCode)|process\.env\[[^\]]+\] *=[^=]|delete process\.env/;
const folder = join(import.meta.dirname, 'test');
const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.test.ts'))
  .map((name) => `test/${name.replaceAll('\\', '/')}`);
const alone = files.filter((name) => changesProcess.test(readFileSync(join(import.meta.dirname, name), 'utf8')));
// Another program may have the machine: these tell a test that hangs, not a slow one.
const patience = { testTimeout: 240_000, hookTimeout: 240_000 };
const common = { setupFiles: ['test/setup.ts'], ...patience, pool: 'forks' as const };

/** Files of more than ten seconds of a processor: they begin first, so that none of them is left alone at the end. */
const long = [
  'network/every-backend',
  'golden/net/net',
  'backends/torch/train',
  'backends/nir/extensions',
  'commands/kills',
  'diff/zoo',
  'commands/detection',
  'backends/torch/models',
  'backends/c-program/primitives',
  'backends/torch/model',
  'backends/c/trains',
  'backends/c/levels',
  'cli/process',
  'cli/screen',
  'codings/convert',
  'commands/within-epoch',
  'codings/ops',
];
const gone = long.filter((name) => !files.includes(`test/${name}.test.ts`));
if (gone.length > 0) throw new Error(`vitest.config.ts names test files that aren't there: ${gone.join(', ')}`);

class LongFirst extends BaseSequencer {
  override async sort(specifications: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification): number => {
      const at = long.findIndex((name) => moduleId.replaceAll('\\', '/').endsWith(`test/${name}.test.ts`));
      return at === -1 ? long.length : at;
    };
    const sorted = await super.sort(specifications);
    const projects = [...new Set(sorted.map(({ project }) => project))];
    return projects.flatMap((one) =>
      sorted.filter(({ project }) => project === one).sort((a, b) => place(a) - place(b)),
    );
  }
}

export default defineConfig({
  test: {
    maxWorkers: 2,
    sequence: { sequencer: LongFirst },
    projects: [
      { test: { ...common, name: 'together', include: ['test/**/*.test.ts'], exclude: alone, isolate: false } },
      { test: { ...common, name: 'alone', include: alone } },
    ],
  },
});
