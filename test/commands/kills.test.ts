import { cpSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { driver } from '../../src/commands/index.js';
import { finishWrites, openDataset } from '../../src/data/index.js';
import { type Killer, Killed, filesOf, leftByKills, restart } from '../support/killed.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { tinyImages, tinyQuantised } from '../support/tiny-onnx.js';
import type { TrainOptions } from '../../src/commands/train.js';
import type { Outcome } from '../../src/base/diagnostics/index.js';

/** These tests kill every command before each of its writes, renames, deletions and new folders. */
const killer = vi.hoisted((): Killer => ({ calls: 0, at: 0, dead: false }));

vi.mock('node:fs', async (importOriginal) => {
  const { withKiller } = await import('../support/killed.js');
  return withKiller(await importOriginal<typeof import('node:fs')>(), killer);
});

afterEach(() => restart(killer));

async function killedAt(at: number, work: () => Promise<unknown>): Promise<void> {
  restart(killer, at);
  await expect(work()).rejects.toThrow(Killed);
  restart(killer);
}

function valueOf<T>({ value, diagnostics }: Outcome<T>): T {
  if (value === undefined) throw new Error(diagnostics.map(({ message }) => message).join('\n'));
  return value;
}

/** A model file, a quantised ONNX file and images of 6×6. */
function project(): string {
  const folder = temporaryFolder();
  const data = tinyImages(16);
  writeFileSync(join(folder, 'images'), data.images);
  writeFileSync(join(folder, 'labels'), data.labels);
  writeFileSync(join(folder, 'tiny.onnx'), tinyQuantised());
  writeFileSync(
    join(folder, 'tiny.spike'),
    `use "spikec/neurons" { LIF }
     network Tiny { input image: real[1, 6, 6]  output image | flatten | linear(4) | batchnorm | spike | linear(3) }
     config tiny { network Tiny  neuron LIF  coding direct(2)
       train { optimizer adam(lr: 1e-2)  batch 4  epochs 2  validation 0.25  seed 2 } }`,
  );
  return folder;
}

const dataOf = (folder: string): string => `idx:${join(folder, 'images')},${join(folder, 'labels')}`;

describe('training', () => {
  let folder: string;
  let whole: Record<string, string>;

  const train = async (run: string, options: TrainOptions = {}) =>
    driver.trainTarget(
      { path: join(folder, 'tiny.spike') },
      // of so small a network, what takes least to begin
      { data: dataOf(folder), threads: 1, run, engine: 'tfjs-cpu', ...options },
    );

  /** What a person does after a kill: go on, or begin where there is nothing to go on with. */
  const goOn = async (run: string): Promise<void> => {
    const resumed = await train(run, { resume: true });
    if (resumed.diagnostics[0]?.code === 'train/no-checkpoint') valueOf(await train(run));
    else expect(valueOf(resumed).done).toBe(2);
  };

  /** An unbroken training, whose files are what all others must come to; gives what kills would leave of it. */
  const unbroken = async (): Promise<readonly string[]> => {
    folder = project();
    const run = join(folder, 'whole');
    const left = await leftByKills(killer, run, async () => valueOf(await train(run)));
    whole = filesOf(run);
    return left;
  };

  it('killed anywhere, and resumed, gives the run folder of an unbroken training, bit for bit', async () => {
    const left = await unbroken();
    expect(Object.keys(whole)).toContain('best/weights.safetensors');
    expect(left.length).toBeGreaterThan(30);
    for (const [i, run] of left.entries()) {
      await goOn(run);
      expect(filesOf(run), `killed before call ${i + 1} of ${left.length}`).toEqual(whole);
    }
  }, 400_000);

  it('a resumed training that is killed again does too', async () => {
    const { length } = await unbroken();
    const begun = join(folder, 'begun');
    await killedAt(length - 30, () => train(begun));
    const left = await leftByKills(killer, begun, () => goOn(begun));
    expect(filesOf(begun)).toEqual(whole);
    for (const [i, run] of left.entries()) {
      await goOn(run);
      expect(filesOf(run), `killed before call ${i + 1} of ${left.length}`).toEqual(whole);
    }
  }, 400_000);
});

/** Files by name and content, without the number that each temporary file has. */
function shown(folder: string): readonly string[] {
  if (!existsSync(folder)) return [];
  const plain = (text: string): string => text.replaceAll(/-\d+\.spikec\.tmp|\.\d+\.lock/g, '');
  return Object.entries(filesOf(folder))
    .map(([name, content]) => `${plain(name)} ${plain(Buffer.from(content, 'base64').toString('latin1'))}`)
    .sort();
}

interface Case {
  readonly name: string;
  /** Writes `out`; the second time with other settings. */
  readonly run: (folder: string, out: string, again: boolean) => Promise<Outcome<unknown>>;
}

const cases: readonly Case[] = [
  {
    name: 'convert',
    run: (folder, outDir, again) =>
      driver.convertOnnx(join(folder, 'tiny.onnx'), {
        coding: 'sws',
        steps: 8,
        silent: again ? 3 : 2,
        verify: false,
        outDir,
      }),
  },
  {
    name: 'compile',
    run: (folder, outDir, again) =>
      driver.compileTarget(
        { path: join(folder, again ? 'b' : 'a', 'tiny.spike') },
        { emit: ['ir', 'json', 'onnx'], outDir },
      ),
  },
  {
    name: 'allocate',
    run: async (folder, outDir, again) => {
      const dataset = openDataset(dataOf(folder));
      const goal = { unit: 'weight_bits', value: again ? 3 : 5 } as const;
      try {
        return await driver.allocateTarget(
          { path: join(folder, 'tiny.onnx') },
          { dataset, normalisation: {}, goal, outDir, limit: 8, least: 2, most: 6 },
        );
      } finally {
        dataset.close();
      }
    },
  },
];

describe.each(cases)('$name', ({ name, run }) => {
  let folder: string;
  let old: Record<string, string>;
  let fresh: Record<string, string>;

  const prepare = async (): Promise<void> => {
    folder = project();
    for (const [part, seed] of Object.entries({ a: 1, b: 2 })) {
      mkdirSync(join(folder, part));
      const text = `network Tiny { input image: real[1, 6, 6]  output image | flatten | linear(${2 + seed}) }
        config tiny { network Tiny }`;
      writeFileSync(join(folder, part, 'tiny.spike'), text);
    }
    valueOf(await run(folder, join(folder, 'old'), false));
    valueOf(await run(folder, join(folder, 'new'), true));
    [old, fresh] = [filesOf(join(folder, 'old')), filesOf(join(folder, 'new'))];
    expect(old).not.toEqual(fresh);
  };

  it.each(['an empty place', 'an older result'])(
    `${name} over %s, killed anywhere, leaves all old or all new, and the same command repairs it`,
    async (place) => {
      await prepare();
      const start = (out: string): void => {
        if (place === 'an older result') cpSync(join(folder, 'old'), out, { recursive: true });
      };
      const before = place === 'an older result' ? old : {};
      const counted = join(folder, 'counted');
      start(counted);
      const left = await leftByKills(killer, counted, async () => valueOf(await run(folder, counted, true)));
      expect(left.length).toBeGreaterThan(10);
      expect(filesOf(counted)).toEqual(fresh);
      const middle = left.length >> 1;
      const killed = join(folder, 'killed');
      start(killed);
      await killedAt(middle, () => run(folder, killed, true));
      expect(shown(killed)).toEqual(shown(left[middle - 1]!));
      for (const [i, out] of left.entries()) {
        if (existsSync(out)) {
          finishWrites(out);
          const names = Object.entries(filesOf(out)).filter(
            ([file]) => !/\.spikec\.tmp$|^\.spikec-.*\.lock$/.test(file),
          );
          expect([before, fresh], `killed before call ${i + 1} of ${left.length}`).toContainEqual(
            Object.fromEntries(names),
          );
        }
        valueOf(await run(folder, out, true));
        expect(filesOf(out), `killed before call ${i + 1} of ${left.length}, and run again`).toEqual(fresh);
      }
    },
    400_000,
  );
});
