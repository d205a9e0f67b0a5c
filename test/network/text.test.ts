import fc from 'fast-check';
import { expect, it } from 'vitest';
import { tensor } from '../../src/base/dtype.js';
import { withoutRanges } from '../../src/equations/index.js';
import { libraryNeurons } from '../../src/workspace/files.js';
import { type Network, parseNetwork, printNetwork } from '../../src/network/index.js';
import { randomNetwork } from '../support/random-network.js';
import { convert, sws } from '../support/sws.js';

/** A network less what its text doesn't carry: places in user files. */
function plain({ ops, ...network }: Network): unknown {
  return { ...network, ops: ops.map(({ place: _, ...op }) => op) };
}

function roundTrip(network: Network): void {
  const text = printNetwork(network);
  const parsed = parseNetwork({ name: 'network.ir', text }, network.params);
  expect(parsed.diagnostics).toEqual([]);
  expect(plain(parsed.value!)).toEqual(plain(network));
  expect(printNetwork(parsed.value!)).toBe(text);
}

function problems(text: string): string[] {
  return parseNetwork({ name: 'network.ir', text }, new Map()).diagnostics.map((d) => `${d.code}: ${d.message}`);
}

it('parse(print(n)) equals n before and after every pass', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 10_000 }), fc.integer({ min: 1, max: 4 }), (seed, stages) => {
      const network = randomNetwork(seed, stages);
      roundTrip(network);
      for (const run of convert(network, sws()).runs) roundTrip(run.network);
    }),
    { numRuns: 30 },
  );
});

it('every neuron of the standard library survives the text form', () => {
  const network = randomNetwork(1, 1);
  for (const [name, def] of libraryNeurons()) roundTrip({ ...network, neurons: new Map([[name, withoutRanges(def)]]) });
});

it('a parameter that is one number shows it', () => {
  const network = randomNetwork(1, 1);
  const params = new Map([
    ['theta', { tensor: tensor('f32', [1], [0.1]) }],
    ['two', { tensor: tensor('f32', [2], [1, 2]) }],
    ['code', { tensor: tensor('i8', [1], [3]) }],
  ]);
  const lines = printNetwork({ ...network, params }).split('\n');
  expect(lines.filter((line) => line.startsWith('  param'))).toEqual([
    '  param theta : f32[1] ; 0.1',
    '  param two : f32[2]',
    '  param code : i8[1]',
  ]);
});

it('names that aren’t plain are quoted and read back', () => {
  const network = randomNetwork(1, 1);
  const [input, ...rest] = network.ops;
  const renamed = rest.map((op) => ({ ...op, inputs: op.inputs.map((id) => (id === 'image' ? 'an "image" %' : id)) }));
  roundTrip({
    ...network,
    ops: [{ ...input!, id: 'an "image" %' }, ...renamed],
    notes: ['a note; "quoted"\nand two lines'],
  });
});

it.each([
  [
    'network "a" %x = input {shape=[1,2,2]} : real[1,2,2]',
    'network/invalid: the text ends without its outputs: lines such as `output %logits` are missing, perhaps more before them',
  ],
  ['network "a" %x = spin : real[1]', 'network/ir-syntax: there is no layer kind spin'],
  ['network "a" %x = input {shape=[1,2,2]} : real[1,2,2', 'network/ir-syntax: expected "]", found "end of text"'],
  ['network "a" %x = relu %y : real[1] output %x', 'network/invalid: %x reads %y, which no earlier op defines'],
  [
    'network "a" %x = input {shape=[2]} : real[3] output %x',
    'network/invalid: %x has type real[3], its inputs give real[2]',
  ],
  ['network "a" param w : f32[2]', 'network/ir-syntax: there are no weights for parameter w'],
  ['network "a" \u0000', 'network/ir-syntax: unexpected character "\\u0000"'],
  [
    'network "a" %x = input {shape=[2], shape} : real[2] output %x',
    'network/invalid: %x attribute shape must be a list',
  ],
])('reports what is wrong in %j', (text, expected) => {
  expect(problems(text)[0]).toBe(expected);
});

it('deeply nested expressions end in a diagnostic, not in a stack overflow', () => {
  const deep = '('.repeat(100_000);
  expect(problems(`network "a" neuron N() { charge u = ${deep}`)[0]).toContain('network/ir-syntax');
});

it('no text makes the parser throw', () => {
  const text = printNetwork(convert(randomNetwork(3, 2), sws()).spiking);
  fc.assert(
    fc.property(fc.nat(text.length), fc.nat(40), fc.string(), (at, cut, put) => {
      parseNetwork({ name: 'x', text: text.slice(0, at) + put + text.slice(at + cut) }, new Map());
    }),
    { numRuns: 200 },
  );
});
