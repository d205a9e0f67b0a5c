import fc from 'fast-check';
import { expect, it } from 'vitest';
import { tensor } from '../../src/base/dtype.js';
import { type Expr, type NeuronDef, phasesOf } from '../../src/equations/index.js';
import {
  type Attrs,
  type Network,
  type Op,
  checkedOp,
  networkOfText,
  parseNetwork,
  printNetwork,
} from '../../src/network/index.js';

const number = fc.oneof(
  fc.double({ noNaN: true }),
  fc.integer({ min: -9, max: 9 }),
  fc.constantFrom(-0, 1e21, 1e-7, Infinity, -Infinity, 5e-324),
);
/** Names as exporters and people give them. */
const anyName = fc.oneof(
  fc.string({ minLength: 1, maxLength: 8 }),
  fc.constantFrom(
    'true',
    'false',
    'Infinity',
    'NaN',
    '12',
    '1e5',
    '-3',
    'a..b',
    '.x',
    '/c1/Conv_0',
    '3-d',
    'a b',
    '"',
    'x:',
  ),
);
const word = fc.constantFrom('u', 'x', 'theta', 'p_1', 'alpha', 'T');
const attrValue = fc.oneof(number, fc.boolean(), anyName, fc.array(number, { maxLength: 4 }));

const { expr } = fc.letrec<{ expr: Expr }>((tie) => ({
  expr: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.record({ kind: fc.constant('name' as const), name: word }),
    // a number so large that it is infinite has no literal
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => ({ kind: 'number' as const, value })),
    fc.record({
      kind: fc.constant('unary' as const),
      op: fc.constantFrom('-' as const, 'not' as const),
      operand: tie('expr'),
    }),
    fc.record({
      kind: fc.constant('binary' as const),
      op: fc.constantFrom(
        '+' as const,
        '-' as const,
        '*' as const,
        '/' as const,
        '^' as const,
        '<=' as const,
        'and' as const,
        'or' as const,
      ),
      left: tie('expr'),
      right: tie('expr'),
    }),
    fc.record({
      kind: fc.constant('call' as const),
      callee: fc.constantFrom('where', 'levels', 'floor'),
      args: fc.array(tie('expr'), { maxLength: 3 }),
      named: fc.dictionary(fc.constantFrom('bits', 'lo'), tie('expr'), { noNullPrototype: true }),
    }),
  ),
}));

const assignments = fc.array(fc.record({ target: word, value: expr }), { maxLength: 2 });
const neuron: fc.Arbitrary<NeuronDef> = fc.record(
  {
    name: fc.constantFrom('N', 'LIF_2', 'Mine'),
    params: fc.array(
      fc.record(
        {
          name: word,
          default: number,
          learn: fc.constantFrom({}, { constraint: 'positive' as const }, { constraint: 'step' as const }),
        },
        { requiredKeys: ['name'] },
      ),
      { maxLength: 3 },
    ),
    states: fc.array(fc.record({ name: word, initial: expr, units: expr }, { requiredKeys: ['name', 'initial'] }), {
      maxLength: 2,
    }),
    phases: fc.record({ charge: assignments, fire: assignments, reset: assignments }).map(phasesOf),
    surrogate: fc.record({
      name: fc.constantFrom('triangle', 'ste'),
      args: fc.dictionary(fc.constantFrom('width', 'hi'), fc.double({ noNaN: true, noDefaultInfinity: true }), {
        noNullPrototype: true,
      }),
    }),
    detachReset: fc.constant(true),
  },
  { requiredKeys: ['name', 'params', 'states', 'phases'] },
);

