import { expect, it } from 'vitest';
import { spikec } from './fake.js';

it.each([
  [['cost', 'a.spike', '--bogus', '--json'], "unknown option '--bogus'"],
  [['cost', 'a.spike', '--csv', '--json'], 'cannot be used with'],
  [['cost', '--json'], "missing required argument 'target'"],
  [['allocate', 'a.onnx', '--data', 'mnist:test', '--json'], 'one budget is needed'],
  [['--json'], ''],
  [['bogus', '--json'], ''],
])('wrong usage is a JSON document, too: %j', async (args, problem) => {
  const { code, out, err } = await spikec(args);
  expect(code).toBe(2);
  expect(err).toContain(problem);
  const { diagnostics } = JSON.parse(out) as { diagnostics: { code: string; severity: string; message: string }[] };
  expect(diagnostics).toHaveLength(1);
  expect(diagnostics[0]).toMatchObject({ code: 'cli/usage', severity: 'error' });
  expect(diagnostics[0]!.message).toContain(problem);
  expect(diagnostics[0]!.message).not.toContain('error:');
});

it.each([
  [
    ['train', 'a.spike', '--epocs', '3'],
    "unknown option '--epocs'",
    'did you mean --epochs? `spikec train --help` lists what there is',
  ],
  [['comple'], "unknown command 'comple'", 'did you mean compile? `spikec COMMAND --help` lists what there is'],
  [['train', 'a.spike', '--epochs', 'x'], "'x' is invalid", '`spikec train --help` lists what there is'],
  [['cost'], "missing required argument 'target'", '`spikec cost --help` lists what there is'],
  [['fmt', '--\u001b[31m'], "unknown option '--\ufffd[31m'", '`spikec fmt --help` lists what there is'],
])('wrong usage has the form of every other error: %j', async (args, problem, help) => {
  const { code, out, err } = await spikec(args);
  expect([code, out]).toEqual([2, '']);
  const [first, second, ...rest] = err.split('\n');
  expect(first).toMatch(/^error\[cli\/usage\]: /);
  expect(first).toContain(problem);
  expect(second!.trim()).toBe(`= help: ${help}`);
  expect(rest).toEqual(['', '1 error', '']);
});

it('without a command the help is printed, once', async () => {
  const { code, err } = await spikec([]);
  expect(code).toBe(2);
  expect(err).toMatch(/^Usage: spikec/);
  expect(err).not.toContain('error[');
});

it('a bug is a JSON document, too', async () => {
  const costOf = () => Promise.reject(new TypeError('x is undefined'));
  const { code, out, err } = await spikec(['cost', 'a.spike', '--json'], { costOf });
  expect([code, err.split('\n')[0]]).toEqual([2, 'spikec has a bug: TypeError: x is undefined']);
  expect(JSON.parse(out)).toMatchObject({
    diagnostics: [{ code: 'cli/bug', severity: 'error', message: 'spikec has a bug: TypeError: x is undefined' }],
  });
});

it('without --json, with it behind `--`, and for help nothing is added', async () => {
  expect((await spikec(['cost', '--bogus'])).out).toBe('');
  expect((await spikec(['cost', '--bogus', '--', '--json'])).out).toBe('');
  expect((await spikec(['cost', '--json', '--help'])).out).toMatch(/^Usage/);
});
