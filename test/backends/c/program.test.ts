import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { emitC } from '../../../src/backends/c/index.js';
import { mulberry32 } from '../../../src/base/random.js';
import { lower } from '../../../src/lower/program/index.js';
import type { Network } from '../../../src/network/index.js';
import { ProgramBuilder, type Value, evaluate, simplify } from '../../../src/tensor/index.js';
import { armGcc, hasArmGcc, hasGcc, runC, sizeOf } from '../../support/c-compiler.js';
import { inBoth, shapeOf } from '../../support/c-network.js';
import { temporaryFolder } from '../../support/temporary-folder.js';
import { networkFrom, tinyModel } from '../../support/train.js';
import { cases, feedsFor, programOf } from '../../tensor/cases.js';

const unnamed: Network = {
  name: 'unnamed',
  ops: [],
  outputs: [],
  params: new Map(),
  neurons: new Map(),
  notes: [],
};

const withoutSign = (numbers: readonly number[][]): number[][] => numbers.map((one) => one.map((x) => x + 0));

it.skipIf(!hasGcc)(
  'every primitive of inference in C is what the evaluator computes, bit for bit',
  () => {
    const isTraining = (kind: string): boolean => kind === 'conv2d_weight_grad' || kind === 'maxpool_grad';
    const usable = cases
      .filter((one) => one.dtypes.includes('f32') && !isTraining(one.kind))
      .map((one, i) => ({ one, program: programOf(one, 'f32'), name: `case${i}` }))
      .filter(({ program }) => program.inputs.length > 0 && program.inputs.every(({ dtype }) => dtype === 'f32'));
    expect(usable.length).toBeGreaterThan(40);
    const folder = temporaryFolder();
    const calls: string[] = [];
    const expected: number[] = [];
    const headers: string[] = [];
    for (const { program, name } of usable) {
      const made = emitC({ network: { ...unnamed, name }, program });
      for (const [file, text] of made.files) writeFileSync(join(folder, file), text);
      const { inputs, outputs } = shapeOf(program);
      const feeds = feedsFor(program, 1, 5);
      const arrays = program.inputs.map(({ id }, i) => {
        const numbers = [...feeds[id]!.data].map((x) => `${x.toExponential()}f`).join(', ');
        return `static const float in${i}[${inputs[i]}] = {${numbers}};`;
      });
      const args = [...inputs.map((_, i) => `in${i}`), 'out'].join(', ');
      calls.push(
        `{ ${arrays.join(' ')} float out[${outputs[0]}]; ${name}_run(${args}); fwrite(out, 4, ${outputs[0]}, stdout); }`,
      );
      headers.push(`#include "${name}.h"`);
      expected.push(...Float32Array.from(evaluate(program, feeds, { batch: 1 })['y']!.data));
    }
    writeFileSync(
      join(folder, 'main.c'),
      `${headers.join('\n')}\n#include <stdio.h>\nint main(void) {\n${calls.join('\n')}\nreturn 0; }\n`,
    );
    const flags = [
      '-std=c99',
      '-Wall',
      '-Wextra',
      '-Werror',
      '-O1',
      '-fsanitize=undefined',
      '-fno-sanitize-recover=all',
    ];
    const sources = usable.map(({ name }) => `${name}.c`);
    execFileSync('gcc', [...flags, 'main.c', ...sources, '-o', 'main', '-lm'], { cwd: folder, stdio: 'pipe' });
    const bytes = execFileSync(join(folder, 'main'));
    const actual = [...new Float32Array(new Uint8Array(bytes).buffer)];
    expect(actual.length).toBe(expected.length);
    const { c, reference } = { c: withoutSign([actual])[0]!, reference: withoutSign([expected])[0]! };
    let at = 0;
    const different = usable.filter(({ program }) => {
      const from = at;
      at += shapeOf(program).outputs[0]!;
      return !c.slice(from, at).every((x, i) => Object.is(x, reference[from + i]));
    });
    expect(different.map(({ one }) => one.label)).toEqual([]);
  },
  120_000,
);

it.skipIf(!hasGcc)(
  'spiking networks of any neuron in C are what the evaluator computes, bit for bit',
  () => {
    const neurons = ['LIF(tau: 2, theta: 1)', 'MBLIF(tau: 4, theta: 0.6, integer: 2, fraction: 1)', 'BackEI(tau: 2)'];
    for (const neuron of neurons) {
      const { c, reference } = inBoth(networkFrom(tinyModel({ neuron })));
      expect(c).toEqual(reference);
      expect(new Set(reference.flat()).size, neuron).toBeGreaterThan(3);
    }
  },
  240_000,
);