/** Networks whose every text is arbitrary; what they compute makes no sense, only their form does. */
const network: fc.Arbitrary<Network> = fc
  .record({
    name: fc.string(),
    def: neuron,
    ids: fc.uniqueArray(anyName, { minLength: 2, maxLength: 5 }),
    param: anyName,
    attrs: fc.dictionary(fc.constantFrom('theta', 'tau', 'x9', 'soft'), number, { noNullPrototype: true }),
    coding: fc.option(fc.dictionary(fc.constantFrom('steps', 'beta', 'encoder'), attrValue, { noNullPrototype: true })),
    levels: fc.tuple(fc.integer({ min: -9, max: 0 }), fc.integer({ min: 1, max: 300 })),
    step: fc.double({ min: 1e-9, max: 1e9, noNaN: true }),
    notes: fc.array(fc.string(), { maxLength: 2 }),
    origin: fc.option(fc.string(), { nil: undefined }),
  })
  .map(({ name, def, ids, param, attrs, coding, levels, step, notes, origin }) => {
    const [first, ...others] = ids as [string, ...string[]];
    const time = { start: 1, steps: 3 };
    const ops: Op[] = [
      {
        id: first,
        kind: 'input',
        inputs: [],
        attrs: { shape: [2] },
        params: {},
        type: { shape: [2], code: { kind: 'real' } },
      },
    ];
    const encode: Op = {
      id: `${first}\u0001`,
      kind: 'encode',
      inputs: [first],
      attrs: { coding: 'direct', steps: 3, scale: step },
      params: {},
      type: { shape: [2], time, code: { kind: 'real' } },
    };
    ops.push(encode);
    let last = encode.id;
    for (const id of others) {
      const all: Attrs = { neuron: def.name, levels, amplitude: step, ...attrs };
      const [min, max] = levels;
      const type = { shape: [2], time, code: { kind: 'spike' as const, min, max, step } };
      ops.push(
        checkedOp({
          id,
          kind: 'neuron',
          inputs: [last],
          attrs: all,
          params: { theta: param },
          type,
          ...(origin === undefined ? {} : { origin }),
        }),
      );
      last = id;
    }
    return {
      name,
      ...(coding === null ? {} : { coding: { name: 'direct', args: coding } }),
      ops,
      outputs: [last],
      params: new Map([[param, { tensor: tensor('f32', [1], [1]) }]]),
      neurons: new Map([[def.name, def]]),
      notes,
    };
  });

it('whatever names, numbers and equations a network has, parse(print(n)) equals n', () => {
  fc.assert(
    fc.property(network, (one) => {
      const text = printNetwork(one);
      const found = networkOfText({ name: 'n.ir', text }, one.params);
      expect(found).toEqual(one);
      expect(printNetwork(found)).toBe(text);
    }),
    { numRuns: 300 },
  );
});

function problem(text: string): string {
  return parseNetwork({ name: 'n.ir', text }, new Map()).diagnostics[0]?.message ?? 'nothing';
}

it.each([
  [
    'shapes that no memory holds',
    'network "a" %x = input {shape=[99999,99999]} : real[99999,99999]',
    'at most 268435456 elements',
  ],
  [
    'sizes that are no numbers of things',
    'network "a" %x = input {shape=[2]} : real[2.5]',
    'expected a whole number from 0 to 268435456, found 2.5',
  ],
  [
    'more steps than there are',
    'network "a" %x = input {shape=[2]} : real[2] @1..9999999',
    'expected a whole number from 1 to 1048576',
  ],
  [
    'time that runs backwards',
    'network "a" %x = input {shape=[2]} : real[2] @5..2',
    'expected a whole number from 5 to 1048576, found 2',
  ],
  [
    'an expression of a million parts',
    `network "a" neuron N() { charge u = ${'1+'.repeat(1e6)}1 }`,
    'expected an expression of fewer parts',
  ],
  [
    'a million brackets',
    `network "a" neuron N() { charge u = ${'f('.repeat(1e6)}`,
    'expected an expression nested less deeply',
  ],
  ['a word of a million digits', `network "a" %x = ${'1'.repeat(1e6)}a : real[1]`, 'there is no layer kind'],
  ['a million numbers', `network "a" %x = input {shape=[${'1-'.repeat(5e5)}`, 'expected "]", found "-"'],
  ['a string without end', `network "a" note "${'x'.repeat(1e6)}`, 'unexpected character'],
])('reading refuses %s, at once', (_, text, expected) => {
  expect(problem(text).slice(0, 200)).toContain(expected);
});

it('a file in which nothing is right gives a hundred problems, not a million', () => {
  const text = `network "a" ${'%x = relu %y : real[1] '.repeat(50_000)} output %x`;
  const { diagnostics } = parseNetwork({ name: 'n.ir', text }, new Map());
  expect(diagnostics.length).toBeLessThan(110);
});

it('names of Object.prototype are names like others', () => {
  const text = 'network "a" coding direct(__proto__=[1], constructor=2) %x = input {shape=[2]} : real[2] output %x';
  const { value } = parseNetwork({ name: 'n.ir', text }, new Map());
  expect(Object.keys(value!.coding!.args)).toEqual(['__proto__', 'constructor']);
  expect(printNetwork(value!)).toContain('coding direct(__proto__=[1], constructor=2)');
});
