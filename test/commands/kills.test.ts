import { cpSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { driver } from '../../src/commands/index.js';
import { finishWrites, openDataset } from '../../src/data/index.js';
import { type Killer, Killed, filesOf, restart } from '../support/killed.js';
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
    driver.trainTarget({ path: join(folder, 'tiny.spike') }, { data: dataOf(folder), threads: 1, run, ...options });

  /** What a person does after a kill: go on, or begin where there is nothing to go on with. */
  const goOn = async (run: string): Promise<void> => {
    const resumed = await train(run, { resume: true });
    if (resumed.diagnostics[0]?.code === 'train/no-checkpoint') valueOf(await train(run));
    else expect(valueOf(resumed).done).toBe(2);
  };

  const unbroken = async (): Promise<number> => {
    folder = project();
    restart(killer);
    valueOf(await train(join(folder, 'whole')));
    whole = filesOf(join(folder, 'whole'));
    return killer.calls;
  };

  it('killed anywhere, and resumed, gives the run folder of an unbroken training, bit for bit', async () => {
    const calls = await unbroken();
    expect(Object.keys(whole)).toContain('best/weights.safetensors');
    for (let at = 1; at <= calls; at++) {
      const run = join(folder, `run${at}`);
      await killedAt(at, () => train(run));
      await goOn(run);
      expect(filesOf(run), `killed before call ${at} of ${calls}`).toEqual(whole);
    }
  }, 400_000);

  it('a resumed training that is killed again does too', async () => {
    const calls = await unbroken();
    const begun = join(folder, 'begun');
    await killedAt(calls - 30, () => train(begun));
    cpSync(begun, join(folder, 'counted'), { recursive: true });
    restart(killer);
    await goOn(join(folder, 'counted'));
    const resumed = killer.calls;
    for (let at = 1; at <= resumed; at++) {
      const run = join(folder, `run${at}`);
      cpSync(begun, run, { recursive: true });
      await killedAt(at, () => train(run, { resume: true }));
      await goOn(run);
      expect(filesOf(run), `killed before call ${at} of ${resumed}`).toEqual(whole);
    }
  }, 400_000);
});

interface Case {
  readonly name: string;
  /** Writes `out`; the second time with other settings. */
  readonly run: (folder: string, out: string, again: boolean) => Promise<Outcome<unknown>>;
}

const cases: readonly Case[] = [
  {
    name: 'convert',
    run: (folder, outDir, again) =>
      driver.convertOnnx(join(folder, 'tiny.onnx'), { coding: 'sws', steps: 8, silent: again ? 3 : 2, outDir }),
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
      start(join(folder, 'counted'));
      restart(killer);
      valueOf(await run(folder, join(folder, 'counted'), true));
      const calls = killer.calls;
      expect(calls).toBeGreaterThan(10);
      expect(filesOf(join(folder, 'counted'))).toEqual(fresh);
      for (let at = 1; at <= calls; at++) {
        const out = join(folder, `out${at}`);
        start(out);
        await killedAt(at, () => run(folder, out, true));
        if (existsSync(out)) {
          finishWrites(out);
          const names = Object.entries(filesOf(out)).filter(
            ([file]) => !/\.spikec\.tmp$|^\.spikec-.*\.lock$/.test(file),
          );
          expect([before, fresh], `killed before call ${at} of ${calls}`).toContainEqual(Object.fromEntries(names));
        }
        valueOf(await run(folder, out, true));
        expect(filesOf(out), `killed before call ${at} of ${calls}, and run again`).toEqual(fresh);
      }
    },
    400_000,
  );
});
