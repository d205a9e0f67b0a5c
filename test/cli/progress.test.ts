import { expect, it } from 'vitest';
import { progressReporter } from '../../src/cli/progress.js';
import type { Terminal } from '../../src/cli/terminal.js';

function setUp(interactive: boolean, columns = 80) {
  const written: string[] = [];
  const terminal: Terminal = {
    out: () => undefined,
    err: (text) => written.push(text),
    interactive,
    colour: { out: false, err: false },
    columns,
  };
  let time = 0;
  const reporter = progressReporter(terminal, () => time);
  const at = (milliseconds: number, done: number) => {
    time = milliseconds;
    reporter.update({ phase: 'evaluating', done, total: 1000, unit: 'images' });
  };
  const pass = (milliseconds: number): number => (time += milliseconds);
  return { written, at, reporter, pass };
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
  for (const text of written) expect(text.length).toBeLessThanOrEqual('\r\x1b[2K'.length + 79);
  reporter.clear();
  expect(written.at(-1)).toBe('\r\x1b[2K');
});

it('elsewhere a line is written every five seconds, with rate and time left', () => {
  const { written, at } = setUp(false);
  at(0, 0);
  for (let t = 100; t <= 12_000; t += 100) at(t, t / 20);
  expect(written).toHaveLength(3);
  expect(written[0]).toBe('evaluating  100 of 1,000 images  10 %  50 images/s  18 s left\n');
});

it.each([
  [80, 'epoch 12/100  23 %  loss 0.2134  training 93.41 %  268 images/s  3 min left'],
  [66, 'epoch 12/100  12,600 of 54,000 images  268 images/s  3 min left'],
  [45, 'epoch 12/100  23 %  268 images/s  3 min left'],
  [32, 'epoch 12/100  23 %  3 min left'],
  [8, 'epoch 1'],
])('on a screen of %i columns the line is whole: what there is no room for is left out', (columns, line) => {
  const { written, reporter, pass } = setUp(true, columns);
  const progress = { phase: 'epoch 12/100', total: 54_000, unit: 'images', detail: 'loss 0.2134  training 93.41 %' };
  reporter.update({ ...progress, done: 0 });
  pass(47_000);
  reporter.update({ ...progress, done: 12_600 });
  expect(written).toEqual([`\r\x1b[2K${line}`]);
  expect(line.length).toBeLessThan(columns);
});

it.each([true, false])('steps that only pass by are shown on a screen (%s) alone', (interactive) => {
  const { written, reporter, pass } = setUp(interactive);
  pass(3000);
  reporter.update({ phase: 'compiling', done: 0, detail: 'after dead-code', passing: true });
  expect(written).toEqual(interactive ? ['\r\x1b[2Kcompiling  after dead-code'] : []);
});

it('a phase of which nothing is heard before it ends is said at once', () => {
  const { written, reporter, pass } = setUp(true);
  reporter.update({ phase: 'compiling the training step', done: 0, silent: true });
  pass(100);
  reporter.update({ phase: 'epoch 1/2', done: 0, total: 10, unit: 'images' });
  expect(written).toEqual(['\r\x1b[2Kcompiling the training step', '\r\x1b[2Kepoch 1/2  0 of 10 images  0 %']);
});
