import { expect, it } from 'vitest';
import type { ConvertOptions } from '../../src/commands/index.js';
import { spikec } from './fake.js';

it.each([
  [['--coding', 'rate', '--silent', '3'], "option '--silent' belongs to `--coding sws`, not to `--coding rate`"],
  [['--coding', 'rate', '--integer', '3'], "option '--integer' belongs to `--coding mbif`, not to `--coding rate`"],
  [['--coding', 'mbif', '--encoder', 'drive'], "option '--encoder' belongs to `--coding sws`"],
  [['--percentile', '50'], "option '--percentile' does nothing without '--calibrate'"],
  [['--coding', 'mbif', '--limit', '5'], "option '--limit' does nothing without '--calibrate'"],
])('convert %j is wrong usage: nothing is ignored', async (flags, problem) => {
  const ran = await spikec(['convert', 'a.onnx', ...flags, '--json']);
  expect(ran.code).toBe(2);
  expect(ran.err).toContain(problem);
  const { diagnostics } = JSON.parse(ran.out) as { diagnostics: { code: string; message: string }[] };
  expect(diagnostics[0]!.code).toBe('cli/usage');
  expect(diagnostics[0]!.message).toContain(problem);
});

it.each([
  [['mbif', '--integer', '0', '--fraction', '0'], "'--integer' 0 and '--fraction' 0 are 0 bits"],
  [['mbif', '--integer', '9', '--fraction', '9'], 'a spike has 1 to 16 in all'],
  [['ibra', '--largest', '1.55', '--per-unit', '10'], "is 15.5, which has to be a whole number: '--largest' 1.5 or"],
  [['ibra', '--largest', '0.01', '--per-unit', '10'], "'--largest' 0.1 would do"],
  [['ibra', '--steps', '4'], "'--steps' 4: neurons of `--coding ibra` carry means at 1 step only"],
  [['ibra', '--largest', '7000'], 'more than 65535 levels'],
])('convert --coding %j is refused before the network is read, by its flags', async (flags, problem) => {
  const ran = await spikec(['convert', 'a.onnx', '--coding', ...flags]);
  expect(ran.code).toBe(2);
  expect(ran.err).toContain(problem);
});

it('--input-shape may be given once for each input', async () => {
  const seen: ConvertOptions[] = [];
  const shapes = ['--input-shape', 'x=1,4', '--input-shape', 'the y=1,3,8'];
  await spikec(['convert', 'a.onnx', ...shapes], {
    convertOnnx: (_, options) => {
      seen.push(options);
      return Promise.resolve({ diagnostics: [] });
    },
  });
  expect(seen.map(({ inputShapes }) => inputShapes)).toEqual([
    [
      { name: 'x', sizes: [1, 4] },
      { name: 'the y', sizes: [1, 3, 8] },
    ],
  ]);
});
