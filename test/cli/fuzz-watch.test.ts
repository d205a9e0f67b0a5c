import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../support/temporary-folder.js';

interface Watched {
  verdict(input: unknown, size: number): Promise<{ readonly problem?: string; readonly refused: boolean }>;
  end(): void;
}

/** A worker that does what its input says. */
const worker = `
process.on('message', (what) => {
  if (what === 'hang') for (;;);
  if (what === 'sleep') return;
  if (what === 'end') process.exit(3);
  process.send({ refused: what === 'refuse', grown: what === 'grow' ? 1e9 : 0 });
});
process.send({ ready: true });
`;

it('the fuzzer sees endless loops, processes that end or never answer, and memory that grows; the next input is not their victim', async () => {
  const path = join(temporaryFolder(), 'worker.mjs');
  writeFileSync(path, worker);
  const module: string = new URL('../../fuzz/watch.mjs', import.meta.url).href;
  const { Watched } = (await import(module)) as { Watched: new (path: string, options: object) => Watched };
  const watched = new Watched(path, { slowest: 400 });
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
}, 60_000);
