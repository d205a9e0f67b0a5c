import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Engine } from '../../src/engines/index.js';
import { compileProgram } from '../../src/engines/native/compiler.js';
import { findCompiler } from '../../src/engines/native/find-compiler.js';
import { emitInference } from '../../src/engines/native/inference.js';
import { ProgramBuilder, type Program, evaluate } from '../../src/tensor/index.js';
import { optimisedEngines } from '../support/native.js';
import { feedsFor, largestDifference } from '../tensor/cases.js';

/** A convolution, two steps of a neuron, a pool and a linear layer: samples don't depend on each other. */
function inference(): Program {
  const b = new ProgramBuilder('inference');
  const x = b.input('x', 'f32', [{ batch: 1 }, 3, 8, 8]);
  const weights = feedsFor(
    (() => {
      const w = new ProgramBuilder('weights');
      w.output('y', w.neg(w.input('conv', 'f32', [8, 3, 3, 3])));
      w.output('z', w.neg(w.input('fc', 'f32', [5, 128])));
      return w.build();
    })(),
    1,
  );
  const current = b.conv2d(x, b.param('conv', weights['conv']!), { pads: [1, 1, 1, 1] });
  const first = b.ge(current, 1);
  const rest = b.select(first, 0, current);
  const second = b.ge(b.add(b.mul(rest, 0.5), current), 1);
  const train = b.concat([b.cast(first, 'f32'), b.cast(second, 'f32')], 0);
  const pooled = b.avgpool(train, { kernel: [2, 2] });
  const flat = b.reshape(pooled, [{ batch: 2 }, 128]);
  b.output('logits', b.matmul(flat, b.param('fc', weights['fc']!), { transB: true }));
  return b.build();
}