it.skipIf(!hasGcc)(
  'recurrence, long loops over time, several inputs to a sum and tables work in C',
  () => {
    const recurrent = networkFrom(`
    use "spikec/neurons" { LIF }
    network Seq {
      input x: real[5]
      h = (x | linear(6)) + (h | delay(1) | linear(6)) | spike
      output h | linear(3)
    }
    config c { network Seq  neuron LIF(tau: 2, theta: 0.6)  coding direct(steps: 12) }`);
    const long = networkFrom(tinyModel({ coding: 'direct(steps: 128)' }));
    const joined = networkFrom(
      tinyModel({
        body: 'concat(image | conv(3, kernel: 3) | batchnorm | spike | maxpool(2), image | avgpool(2)) | conv(4, kernel: 3, stride: 2) | batchnorm | spike | global_avgpool | flatten | linear(3)',
      }),
    );
    for (const network of [recurrent, long, joined]) {
      const { c, reference } = inBoth(network, 2);
      expect(c).toEqual(reference);
    }
  },
  240_000,
);

it.skipIf(!hasGcc)('the memory that is printed is the memory that the compiled source has', () => {
  const network = networkFrom(tinyModel());
  const { files, memory } = emitC({ network, program: simplify(lower(network).program) });
  const { data, bss } = sizeOf(files, 'gcc', ['-Os']);
  expect(data + bss).toBe(memory.ram);
  expect(memory.flash).toBeLessThanOrEqual(4 * (4 * 9 + 4 + 4 * 16 * 3 + 3) + 16);
});

it.skipIf(!hasArmGcc)('it compiles for a Cortex-M, and needs there what is printed', () => {
  const network = networkFrom(tinyModel());
  const { files, memory } = emitC({ network, program: simplify(lower(network).program) });
  const { text, data, bss } = sizeOf(files, armGcc, ['-Os', '-mcpu=cortex-m4', '-mthumb']);
  expect(data + bss).toBe(memory.ram);
  expect(text).toBeLessThan(memory.flash + 8192);
});

