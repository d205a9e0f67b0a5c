import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { driver } from '../../src/commands/index.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const text = `use "spikec/neurons" { LIF }
network N { input x: real[4]  output x | linear(4) | spike | linear(3) }
config c { network N  neuron LIF  coding direct(steps: 2) }
`;

async function drawn(file: string) {
  const folder = temporaryFolder();
  const path = join(folder, 'n.spike');
  writeFileSync(path, text);
  const outFile = join(folder, file);
  const draw = () => driver.drawPicture({ path, config: 'c' }, { kind: 'bits', normalisation: {}, outFile });
  return { outFile, draw, outcome: await draw() };
}

it('a picture whose name ends in .png is a PNG of the SVG’s size, twice as fine, and only its own kind is replaced', async () => {
  const { outFile, draw, outcome } = await drawn('bits.PNG');
  expect(outcome.diagnostics).toEqual([]);
  const bytes = readFileSync(outFile);
  expect([...bytes.subarray(0, 8)]).toEqual([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  const { outFile: svgFile } = await drawn('bits.svg');
  const [, width, height] = /width="([\d.]+)" height="([\d.]+)"/.exec(readFileSync(svgFile, 'utf8'))!;
  expect(Math.abs(bytes.readUInt32BE(16) - 2 * Number(width))).toBeLessThanOrEqual(2);
  expect(Math.abs(bytes.readUInt32BE(20) - 2 * Number(height))).toBeLessThanOrEqual(2);
  expect(bytes.length).toBeGreaterThan(2000);
  expect((await draw()).diagnostics).toEqual([]);
  // another program's picture
  const other = Buffer.concat([bytes.subarray(0, 33), bytes.subarray(33 + 12 + 'Software spikec picture'.length)]);
  writeFileSync(outFile, other);
  expect((await draw()).diagnostics.map(({ code }) => code)).toEqual(['file/would-replace']);
  expect(readFileSync(outFile)).toEqual(other);
});

it('without the package that draws PNG, the picture is refused by the package’s name before anything is drawn', async () => {
  vi.resetModules();
  vi.doMock('@resvg/resvg-js', () => {
    throw new Error('not here');
  });
  const { openPngPictures } = await import('../../src/report/png-picture.js');
  await expect(openPngPictures()).rejects.toMatchObject({
    diagnostics: [
      {
        code: 'file/package-missing',
        message: 'PNG pictures are drawn by the package "@resvg/resvg-js", which isn’t installed',
        help: '`npm install @resvg/resvg-js`, or a name that ends in .svg',
      },
    ],
  });
});
