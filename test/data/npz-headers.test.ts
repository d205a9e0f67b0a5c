import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { fitDataset, openDataset } from '../../src/data/index.js';
import { expectDiagnostic } from '../support/expect-diagnostic.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { npyBytes, zipBytes } from './builders.js';

const labels = { name: 'y.npy', data: npyBytes("'|u1'", [2], Uint8Array.of(0, 1)) };

/** A `.npy` file with this text as its header. */
function withHeader(text: string, elements: number): Uint8Array {
  const header = `\x93NUMPY\x01\x00${String.fromCharCode(text.length & 255, text.length >> 8)}${text}`;
  return Buffer.concat([Buffer.from(header, 'latin1'), new Uint8Array(elements)]);
}

function open(data: Uint8Array, deflate = false, change?: (fields: { crc: number; size: number }) => void): ReturnType<typeof openDataset> {
  const path = join(temporaryFolder(), 'a.npz');
  writeFileSync(path, zipBytes([{ name: 'x.npy', data, deflate, ...(change === undefined ? {} : { change }) }, labels]));
  return openDataset(`npz:${path}`);
}

it.each(['(2, 3 3)', '(2 6)', '(2, -3)', '(2, 3', '2, 3', '(2, 3.5)', '(2, 1e9)', '(2,, 3)', '(99999999999999999999,)'])(
  'a header whose shape is %s is damaged, and is shown',
  (shape) => {
    const text = `{'descr': '|u1', 'fortran_order': False, 'shape': ${shape}, }\n`;
    expect(expectDiagnostic('data/bad-npz', () => open(withHeader(text, 18))).message).toContain(shape);
  },
);

it('a shape that no file holds is refused, whatever the archive says of sizes', () => {
  const text = `{'descr': '<f8', 'fortran_order': False, 'shape': (2, 4294967296, 4294967296), }\n`;
  expectDiagnostic('data/bad-npz', () => open(withHeader(text, 18)));
  const large = `{'descr': '<f8', 'fortran_order': False, 'shape': (2, 100000, 1000), }\n`;
  expectDiagnostic('data/truncated', () => open(withHeader(large, 18)));
  expectDiagnostic('data/truncated', () => open(withHeader(large, 18), true));
});

it('a shape is compared with the network’s input before anything is unpacked', () => {
  // unpacking would find the wrong checksum
  const dataset = open(npyBytes("'|u1'", [2, 500, 500], new Uint8Array(500_000)), true, (fields) => (fields.crc = 7));
  const { diagnostics } = fitDataset(dataset, { shape: [1, 28, 28], outputs: 2 });
  expect(diagnostics.map(({ code }) => code)).toEqual(['data/shape-mismatch']);
  expect(expectDiagnostic('data/bad-npz', () => dataset.read(0, 1)).message).toContain('checksum');
});

it('a lying size in the archive’s directory is found out', () => {
  const data = npyBytes("'|u1'", [2, 3, 3], new Uint8Array(18));
  for (const size of [0, 1, data.length - 1]) expectDiagnostic('data/truncated', () => open(data, true, (fields) => (fields.size = size)));
  for (const size of [data.length + 1, 2 ** 28]) expectDiagnostic('data/bad-npz', () => open(data, true, (fields) => (fields.size = size)));
});

it('random headers give a diagnostic or a data set, never another exception', () => {
  const good = `{'descr': '|u1', 'fortran_order': False, 'shape': (2, 3, 3), }`;
  const change = fc.tuple(fc.nat(good.length - 1), fc.constantFrom(...`0123456789(), '"<>|ufibO:-.eTrue\u0000\n`.split('')));
  const path = join(temporaryFolder(), 'a.npz');
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), fc.boolean(), (changes, deflate) => {
      const text = good.split('');
      for (const [at, letter] of changes) text[at] = letter;
      writeFileSync(path, zipBytes([{ name: 'x.npy', data: withHeader(text.join(''), 18), deflate }, labels]));
      try {
        const dataset = openDataset(`npz:${path}`);
        expect(dataset.shape.every((n) => Number.isInteger(n) && n > 0)).toBe(true);
        expect(dataset.read(0, dataset.length).images.length).toBeGreaterThan(0);
        dataset.close();
      } catch (error) {
        expect((error as Error).name).toBe('DiagnosticError');
      }
    }),
    { numRuns: 2000, seed: 16 },
  );
});

const damaged = '../shared/cases/turn2/robust/npy-5839.npz';
if (!existsSync(damaged)) console.warn(`skipped: ${damaged} is absent`);
it.skipIf(!existsSync(damaged))('npy-5839.npz is refused with its header', () => {
  expect(expectDiagnostic('data/bad-npz', () => openDataset(`npz:${damaged}`)).message).toContain('(5, 6, 6 6)');
});
