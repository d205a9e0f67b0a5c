import { expect, it } from 'vitest';
import { progressReporter } from '../../src/cli/progress.js';
import type { Terminal } from '../../src/cli/terminal.js';

function setUp(interactive: boolean) {
  const written: string[] = [];
  const terminal: Terminal = {
    out: () => undefined,
    err: (text) => written.push(text),
    interactive,
    colour: { out: false, err: false },
    columns: 40,
  };
  let time = 0;
  const reporter = progressReporter(terminal, () => time);
  const at = (milliseconds: number, done: number) => {
    time = milliseconds;
    reporter.update({ phase: 'evaluating', done, total: 1000, unit: 'images' });
  };
  return { written, at, reporter };
}

it('work that is done within two seconds shows nothing', () => {
  const { written, at, reporter } = setUp(true);
  for (let t = 0; t < 2000; t += 10) at(t, t / 10);
  reporter.clear();
  expect(written).toEqual([]);
});

it('on a screen one line is redrawn at most every tenth of a second and removed at the end', () => {
  const { written, at, reporter } = setUp(true);
  at(0, 0);
  for (let t = 2000; t < 3000; t += 10) at(t, t / 10);
  expect(written).toHaveLength(10);
  for (const text of written) expect(text).toMatch(/^\r\x1b\[2Kevaluating {2}\d+ of 1,000 images/);
  for (const text of written) expect(text.length).toBeLessThanOrEqual('\r\x1b[2K'.length + 39);
  reporter.clear();
  expect(written.at(-1)).toBe('\r\x1b[2K');
});

it('elsewhere a line is written every five seconds, with rate and time left', () => {
  const { written, at } = setUp(false);
  at(0, 0);
  for (let t = 100; t <= 12_000; t += 100) at(t, t / 20);
  expect(written).toHaveLength(3);
  expect(written[0]).toBe('evaluating  100 of 1,000 images  10 %  50/s  18 s left\n');
});