it('names that C can’t have become others, and what a name says in a comment ends none', () => {
  const network = networkFrom(tinyModel());
  for (const [name, stem] of [
    ['while', 'while_net'],
    ['stdint', 'stdint_net'],
    ['Math', 'Math_net'],
    ['07b vote', 'net_07b_vote'],
    ['résnet/../x', 'r_snet_x'],
    ['a */ int main(void) { /*', 'a_int_main_void_'],
  ] as const) {
    const { files } = emitC({ network: { ...network, name }, program: simplify(lower(network).program) });
    expect([...files.keys()]).toEqual([`${stem}.h`, `${stem}.c`]);
    const text = [...files.values()].join('\n');
    expect(text.match(/\/\*/g)).toHaveLength(text.match(/\*\//g)!.length);
    expect(text).not.toMatch(/\*\/ int main/);
  }
});

/** A network of LIF neurons with the given body and input, under direct coding. */
function direct(body: string, { steps = 5, input = 'real[4]' } = {}): Network {
  return networkFrom(`
    use "spikec/neurons" { LIF }
    network rec {
      input x: ${input}
      ${body}
    }
    config c { network rec  neuron LIF(tau: 1.5, theta: 0.1)  coding direct(steps: ${steps}) }`);
}

const residuals: readonly (readonly [body: string, options?: { steps?: number; input?: string }])[] = [
  ['a = x | linear(4)\n b = a | spike | linear(4)\n output b + a | spike | linear(2)'],
  [
    'a = x | linear(4)\n b = a | spike | linear(4)\n c = b + a | spike | linear(4)\n output c + a + b | spike | linear(2)',
  ],
  ['output (x | linear(4)) + (x | delay(2) | linear(4)) | spike | linear(2)'],
  ['output (x | linear(4)) + (x | delay(2) | linear(4)) | spike'],
  ['a = x | linear(4)\n output a + (a | spike | linear(4)) + (a | delay(1)) | spike | linear(2)'],
  ['a = x | linear(4)\n b = a | spike | linear(4)\n output concat(b, a) | linear(4) | spike | linear(2)'],
  [
    'a = x | conv(2, kernel: 3) | batchnorm\n b = a | spike | conv(2, kernel: 3) | batchnorm\n output b + a | spike | flatten | linear(3)',
    { input: 'real[2, 5, 5]' },
  ],
  [
    'a = x | conv(2, kernel: 3) | batchnorm | spike\n b = a | conv(2, kernel: 3) | batchnorm | spike\n output b + a | conv(2, kernel: 3) | spike | flatten | linear(3)',
    { input: 'real[2, 5, 5]', steps: 3 },
  ],
];

it.skipIf(!hasGcc)(
  'residuals from what is the same at every step are added after they were computed',
  () => {
    for (const [body, options] of residuals) {
      const { c, reference } = inBoth(direct(body, options), 2);
      expect(new Set(reference.flat()).size, body).toBeGreaterThan(1);
      expect(c, body).toEqual(reference);
    }
  },
  120_000,
);

it.skipIf(!hasGcc)(
  'states that become one another as they were before the step: delay lines of any length',
  () => {
    for (const steps of [2, 3, 6]) {
      const body = `h = (x | linear(4)) + (h | delay(${steps}) | linear(4)) | spike\n output h | linear(2)`;
      const { c, reference } = inBoth(direct(body, { steps: 9 }), 2);
      expect(c, body).toEqual(reference);
    }
  },
  240_000,
);

/** A loop whose states become one another, behind and before values that are joined, cut and added at random. */
function randomJoins(seed: number): ReturnType<ProgramBuilder['build']> {
  const bits = mulberry32(seed);
  const below = (n: number): number => bits() % n;
  const pick = <T>(all: readonly T[]): T => all[below(all.length)]!;
  const N = { batch: 1 };
  const b = new ProgramBuilder('joins');
  const width = (x: Value): number => x.shape[1] as number;
  const values = [b.input('x', 'f32', [N, 4]), b.input('y', 'f32', [N, 4])];
  const grow = (): Value => {
    const [x, kind] = [pick(values), below(5)];
    if (kind === 0) return b.neg(x);
    if (kind === 1) return b.concat([x, pick(values), ...(below(3) === 0 ? [x] : [])], 1);
    if (kind === 2) {
      const from = below(width(x) - 1);
      return b.sliceAxis(x, 1, from, Math.min(width(x), from + 2 + below(5)));
    }
    return b.add(x, pick(values.filter((one) => width(one) === width(x))));
  };
  const some = (): void => {
    for (let i = 0; i < 10; i++) {
      const made = grow();
      if (width(made) >= 2 && width(made) <= 24) values.push(made);
    }
  };
  some();
  const inner = new ProgramBuilder('step');
  const initial = Array.from({ length: 4 }, () => {
    const x = pick(values);
    return b.neg(b.concat([b.sliceAxis(x, 1, 0, 2), b.sliceAxis(x, 1, width(x) - 2, width(x))], 1));
  });
  const states = initial.map((_, i) => inner.input(`state${i}`, 'f32', [N, 4]));
  states.forEach((_, i) => {
    const next = pick(states);
    inner.output(`next${i}`, below(4) === 0 ? inner.add(next, pick(states)) : next);
  });
  inner.output('seen', pick(states));
  const { final, stacked } = b.scan({ body: inner.build(), steps: 3, initial });
  values.push(...final, b.sliceAxis(stacked[0]!, 0, 1, 2));
  some();
  values.forEach((x, i) => b.output(`y${i}`, x));
  return b.build();
}

/** Cuts across the border of two parts that were made in one loop, and along it. */
function cutAcross(): ReturnType<ProgramBuilder['build']> {
  const b = new ProgramBuilder('joins');
  const [x, y] = [b.input('x', 'f32', [{ batch: 1 }, 4]), b.input('y', 'f32', [{ batch: 1 }, 4])];
  const inner = b.concat([b.neg(x), b.abs(y)], 1);
  const across = b.abs(b.sliceAxis(inner, 1, 2, 6));
  const outer = b.concat([inner, across], 1);
  b.output('across', b.neg(b.sliceAxis(outer, 1, 6, 10)));
  b.output('along', b.neg(b.sliceAxis(outer, 1, 8, 12)));
  return b.build();
}

it.skipIf(!hasGcc)(
  'whatever is joined, cut, added and carried over time is what the evaluator computes',
  () => {
    for (let seed = 0; seed <= 8; seed++) {
      const program = seed === 0 ? cutAcross() : randomJoins(seed);
      const feeds = feedsFor(program, 1, seed);
      const { files } = emitC({ network: { ...unnamed, name: 'joins' }, program });
      const given = program.inputs.map(({ id }) => Float32Array.from(feeds[id]!.data));
      const outputs = evaluate(program, feeds, { batch: 1 });
      const reference = Object.keys(program.outputs).map((name) => [...outputs[name]!.data]);
      const [c] = runC(files, shapeOf(program), [given]);
      expect(withoutSign([[...c!]])[0], `seed ${seed}`).toEqual(withoutSign([reference.flat()])[0]);
    }
  },
  120_000,
);
