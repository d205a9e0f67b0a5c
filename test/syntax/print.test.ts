import { Lexer } from 'chevrotain';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { tokens } from '../../grammar/index.js';
import { type ModelFile, formatText, parseText, print } from '../../src/syntax/index.js';
import { bare, modelFiles } from '../support/arbitrary-syntax.js';
import { libraryText } from '../support/spike.js';
import { kitchenSink } from '../support/kitchen-sink.js';

function parse(text: string): ModelFile {
  const { value, diagnostics } = parseText({ name: 'test.spike', text });
  if (value === undefined) throw new Error(`${diagnostics[0]!.message}\n${text}`);
  return value;
}

function format(text: string): string {
  const { value, diagnostics } = formatText({ name: 'test.spike', text });
  if (value === undefined) throw new Error(`${diagnostics[0]!.message}\n${text}`);
  return value;
}

describe('print', () => {
  it('gives a text that parses to the same tree, for any tree', () => {
    fc.assert(
      fc.property(modelFiles, (file) => {
        expect(bare(parse(print(file)))).toEqual(bare(file));
      }),
      { numRuns: 300 },
    );
  });

  it('is idempotent on any tree', () => {
    fc.assert(
      fc.property(modelFiles, (file) => {
        const once = print(file);
        expect(format(once)).toBe(once);
      }),
      { numRuns: 300 },
    );
  });

  it('keeps every comment wherever it stands, leaves the tree alone and is idempotent', () => {
    const spots = new Lexer(tokens.tokens).tokenize(kitchenSink).tokens.map((token) => token.startOffset);
    const where = fc.uniqueArray(fc.nat(spots.length - 1), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(where, (indices) => {
        let text = kitchenSink;
        // From the end, so that earlier offsets stay right; never inside another comment's line.
        for (const i of [...indices].sort((a, b) => b - a)) {
          text = `${text.slice(0, spots[i]!)} // note ${i}\n${text.slice(spots[i]!)}`;
        }
        const once = format(text);
        expect(bare(parse(once))).toEqual(bare(parse(kitchenSink)));
        expect(comments(once)).toEqual(comments(text));
        expect(format(once)).toBe(once);
      }),
      { numRuns: 150 },
    );
  });

  it('leaves the standard library and the kitchen sink as they are', () => {
    for (const text of [libraryText('neurons'), libraryText('blocks'), kitchenSink]) expect(format(text)).toBe(text);
  });

  it('aligns neighbours, breaks long pipelines and keeps one-line blocks that fit', () => {
    const text = `config a{neuron LIF(tau:4) coding  direct( steps:4 )}
config b {
network X
coding direct(steps: 4) // four
train { batch 64 }
}
network X(a:int=1){input x:real[1,2,3] longer = x|conv(3)
y = longer | conv(channels: 128, kernel: [3, 3], stride: 2) | batchnorm | spike | conv(channels: 128, kernel: 3) | batchnorm
output y}`;
    expect(format(text)).toMatchInlineSnapshot(`
      "config a { neuron LIF(tau: 4)  coding direct(steps: 4) }

      config b {
        network X
        coding  direct(steps: 4) // four
        train   { batch 64 }
      }

      network X(a: int = 1) {
        input x: real[1, 2, 3]
        longer = x | conv(3)
        y      = longer
          | conv(channels: 128, kernel: [3, 3], stride: 2)
          | batchnorm
          | spike
          | conv(channels: 128, kernel: 3)
          | batchnorm
        output y
      }
      "
    `);
  });

  it('drops parentheses that say nothing and keeps those that do', () => {
    const value = (text: string): string => format(`config a { x ${text} }`).slice('config a { x '.length, -3);
    expect(value('((1 + 2)) * 3 - (4 * 5)')).toBe('(1 + 2) * 3 - 4 * 5');
    expect(value('1 - (2 - 3)')).toBe('1 - (2 - 3)');
    expect(value('-(2 ^ 3) ^ 2')).toBe('-(2 ^ 3) ^ 2');
    expect(value('(-2) ^ -(3)')).toBe('(-2) ^ -3');
    expect(value('2 ^ (3 ^ 4)')).toBe('2 ^ 3 ^ 4');
    expect(value('not (a and b) or (not c)')).toBe('not (a and b) or not c');
    expect(value('(a < b) == true')).toBe('(a < b) == true');
    expect(value('f((x | y), (x | y) + 1)')).toBe('f(x | y, (x | y) + 1)');
  });

  it('keeps comments with the parameters they belong to', () => {
    const text = `neuron N( // first
tau = 2, // time constant
// the threshold
  theta = 1 // in volts
) { state u = 0 charge u = u / tau + x fire s = u > theta }`;
    expect(format(text)).toMatchInlineSnapshot(`
      "neuron N(
        // first
        tau = 2, // time constant
        // the threshold
        theta = 1, // in volts
      ) {
        state u = 0
        charge u = u / tau + x
        fire   s = u > theta
      }
      "
    `);
  });

  it('reads Windows line ends and writes \\n', () => {
    expect(format(kitchenSink.replaceAll('\n', '\r\n'))).toBe(kitchenSink);
  });

  it('does not print a text with syntax errors', () => {
    const { value, diagnostics } = formatText({ name: 'bad.spike', text: 'config {' });
    expect(value).toBeUndefined();
    expect(diagnostics.length).toBeGreaterThan(0);
  });
});

function comments(text: string): string[] {
  return [...text.matchAll(/\/\/.*/g)].map((match) => match[0].trimEnd()).sort();
}