describe.each(optimisedEngines)('engine $name', (engine: Engine) => {
  it('gives each sample its own result, however a batch is cut among threads', async () => {
    const program = inference();
    const opened = await engine.open(program, { threads: 3 });
    for (const n of [7, 1, 40, 2, 7]) {
      const feeds = feedsFor(program, n, n);
      const found = await opened.step(feeds);
      expect(largestDifference(found['logits']!, evaluate(program, feeds)['logits']!)).toBeLessThan(1e-5);
    }
    await opened.dispose();
  });

  it('takes the next batch while one is computed, and gives each its own result', async () => {
    const program = inference();
    const opened = await engine.open(program, { threads: 2 });
    expect(opened.lanes).toBe(2);
    const feeds = [9, 4, 9].map((n) => feedsFor(program, n, n + 1));
    const found = await Promise.all(feeds.map((each) => opened.step(each)));
    feeds.forEach((each, i) => {
      expect(largestDifference(found[i]!['logits']!, evaluate(program, each)['logits']!)).toBeLessThan(1e-5);
    });
    await opened.dispose();
  });

  it('sums a few elements to a number, where that is used', async () => {
    const b = new ProgramBuilder('short-sums');
    const [x, y] = [b.input('x', 'f32', [3]), b.input('y', 'f32', [2, 2])];
    const total = b.add(b.sumAll(x), b.sumAll(b.transpose(y, [1, 0])));
    b.output('total', b.mul(total, total));
    b.output('scaled', b.mul(x, total));
    const program = b.build();
    const opened = await engine.open(program, { threads: 1 });
    const feeds = feedsFor(program, 1, 4);
    const [found, expected] = [await opened.step(feeds), evaluate(program, feeds)];
    await opened.dispose();
    for (const name of ['total', 'scaled']) {
      expect(largestDifference(found[name]!, expected[name]!)).toBeLessThan(1e-5);
    }
  });

  it.each([6, 16, 1])(
    'takes weighted counts and constants of images of %d channels as the reference does',
    async (channels) => {
      const b = new ProgramBuilder('counts');
      const x = b.input('x', 'f32', [{ batch: 1 }, channels, 5, 7]);
      const constants = feedsFor(
        (() => {
          const p = new ProgramBuilder('constants');
          for (const [id, shape] of [
            ['gain', [channels, 1, 1]],
            ['bias', [channels, 5, 7]],
            ['fan', [channels * 35, 2]],
          ] as const) {
            p.output(id, p.neg(p.input(id, 'f32', shape)));
          }
          return p.build();
        })(),
        1,
      );
      const current = b.add(b.mul(x, b.param('gain', constants['gain']!)), b.param('bias', constants['bias']!));
      const first = b.cast(b.ge(current, 0.5), 'f32');
      const second = b.cast(b.ge(b.sub(b.add(current, current), first), 0.5), 'f32');
      const train = b.concat([first, second], 0);
      b.output('train', train);
      b.output('padded', b.pad(current, [0, 0, 1, 0], [0, 0, 0, 2]));
      b.output('pooled', b.avgpool(train, { kernel: [2, 2] }));
      const prefixes = b.concat([b.mul(b.add(b.mul(first, 2), second), 0.5), b.sub(second, b.mul(first, 3))], 0);
      b.output('pooled_prefixes', b.avgpool(prefixes, { kernel: [2, 2] }));
      const flat = b.reshape(b.add(first, second), [{ batch: 1 }, channels * 35]);
      b.output('counts', b.matmul(flat, b.param('fan', constants['fan']!)));
      const program = b.build();
      const opened = await engine.open(program, { threads: 2 });
      const feeds = feedsFor(program, 5, 4);
      const [found, expected] = [await opened.step(feeds), evaluate(program, feeds)];
      await opened.dispose();
      for (const name of Object.keys(expected)) {
        expect(largestDifference(found[name]!, expected[name]!), name).toBe(0);
      }
    },
  );

  it('bounds what is no number, infinite or a zero of either sign as the reference does', async () => {
    const b = new ProgramBuilder('bounds');
    const [x, y] = [b.input('x', 'f32', [{ batch: 1 }]), b.input('y', 'f32', [{ batch: 1 }])];
    b.output('clipped', b.max(b.min(x, 2), -1));
    b.output('clipped_from_below', b.min(b.max(b.round(b.div(x, 0.5)), 0), 3));
    b.output('above_zero', b.max(x, 0));
    b.output('number_first', b.min(b.scalar('f32', 1), x));
    b.output('to_no_number', b.max(x, Number.NaN));
    b.output('to_infinity', b.max(b.min(x, Infinity), -Infinity));
    b.output('least', b.min(x, y));
    b.output('greatest', b.max(x, y));
    const program = b.build();
    const numbers = [Number.NaN, -0, 0, -Infinity, Infinity, -1, 2, 0.75, -3, 1e30, -1e30];
    const pairs = numbers.flatMap((one) => numbers.map((other) => [one, other] as const));
    const column = (i: 0 | 1) =>
      ({ dtype: 'f32', shape: [pairs.length], data: Float32Array.from(pairs, (pair) => pair[i]) }) as const;
    const feeds = { x: column(0), y: column(1) };
    const opened = await engine.open(program, { threads: 1 });
    const [found, expected] = [await opened.step(feeds), evaluate(program, feeds)];
    await opened.dispose();
    for (const name of Object.keys(expected)) {
      // the sign of a zero is left open
      const plain = (data: ArrayLike<number>): number[] => Array.from(data, (value) => (value === 0 ? 0 : value));
      expect(plain(found[name]!.data as Float32Array), name).toEqual(plain(expected[name]!.data as Float32Array));
    }
  });

  it('reduces values that are so large that several threads take parts of them', async () => {
    const b = new ProgramBuilder('parts');
    const x = b.input('x', 'f32', [{ batch: 1 }, 3, 64, 64]);
    b.output('channels', b.sum(x, [0, 2, 3]));
    b.output('columns', b.sum(x, [0, 1, 2]));
    b.output('all', b.sumAll(b.mul(x, x)));
    b.output('greatest', b.reduceMax(x, [0, 1, 2, 3]));
    b.output('rows', b.sum(x, [3]));
    b.output('mapped', b.add(b.mul(x, 2), 1));
    const program = b.build();
    const opened = await engine.open(program, { threads: 3 });
    const feeds = feedsFor(program, 5, 6);
    const [found, expected] = [await opened.step(feeds), evaluate(program, feeds)];
    await opened.dispose();
    for (const name of Object.keys(expected)) {
      expect(largestDifference(found[name]!, expected[name]!), name).toBeLessThan(1e-5);
    }
  });

  it('takes steps that are asked for at once one after the other', async () => {
    const program = inference();
    const opened = await engine.open(program, { threads: 2 });
    const feeds = [3, 5, 4].map((n) => feedsFor(program, n, n));
    const found = await Promise.all(feeds.map((one) => opened.step(one)));
    await opened.dispose();
    feeds.forEach((one, i) => {
      expect(largestDifference(found[i]!['logits']!, evaluate(program, one)['logits']!)).toBeLessThan(1e-5);
    });
  });
});

