import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { tinyImages } from '../support/tiny-onnx.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { spikec } from './fake.js';
import type { AllocateOptions, AllocateResult } from '../../src/allocate/types.js';

function data(): string {
  const folder = temporaryFolder();
  const { images, labels } = tinyImages(3);
  writeFileSync(join(folder, 'images'), images);
  writeFileSync(join(folder, 'labels'), labels);
  return `idx:${join(folder, 'images')},${join(folder, 'labels')}`;
}

const allocated: AllocateResult = {
  goal: { unit: 'weight_bits', value: 4 },
  layers: [
    { id: 'conv', params: 1000, weight_bits: 6, error: 0.001234, tried: [{ value: 6, error: 0.001234 }] },
    { id: 'fc', params: 2000, weight_bits: 3, error: 0, tried: [] },
  ],
  total: { params: 3000, weight_bits: 4, size_bytes: 1500, s_ace: 12_000, error: 0.001234 },
  exact: true,
  calibration: { samples: 512, accuracy: 0.9, error: 0.0015, source: { accuracy: 0.91, agreement: 0.98 } },
  outDir: 'out',
  files: ['net.spike', 'net.onnx'],
  target: 'out/net.spike#allocated',
  seconds: 3,
  engine: 'onnxruntime',
};

it('allocate asks for a budget or a goal, and says which flags do not go together', async () => {
  const spec = data();
  const fails = async (...flags: string[]): Promise<string> => {
    const ran = await spikec(['allocate', 'net.onnx', '--data', spec, ...flags]);
    expect(ran.code, flags.join(' ')).toBe(2);
    return ran.err;
  };
  expect(await fails()).toContain('one budget is needed');
  expect(await fails('--bytes', '10', '--weight-bits', '4')).toContain('one budget is needed');
  expect(await fails('--silent')).toContain('--silent needs one of');
  expect(await fails('--latency', '30')).toContain('belong to --silent');
  expect(await fails('--silent', '--bytes', '10')).toContain('leave them out with --silent');
  expect(await fails('--weight-bits', '4', '--most', '17')).toContain('bits of a weight are 1 to 16, not 17');
  expect(await fails('--weight-bits', '4', '--least', '0')).toContain('bits of a weight are 1 to 16, not 0');
  expect(await fails('--silent', '--agreement', '1.5')).toContain('between 0 and 1');
  expect(await fails('--weight-bits', '0')).toContain('above 0');
  expect((await spikec(['allocate', 'net.onnx', '--bytes', '10'])).err).toContain("required option '--data");
});

it('allocate passes its flags on and shows the layers', async () => {
  let asked: AllocateOptions | undefined;
  const allocateTarget = (_: unknown, options: AllocateOptions) => {
    asked = options;
    return Promise.resolve({ value: allocated, diagnostics: [] });
  };
  const flags = [
    'allocate',
    'net.onnx',
    '--data',
    data(),
    '--weight-bits',
    '4',
    '--least',
    '3',
    '--limit',
    '2',
    '-o',
    'out',
  ];
  const { code, out } = await spikec(flags, { allocateTarget });
  expect(code).toBe(0);
  expect(asked).toMatchObject({ goal: { unit: 'weight_bits', value: 4 }, least: 3, limit: 2, outDir: 'out' });
  expect(out).toMatchInlineSnapshot(`
    "layer  params  bits    error
    conv    1,000     6  0.00123
    fc      2,000     3        0

    size             1,500 bytes
    bits a weight    4.000
    S-ACE            12,000
    sum of errors    0.00123, the least there is
    error together   0.00150 on 512 images
    accuracy there   90.00 %, before 91.00 %
    agreement there  98.00 %

    written:
      out/net.spike
      out/net.onnx

    Next: spikec eval out/net.spike#allocated --data DATA
    "
  `);
  const json = await spikec([...flags, '--json'], { allocateTarget });
  expect(JSON.parse(json.out)).toEqual({ ...allocated, diagnostics: [] });
});
