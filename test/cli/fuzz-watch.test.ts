import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../support/temporary-folder.js';

interface Verdict {
  readonly problem?: string;
  readonly refused: boolean;
}

interface Watched {
  verdict(input: unknown, size: number): Promise<Verdict>;
  verdicts(
    batch: { readonly from: number; readonly to: number },
    told: (n: number, verdict: Verdict) => void,
  ): Promise<number>;
  end(): void;
}

/** A worker that does what its input says. */
const worker = `
process.on('message', (what) => {
  if (what.to !== undefined) {
    for (let n = what.from; n < what.to; n++) {
      if (n === 3) for (;;);
      process.send({ n, size: 100, refused: n === 1, grown: n === 5 ? 1e9 : 0, milliseconds: n === 6 ? 500 : 1 });
    }
    return;
  }
  if (what === 'hang') for (;;);
  if (what === 'sleep') return;
  if (what === 'end') process.exit(3);
  process.send({ refused: what === 'refuse', grown: what === 'grow' ? 1e9 : 0 });
});
process.send({ ready: true });
`;

const opened = async (): Promise<Watched> => {
  const path = join(temporaryFolder(), 'worker.mjs');
  writeFileSync(path, worker);
  const module: string = new URL('../../fuzz/watch.mjs', import.meta.url).href;
  const { Watched } = (await import(module)) as { Watched: new (path: string, options: object) => Watched };
  return new Watched(path, { slowest: 400 });
};

it('of a batch every input has one answer: what hangs, grows or is slow is named, and those behind it follow', async () => {
  const watched = await opened();
  const told: (readonly [number, string | undefined, boolean])[] = [];
  try {
    const next = await watched.verdicts({ from: 0, to: 8 }, (n, { problem, refused }) =>
      told.push([n, problem, refused]),
    );
    expect(next).toBe(8);
  } finally {
    watched.end();
  }
  expect(told).toEqual([
    [0, undefined, false],
    [1, undefined, true],
    [2, undefined, false],
    [3, 'longer than 400 ms', false],
    [4, undefined, false],
    [5, 'memory grew by 1000 MB', false],
    [6, 'longer than 400 ms', false],
    [7, undefined, false],
  ]);
});

it('the fuzzer sees endless loops, processes that end or never answer, and memory that grows; the next input is not their victim', async () => {
  const watched = await opened();
  const said = async (input: string): Promise<string | undefined> => (await watched.verdict(input, 100)).problem;
  try {
    expect(await said('fine')).toBeUndefined();
    expect((await watched.verdict('refuse', 100)).refused).toBe(true);
    expect(await said('hang')).toBe('longer than 400 ms');
    expect(await said('fine')).toBeUndefined();
    expect(await said('end')).toBe('the process ended: 3');
    expect(await said('fine')).toBeUndefined();
    // no processor time is used: the clock decides
    expect(await said('sleep')).toBe('longer than 400 ms');
    expect(await said('grow')).toBe('memory grew by 1000 MB');
    expect(await said('fine')).toBeUndefined();
  } finally {
    watched.end();
  }
});
