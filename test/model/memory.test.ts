import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import type { Source } from '../../src/base/source.js';
import { CheckMemory, type ModelLoader, checkWhatHolds, memoryLoader } from '../../src/model/index.js';
import { seeded } from '../support/random-network.js';

const library = Object.fromEntries(
  ['neurons', 'blocks', 'attention'].map((name) => [`spikec/${name}`, readFileSync(`models/${name}.spike`, 'utf8')]),
);

const parts = `use "spikec/neurons" { PLIF }
block Part(n, pad = 0) { input x output x | conv(n, kernel: 3) | spike }
block Loose { input x output x | relu }
config inherited { network onnx("a.onnx") coding sws(steps: 8) bits { weights 99 } }
`;

const model = `use "spikec/neurons" { LIF }
use "parts.spike" { Part, inherited }

// A cell.
block Cell(channels: int, kernel = 3) {
  input x
  output x | conv(channels, kernel: kernel) | batchnorm | spike
}
block Row(n) { input x output x | Cell(n) | repeat(2) Cell(n) }

neuron Own(theta = 1) {
  state u = 0
  charge u = u / 2 + x
  fire s = u >= theta
  reset u = u - s * theta
  surrogate atan
}

network Small {
  input image: real[1, 8, 8]
  stem = image | Cell(4)
  spare = stem | relu
  output stem | Row(4) | flatten | linear(10)
}
network Wide(width = 4) {
  input image: real[1, 8, 8]
  output image | Part(width) | spike(Own) | flatten | linear(10)
}
network Cyclic { input x: real[4] h = x + (h | delay(1) | linear(4)) output h }

config longer extends small { coding direct(steps: 6) }
config small {
  network Small
  neuron LIF(tau: 2, theta: 1)
  coding direct(steps: 3)
  bits { weights 4 layer "stem" { weights 8 spikes 2 } }
}
config own { network Wide(width: 6) neuron Own train { epochs 3 } }
config other extends inherited { bits { weights 4 } }
config round extends circle { network Small }
config circle extends round { }
`;

/** Values with the names of their sources instead of these. */
function plain(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (key, one: unknown) => {
      if (one instanceof Map) return [...one];
      return key === 'source' ? ((one as Partial<Source>).name ?? one) : one;
    }) ?? 'null',
  );
}

function checked(text: string, files: Readonly<Record<string, string>>, memory?: CheckMemory): unknown {
  const loader: ModelLoader = memoryLoader({ ...library, ...files });
  const { value, diagnostics } = checkWhatHolds({ name: 'm.spike', text }, loader, memory && { memory });
  const { configs, networks, neurons, file } = value ?? {};
  return plain({ diagnostics, configs, networks, neurons, file });
}

const pieces = ['a', ' ', '\n', '(', ')', '{', '}', '|', '"', ',', '4', 'x', 'Cell', 'LIF', 'linear', 'config ', '// '];

/** One slip, or the undoing of all. */
function edited(text: string, whole: string, random: () => number): string {
  const upTo = (n: number): number => Math.floor(random() * n);
  const at = upTo(text.length);
  switch (upTo(8)) {
    case 0:
      return whole;
    case 1:
      return text.slice(0, at) + text.slice(at + 1 + upTo(3));
    case 2: {
      const lines = text.split('\n');
      const from = upTo(lines.length);
      return [...lines.slice(0, from), ...lines.slice(from + 1 + upTo(3))].join('\n');
    }
    case 3: {
      // a declaration twice, or two in another order
      const [first = '', ...others] = text.split(/\n(?=block|network|config|neuron)/);
      return [first, ...others.slice(upTo(others.length)), ...others].join('\n');
    }
    case 4: {
      const words = [...text.matchAll(/\w+/g)];
      const [one, two] = [words[upTo(words.length)], words[upTo(words.length)]];
      if (one === undefined || two === undefined) return text;
      return text.slice(0, one.index) + two[0] + text.slice(one.index + one[0].length);
    }
    default:
      return text.slice(0, at) + pieces[upTo(pieces.length)]! + text.slice(at);
  }
}

it.each([1, 2, 3, 4])('after whatever edits, a check with a memory says what a fresh one says (seed %i)', (seed) => {
  const random = seeded(seed);
  const memory = new CheckMemory();
  let [text, used] = [model, parts];
  for (let edit = 0; edit < 40; edit++) {
    const files = { 'parts.spike': used };
    expect(checked(text, files, memory), text).toEqual(checked(text, files));
    if (random() < 0.1) used = edited(used, parts, random);
    else text = edited(text, model, random);
    if (text.length > 4 * model.length) text = model;
  }
});

it('what is unchanged is not checked again, wherever it stands now', () => {
  const memory = new CheckMemory();
  const files = { 'parts.spike': parts };
  checked(model, files, memory);
  expect(memory.done).toBeGreaterThan(20);
  checked(`// More.\n\n${model}`, files, memory);
  // what something is said of is put together again: `small`, whose network has a spare value, and the circle
  const rest = memory.done;
  expect(rest).toBeLessThan(8);
  checked(model.replace('u / 2', 'u / 4'), files, memory);
  // the neuron, its rules, the network and the config that have it
  expect(memory.done).toBeLessThanOrEqual(rest + 6);
  checked(model.replace('u / 2', 'u / 4').replace('channels: int', 'channels'), files, memory);
  expect(memory.done).toBeGreaterThan(rest + 3);
});
