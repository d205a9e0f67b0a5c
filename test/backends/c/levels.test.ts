import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { emitC } from '../../../src/backends/c/index.js';
import { lower } from '../../../src/lower/program/index.js';
import type { Network } from '../../../src/network/index.js';
import { simplify } from '../../../src/tensor/index.js';
import { armGcc, hasArmGcc, hasGcc, runC, sizeOf, stackOf } from '../../support/c-compiler.js';
import { shapeOf } from '../../support/c-network.js';
import { logitsOf, runPasses, withRandomNorms } from '../../support/planes.js';
import { randomImages } from '../../support/random-network.js';
import { networkFrom } from '../../support/train.js';

/** A small network of neurons that fire levels, as the model files of ABA and MBM write theirs, ready for inference. */
function network(
  neuron: string,
  { steps = 1, bits = 'weights 4', first = neuron, body = '', seed = 3, channels = 8 } = {},
): Network {
  const residual = `
    coded = image | spike(${first})
    stem  = coded | conv(${channels}, kernel: 3) | batchnorm | spike
    inner = stem | conv(${channels}, kernel: 3) | batchnorm | spike | conv(${channels}, kernel: 3) | batchnorm
    sum   = inner + stem | spike
    output sum | global_avgpool | linear(4)`;
  const made = networkFrom(
    `use "spikec/neurons" { IF, LIF, MBLIF, Refined, Ternary, IBRALIF, BackEI, MLF, EIF }
    network Levels { input image: real[3, 8, 8] ${body || residual} }
    config c { network Levels  neuron ${neuron}  coding direct(steps: ${steps})  bits { ${bits} } }`,
    seed,
  );
  return runPasses(withRandomNorms(made, seed), 'ann');
}

/** C of a network beside the evaluator's float64 on drawn images. */
function compared(given: Network, images = 3): { c: number[][]; exact: number[][]; notes: readonly string[] } {
  const program = simplify(lower(given).program);
  const shape = shapeOf(program);
  const fed = Array.from({ length: images }, (_, k) => randomImages(k + 1, 1, [shape.inputs[0]!]));
  const { files, notes } = emitC({ network: given, program });
  const exact = fed.map((image) => logitsOf(given, image, 'f64'));
  return {
    c: runC(
      files,
      shape,
      fed.map((one) => [one]),
    ).map((one) => [...one]),
    exact,
    notes,
  };
}

/** Logits of the same codes: a code more or less moves them by far more than float's rounding. */
function expectEqual(c: readonly number[][], exact: readonly number[][], of = ''): void {
  c.forEach((logits, i) =>
    logits.forEach((x, j) => {
      expect(Math.abs(x - exact[i]![j]!), of).toBeLessThan(1e-6 * Math.max(1, Math.abs(x)));
    }),
  );
}

it.skipIf(!hasGcc)(
  'fixed bits of weights, spikes and steps (ABA) are integers in C, and decide as exact arithmetic does',
  () => {
    for (const [bits, steps] of [
      ['weights 4  spikes 4  steps 1', 1],
      ['weights 8  spikes 2  steps 2', 1],
      ['weights 2  spikes 1  steps 3', 1],
    ] as const) {
      const given = network('Refined', { bits, steps, first: 'Refined(signed: true)' });
      const { c, exact, notes } = compared(given);
      expect(notes, bits).toEqual([]);
      expect(new Set(exact.flat()).size, bits).toBeGreaterThan(3);
      expectEqual(c, exact);
    }
  },
  120_000,
);

it.skipIf(!hasGcc)(
  'any neuron whose equations stay in whole numbers is integers in C, over steps, in planes and without',
  () => {
    // the tests below have LIF and MBLIF with a hard reset
    for (const neuron of [
      'LIF(tau: 4, theta: 0.3, soft: true)',
      'IF(theta: 0.9)',
      'MBLIF(tau: 4 / 3, theta: 0.37, integer: 1, fraction: 2, soft: true)',
      'IBRALIF(D: 1.5, N: 4)',
      'Ternary(tau: 2, theta: 0.4)',
      'BackEI(tau: 2)',
      'MLF(k: 3)',
    ]) {
      const given = network(neuron, { steps: 4, bits: 'weights 8' });
      const isPlanes = neuron.startsWith('M') || neuron.startsWith('T');
      for (const one of [given, ...(isPlanes ? [runPasses(given, 'planes')] : [])]) {
        const { c, exact, notes } = compared(one, 2);
        expect(notes, neuron).toEqual([]);
        expect(new Set(exact.flat()).size, neuron).toBeGreaterThan(3);
        expectEqual(c, exact, neuron);
      }
    }
  },
  180_000,
);

