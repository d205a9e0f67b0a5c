import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { boxInImage, framedBox, framedImage, letterbox } from '../../src/data/letterbox.js';
import { hasTorch, runPython } from '../support/pytorch.js';
import { seeded } from '../support/random-network.js';
import { temporaryFolder } from '../support/temporary-folder.js';

it('an image is scaled by one factor to fit, and lies in the middle of its frame', () => {
  expect(letterbox([480, 640], [320, 320])).toMatchObject({ size: [240, 320], top: 40, left: 0 });
  expect(letterbox([640, 427], [640, 640])).toMatchObject({ size: [640, 427], top: 0, left: 106 });
  expect(letterbox([10, 30], [64, 64])).toMatchObject({ size: [21, 64], top: 21, left: 0 });
  expect(letterbox([1, 1000], [32, 32])).toMatchObject({ size: [1, 32], top: 15, left: 0 });
});

it('pixels are interpolated between four, and grey around them', () => {
  // 1×2 → 2×4 in a frame of 4×4: columns lie at −0.25 (0), 0.25, 0.75, 1.25 (1)
  const made = framedImage(Uint8Array.of(0, 100), 1, letterbox([1, 2], [4, 4]));
  expect([...made]).toEqual([114, 114, 114, 114, 0, 25, 75, 100, 0, 25, 75, 100, 114, 114, 114, 114]);
  // 2×4 → 1×2: between columns 0 and 1, and 2 and 3, rows 0 and 1
  const small = framedImage(Uint8Array.of(0, 10, 20, 30, 40, 50, 60, 70), 1, letterbox([2, 4], [1, 2]));
  expect([...small]).toEqual([25, 45]);
});

it('boxes go where the pixels go, and back', () => {
  const place = letterbox([480, 640], [320, 320]);
  expect(framedBox([100, 60, 300, 480], place)).toEqual([50, 70, 150, 280]);
  expect(boxInImage([50, 70, 150, 280], place)).toEqual([100, 60, 300, 480]);
  // in the grey part: cut at the image's border
  expect(boxInImage([-8, 20, 160, 300], place)).toEqual([0, 0, 320, 480]);
  // each axis by its own rounded size: 21 of 21.33 rows
  const flat = letterbox([10, 30], [64, 64]);
  expect(framedBox([0, 0, 30, 10], flat)).toEqual([0, 21, 64, 42]);
});

it.runIf(hasTorch)('scaled pixels are those of PyTorch’s bilinear interpolation', () => {
  const random = seeded(3);
  const folder = temporaryFolder();
  const sizes: readonly (readonly [number, number])[] = [
    [37, 53],
    [64, 20],
    [5, 7],
    [150, 90],
  ];
  const cases = sizes.map((from) => {
    const values = Uint8Array.from({ length: 3 * from[0] * from[1] }, () => Math.floor(256 * random()));
    const place = letterbox(from, [64, 64]);
    return { from, size: place.size, place, values };
  });
  writeFileSync(
    join(folder, 'cases.json'),
    JSON.stringify(cases.map(({ from, size, values }) => ({ from, size, values: [...values] }))),
  );
  writeFileSync(
    join(folder, 'scale.py'),
    `import json, sys, torch
out = []
for c in json.load(open(sys.argv[1])):
    x = torch.tensor(c["values"], dtype=torch.float64).reshape(1, 3, *c["from"])
    y = torch.nn.functional.interpolate(x, size=tuple(c["size"]), mode="bilinear", align_corners=False)
    out.append(y.flatten().tolist())
print(json.dumps(out))`,
  );
  const wanted = JSON.parse(runPython(folder, ['scale.py', 'cases.json'])) as number[][];
  cases.forEach(({ values, place: { size, top, left }, place }, k) => {
    const made = framedImage(values, 3, place);
    for (let c = 0; c < 3; c++)
      for (let y = 0; y < size[0]; y++)
        for (let x = 0; x < size[1]; x++) {
          const exact = wanted[k]![(c * size[0] + y) * size[1] + x]!;
          expect(Math.abs(made[(c * 64 + top + y) * 64 + left + x]! - exact)).toBeLessThanOrEqual(0.5 + 1e-9);
        }
    // nothing else is there
    const inside = size[0] * size[1];
    expect(made.filter((v) => v === 114).length).toBeGreaterThanOrEqual(3 * (64 * 64 - inside));
  });
});