describe('without a C compiler', () => {
  afterEach(() => {
    vi.unstubAllEnvs();
    vi.resetModules();
  });

  it('the native engine says which it looked for, and what helps', async () => {
    vi.stubEnv('CC', '/nowhere/cc');
    vi.resetModules();
    const { findCompiler } = await import('../../src/engines/native/find-compiler.js');
    const error: unknown = await findCompiler().catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ diagnostics: [{ code: 'engine/unavailable' }] });
    const [{ message, help }] = (error as { diagnostics: [{ message: string; help: string }] }).diagnostics;
    expect(message).toContain('/nowhere/cc');
    expect(help).toContain('unset CC');
  });
});

describe.each(optimisedEngines)('compiled programs that engine $name keeps', (engine: Engine) => {
  let home = '';
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'spikec-kept-'));
    vi.stubEnv('XDG_CACHE_HOME', home);
  });
  afterEach(() => {
    vi.unstubAllEnvs();
    rmSync(home, { recursive: true, force: true });
  });

  const doubled = (): Program => {
    const b = new ProgramBuilder('doubled');
    b.output('y', b.mul(b.input('x', 'f32', [{ batch: 1 }, 3]), 2));
    return b.build();
  };
  async function expectDoubles(): Promise<void> {
    const program = doubled();
    const opened = await engine.open(program, { threads: 1 });
    const feeds = feedsFor(program, 2, 1);
    const found = await opened.step(feeds);
    await opened.dispose();
    expect(largestDifference(found['y']!, evaluate(program, feeds)['y']!)).toBe(0);
  }

  it('are made once, also where two open the same at once, and nothing else stays', async () => {
    await Promise.all([expectDoubles(), expectDoubles()]);
    const kept = readdirSync(join(home, 'spikec', 'native'));
    expect(kept).toEqual([expect.stringMatching(/^[0-9a-f]{40}\.so$/)]);
    const path = join(home, 'spikec', 'native', kept[0]!);
    const { ino } = statSync(path);
    await expectDoubles();
    expect(statSync(path).ino).toBe(ino);
  });

  it.each([
    ['empty', ''],
    ['of something else', 'no library at all'.repeat(1000)],
  ])('are made anew where the file is %s', async (_, text) => {
    const compiler = await findCompiler();
    // compiled but not loaded: what a process has loaded once, it doesn't read again
    const path = await compileProgram(compiler, emitInference(doubled(), compiler.target), (made) =>
      Promise.resolve(made),
    );
    writeFileSync(path, text);
    await expectDoubles();
    expect(readFileSync(path).subarray(1, 4).toString()).toBe('ELF');
    expect(readdirSync(join(home, 'spikec', 'native'))).toHaveLength(1);
  });

  it('are not kept where their folder cannot be made, and run all the same', async () => {
    const file = join(home, 'file');
    writeFileSync(file, '');
    vi.stubEnv('XDG_CACHE_HOME', file);
    const before = readdirSync(tmpdir()).filter((name) => name.startsWith('spikec-native-'));
    await expectDoubles();
    expect(readdirSync(tmpdir()).filter((name) => name.startsWith('spikec-native-'))).toEqual(before);
    expect(statSync(file).size).toBe(0);
  });
});