it.skipIf(!hasGcc)(
  'a first layer that reads the image, pools, groups and channels that fill no byte are what exact arithmetic gives',
  () => {
    const bodies = [
      'a = image | conv(6, kernel: 3, stride: 2) | batchnorm | spike | maxpool(2) | conv(5, kernel: 3) | batchnorm | spike\n output a | flatten | linear(4)',
      'a = image | conv(18, kernel: 3) | batchnorm | spike | avgpool(2) | conv(18, kernel: 3, groups: 2) | batchnorm | spike\n output a | maxpool(2) | flatten | linear(4)',
      'output image | flatten | linear(12) | spike | linear(20) | spike | linear(4)',
    ];
    for (const body of bodies) {
      for (const neuron of ['MBLIF(tau: 4, theta: 0.6, integer: 2, fraction: 1)', 'Refined(signed: true)']) {
        const given = network(neuron, { steps: 2, bits: 'weights 4', body });
        const { c, exact, notes } = compared(given);
        expect(notes, body).toEqual([]);
        expect(new Set(exact.flat()).size, body).toBeGreaterThan(3);
        expectEqual(c, exact, body);
      }
    }
  },
  180_000,
);

it.skipIf(!hasGcc)(
  'a U-Net’s skips, its upsampling by transposed convolutions and by pixels, slices and delays are what exact arithmetic gives',
  () => {
    const bodies = {
      unet: `
        down = image | conv(6, kernel: 3) | batchnorm | spike
        deep = down | maxpool(2) | conv(10, kernel: 3) | batchnorm | spike
        up   = deep | transposed_conv(6, kernel: 2, stride: 2) | batchnorm | spike
        output concat(down, up) | conv(8, kernel: 3) | batchnorm | spike | global_avgpool | linear(4)`,
      'windows that overlap, groups, weights in blocks of 16': `
        a  = image | conv(24, kernel: 3, stride: 2) | batchnorm | spike
        b  = a | transposed_conv(32, kernel: 3, stride: 2, groups: 2) | batchnorm | spike
        output concat(a | upsample(2), b) | avgpool(2) | transposed_conv(5, kernel: 3, stride: 3) | batchnorm | spike | flatten | linear(4)`,
      'delays and parts': `
        a = image | conv(8, kernel: 3) | batchnorm | spike
        b = concat(a | slice(1, 6), a | delay(1), a | delay(3))
        c = b | conv(16, kernel: 3) | batchnorm | spike
        d = (c | conv(6, kernel: 1)) + (c | delay(2) | conv(6, kernel: 1)) | spike
        output d | avgpool(2) | delay(1) | conv(4, kernel: 3) | batchnorm | spike | flatten | linear(4)`,
    };
    const [binary, multibit, signed] = [
      'LIF(tau: 2, theta: 0.7)',
      'MBLIF(tau: 4, theta: 0.6, integer: 2, fraction: 1)',
      'Ternary(tau: 2, theta: 0.4)',
    ];
    for (const [what, body] of Object.entries(bodies)) {
      for (const neuron of what === 'unet' ? [multibit] : [what.startsWith('delays') ? binary : multibit, signed]) {
        const given = network(neuron, { steps: 4, bits: 'weights 4', body });
        const { c, exact, notes } = compared(given);
        expect(notes, what).toEqual([]);
        expect(new Set(exact.flat()).size, what).toBeGreaterThan(3);
        expectEqual(c, exact, what);
      }
    }
  },
  300_000,
);

it('a connection back is no layer that is computed over all of its steps at once, and that is said', () => {
  const given = network('LIF(tau: 2)', {
    steps: 3,
    bits: 'weights 8',
    body: 'h = (image | flatten | linear(8)) + (h | delay(1) | linear(8)) | spike\n output h | linear(4)',
  });
  const { notes } = emitC({ network: given, program: simplify(lower(given).program) });
  expect(notes.join()).toMatch(/%\S+: it closes a cycle$/);
});

it('what has no form in integers is written in floating point, and says which layer and why', () => {
  for (const [neuron, bits, why] of [
    ['LIF(tau: 3)', 'weights 4', 'its membrane leaks by no sum of halves'],
    ['EIF(tau: 2)', 'weights 4', 'its equations call exp'],
    ['LIF(tau: 2)', 'spikes 1', 'its weights aren’t quantised'],
  ] as const) {
    const given = network(neuron, { steps: 3, bits });
    const { notes } = emitC({ network: given, program: simplify(lower(given).program) });
    expect(notes.join(), neuron).toContain(why);
  }
});

it.skipIf(!hasArmGcc)(
  'ResNet-20 of fixed bits takes at most 1.1 times its packed weights, the memory that is printed, and a small stack',
  () => {
    const text = readFileSync(join(import.meta.dirname, '../../../models/adaptive/resnet20.spike'), 'utf8');
    const given = runPasses(withRandomNorms(networkFrom(text, 1, 'u331'), 1), 'ann');
    const { files, memory, notes } = emitC({ network: given, program: simplify(lower(given).program) });
    expect(notes).toEqual([]);
    // 270,896 weights of 3 bits
    expect(memory.flash).toBeLessThanOrEqual(1.1 * ((270_896 * 3) / 8));
    const flags = ['-Os', '-mcpu=cortex-m4', '-mthumb'];
    const { data, bss } = sizeOf(files, armGcc, flags);
    expect(data + bss).toBe(memory.ram);
    expect(Math.max(...stackOf(files, armGcc, flags))).toBeLessThan(1024);
  },
  240_000,
);
