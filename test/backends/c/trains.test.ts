import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { emitC } from '../../../src/backends/c/index.js';
import { importOnnx } from '../../../src/frontends/onnx/index.js';
import { lower } from '../../../src/lower/program/index.js';
import type { Network } from '../../../src/network/index.js';
import { simplify } from '../../../src/tensor/index.js';
import { armGcc, hasArmGcc, hasGcc, sizeOf } from '../../support/c-compiler.js';
import { inBoth } from '../../support/c-network.js';
import { randomNetwork, withSkip } from '../../support/random-network.js';
import { convert, sws } from '../../support/sws.js';

const example = join(import.meta.dirname, '../../../examples/convert-onnx');

function lenet(options: Parameters<typeof sws>[0] = {}): Network {
  const imported = importOnnx({ name: 'lenet5.onnx', bytes: readFileSync(join(example, 'lenet5.onnx')) }).value!;
  return convert(imported.network, sws(options)).spiking;
}

/** The example's digits as the network wants them. */
function digits(count: number): Float32Array[] {
  const bytes = gunzipSync(readFileSync(join(example, 'digits-images.idx.gz'))).subarray(16);
  return Array.from({ length: count }, (_, k) =>
    Float32Array.from(bytes.subarray(k * 784, (k + 1) * 784), (x) => (x / 255 - 0.5) / 0.5),
  );
}

function emitted(network: Network): ReturnType<typeof emitC> {
  return emitC({ network, program: simplify(lower(network).program) });
}

it.skipIf(!hasGcc)(
  'LeNet-5 in integers gives the evaluator’s logits on real digits, bit for bit',
  () => {
    const { c, reference, notes } = inBoth(lenet(), digits(12));
    expect(notes).toEqual([]);
    expect(c).toEqual(reference);
  },
  240_000,
);

it.skipIf(!hasGcc)(
  'weights of every number of bits are packed so, and give the same',
  () => {
    const flash = [8, 5, 4, 3, 2].map((bits) => {
      const network = lenet({ weightBits: () => bits });
      const { c, reference, notes, memory } = inBoth(network, digits(1));
      expect(notes).toEqual([]);
      expect(c).toEqual(reference);
      return memory.flash;
    });
    const weights = 61_470;
    for (const [i, bits] of [8, 5, 4, 3, 2].entries()) {
      expect(flash[i]!).toBeGreaterThan((weights * bits) / 8);
      expect(flash[i]!).toBeLessThan((weights * bits) / 8 + 6000);
    }
  },
  240_000,
);

it.skipIf(!hasGcc)(
  'networks of any shape in integers are what the evaluator computes, bit for bit',
  () => {
    let integers = 0;
    for (let seed = 1; seed <= 6; seed++) {
      const network = convert(randomNetwork(seed, 3), sws({ silent: seed % 4 })).spiking;
      const { c, reference, notes } = inBoth(network, 4);
      expect(c, `seed ${seed}`).toEqual(reference);
      if (notes.length === 0) integers++;
    }
    expect(integers).toBeGreaterThan(3);
    const skip = inBoth(convert(withSkip(), sws()).spiking);
    expect(skip.notes).toEqual([]);
    expect(skip.c).toEqual(skip.reference);
  },
  120_000,
);

it.skipIf(!hasGcc)('what has no form in integers is written in floating point, and the layer is named', () => {
  const { c, reference, notes } = inBoth(lenet({ beta: 1.5 }), digits(2));
  expect(notes).toEqual(['C in floating point: %input.quant: its codes are no binary digits']);
  expect(c).toEqual(reference);
});

it.skipIf(!hasArmGcc)('LeNet-5 on a Cortex-M needs the memory that is printed, and little code', () => {
  const made = emitted(lenet());
  const { text, data, bss } = sizeOf(made.files, armGcc, ['-Os', '-mcpu=cortex-m4', '-mthumb']);
  expect(data + bss).toBe(made.memory.ram);
  // of 61,470 weights of 8 bits, gains and biases of 236 channels in 64 bits
  expect(text).toBeLessThan(1.1 * (61_470 + 236 * 16));
});
