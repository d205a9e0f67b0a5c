import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../support/temporary-folder.js';
import { tinyImages } from '../support/tiny-onnx.js';
import { spikec } from './fake.js';
import type { PictureOptions } from '../../src/commands/picture.js';
import type { ReportOptions } from '../../src/commands/report.js';
import type { Target } from '../../src/workspace/types.js';

function data(): string {
  const folder = temporaryFolder();
  const { images, labels } = tinyImages(4);
  writeFileSync(join(folder, 'images'), images);
  writeFileSync(join(folder, 'labels'), labels);
  return `idx:${join(folder, 'images')},${join(folder, 'labels')}`;
}

it('report takes several targets and its options, and says what it wrote', async () => {
  let asked: { targets: readonly Target[]; options: ReportOptions } | undefined;
  const reportTargets = (targets: readonly Target[], options: ReportOptions) => {
    asked = { targets, options };
    const value = { file: options.outFile, bytes: 1234, targets: [{ name: 'a', accuracy: 0.5 }, { name: 'b' }] };
    return Promise.resolve({ value, diagnostics: [] });
  };
  const flags = ['--data', data(), '--limit', '2', '--sample', '1', '--mean', '0.5', '-o', 'page.html'];
  const ran = await spikec(['report', 'a.spike#a', 'run', ...flags], { reportTargets });
  expect(ran).toEqual({ code: 0, out: 'a  accuracy 50.00 %\nb\npage.html: 2 kB\n', err: '' });
  expect(asked!.targets).toEqual([{ path: 'a.spike', config: 'a' }, { path: 'run' }]);
  expect(asked!.options).toMatchObject({ limit: 2, sample: 1, outFile: 'page.html', normalisation: { mean: [0.5] } });
  const json = await spikec(['report', 'a.spike', '--json'], { reportTargets });
  expect(JSON.parse(json.out)).toMatchObject({ file: 'report.html', bytes: 1234, targets: [{ name: 'a' }, {}] });
  expect(asked!.options.dataset).toBeUndefined();
});

it('picture takes a kind, a target and its options', async () => {
  let asked: PictureOptions | undefined;
  const drawPicture = (_: Target, options: PictureOptions) => {
    asked = options;
    const value = { kind: options.kind, file: options.outFile, layers: ['stem.spike'] };
    return Promise.resolve({ value, diagnostics: [] });
  };
  const flags = ['--data', data(), '--layer', 'stem.spike', '--neurons', '3, 1,3', '-o', 'x.svg'];
  const ran = await spikec(['picture', 'raster', 'run', ...flags], { drawPicture });
  expect(ran).toEqual({ code: 0, out: 'x.svg: raster of stem.spike\n', err: '' });
  expect(asked).toMatchObject({ kind: 'raster', layer: 'stem.spike', neurons: [3, 1], outFile: 'x.svg' });
  expect((await spikec(['picture', 'sunset', 'run', '-o', 'x.svg'], { drawPicture })).code).toBe(2);
  expect((await spikec(['picture', 'raster', 'run', '-o', 'x.svg', '--neurons', '1,b'], { drawPicture })).code).toBe(2);
  expect((await spikec(['picture', 'raster', 'run'], { drawPicture })).code).toBe(2);
});

it.each([
  [['bits', '--layer', 'zz'], "option '--layer' belongs to `picture levels`, `picture spikes`,"],
  [['bits', '--limit', '3'], "option '--limit' belongs to `picture levels`, not to `picture bits`"],
  [['levels', '--neurons', '3'], "option '--neurons' belongs to `picture raster`, `picture membranes`, not to"],
  [['levels', '--sample', '3'], "option '--sample' belongs to"],
  [['levels', '-o', 'x.pdf'], 'a name that ends in .svg or .png is expected'],
])('picture %j is wrong usage', async ([kind, ...flags], problem) => {
  const out = flags.includes('-o') ? [] : ['-o', 'x.svg'];
  const ran = await spikec(['picture', kind!, 'run', ...out, ...flags]);
  expect(ran.code).toBe(2);
  expect(ran.err).toContain(problem);
});
