import { expect, it } from 'vitest';
import { crc32c, csvLog, tensorBoardLog } from '../../src/workspace/run-logs.js';

const records = [
  { epoch: 1, loss: 0.5, accuracy: 0.75, rate: 0.1, firing: { 'a.spike': 0.25, 'b,c': 0.5 }, seconds: 2 },
  { epoch: 2, loss: 0.25, accuracy: 1, val_loss: 0.5, rate: 0.05, firing: { 'a.spike': 0.125, 'b,c': 0 }, seconds: 3 },
];

it('the log as CSV has a row an epoch and a column for whatever any of them has', () => {
  expect(csvLog(records)).toBe(`epoch,loss,accuracy,rate,seconds,firing/a.spike,"firing/b,c",val_loss
1,0.5,0.75,0.1,2,0.25,0.5,
2,0.25,1,0.05,3,0.125,0,0.5
`);
  expect(csvLog([])).toBe('epoch\n');
});

it('CRC-32C is that of its test vectors (RFC 3720)', () => {
  expect(crc32c(new TextEncoder().encode('123456789'))).toBe(0xe3069283);
  expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
});

it('the log of TensorBoard is a row of records with lengths and checksums, read back field by field', () => {
  const bytes = tensorBoardLog(records);
  const view = new DataView(bytes.buffer);
  const unmask = (masked: number): number => {
    const rotated = (masked - 0xa282ead8) >>> 0;
    return ((rotated >>> 17) | (rotated << 15)) >>> 0;
  };
  const found: (readonly [wall: number, step: number, tag: string, value: number])[] = [];
  for (let at = 0; at < bytes.length;) {
    const length = Number(view.getBigUint64(at, true));
    expect(unmask(view.getUint32(at + 8, true))).toBe(crc32c(bytes.subarray(at, at + 8)));
    const data = bytes.subarray(at + 12, at + 12 + length);
    expect(unmask(view.getUint32(at + 12 + length, true))).toBe(crc32c(data));
    at += 16 + length;
    const inner = new DataView(data.buffer, data.byteOffset, length);
    expect(data[0]).toBe(9);
    if (data[9] === 0x1a) {
      expect(new TextDecoder().decode(data.subarray(11))).toBe('brain.Event:2');
      continue;
    }
    // step; summary { value { tag, simple_value } }
    expect([data[9], data[11], data[13], data[15]]).toEqual([0x10, 0x2a, 0x0a, 0x0a]);
    const name = data[16]!;
    expect(data[17 + name]).toBe(0x15);
    const tag = new TextDecoder().decode(data.subarray(17, 17 + name));
    found.push([inner.getFloat64(1, true), data[10]!, tag, inner.getFloat32(18 + name, true)]);
  }
  expect(found).toHaveLength(13);
  expect(found).toContainEqual([2, 1, 'loss', 0.5]);
  expect(found).toContainEqual([5, 2, 'firing/a.spike', 0.125]);
  expect(found).toContainEqual([5, 2, 'val_loss', 0.5]);
});
