import { describe, expect, it } from 'vitest';
import type { Diagnostic } from '../../src/base/diagnostics/index.js';
import { isSpan } from '../../src/base/source.js';
import { type ConfigDeclaration, type Expression, maxSourceLength, parseText } from '../../src/syntax/index.js';
import { bare } from '../support/arbitrary-syntax.js';
import { kitchenSink } from '../support/kitchen-sink.js';
import { processorTime } from '../support/processor-time.js';

function problems(text: string): readonly Diagnostic[] {
  const { value, diagnostics } = parseText({ name: 'test.spike', text });
  expect(value === undefined).toBe(diagnostics.length > 0);
  return diagnostics;
}

/** `code "marked text": message` of each diagnostic. */
function said(text: string): string[] {
  return problems(text).map(({ code, message, place }) => {
    if (place === undefined || !isSpan(place)) throw new Error(`${code} has no place`);
    return `${code} ${JSON.stringify(text.slice(place.start, place.end))}: ${message}`;
  });
}

function value(text: string): Expression {
  const { value: file } = parseText({ name: 'test.spike', text: `config a { x ${text} }` });
  return (file!.declarations[0] as ConfigDeclaration).settings[0]!.value!;
}

describe('parseText', () => {
  it('groups operators as mathematics does', () => {
    const same = (a: string, b: string): void => expect(bare(value(a))).toEqual(bare(value(b)));
    same('1 + 2 * 3 - 4', '((1 + (2 * 3)) - 4)');
    same('-2 ^ 2', '-(2 ^ 2)');
    same('2 ^ 3 ^ 4', '2 ^ (3 ^ 4)');
    same('2 ^ -3', '2 ^ (-3)');
    same('a or b and not c < d + 1', 'a or (b and (not (c < (d + 1))))');
    same('a + b | f | g(1)', '(a + b) | f | g(1)');
  });

  it('gives every node the span of its text', () => {
    const source = { name: 'test.spike', text: kitchenSink };
    const { value: file } = parseText(source);
    let count = 0;
    const visit = (node: unknown): void => {
      if (typeof node !== 'object' || node === null || node === source) return;
      if ('span' in node) {
        const { start, end } = (node as { span: { start: number; end: number } }).span;
        const text = kitchenSink.slice(start, end);
        expect(text).toBe(text.trim());
        expect(text).not.toBe('');
        if ('text' in node && !('kind' in node)) expect(text).toBe((node as { text: string }).text);
        count++;
      }
      Object.entries(node).forEach(([key, child]) => key !== 'span' && visit(child));
    };
    visit(file);
    expect(count).toBeGreaterThan(500);
  });

  it('keeps comments in order', () => {
    const { value: file } = parseText({ name: 'x', text: '// one\nconfig a { // two\n}\n// "three" {' });
    expect(file!.comments.map((comment) => comment.text)).toEqual(['// one', '// two', '// "three" {']);
  });

  it('lets reserved words name arguments and settings', () => {
    expect(problems('config a { neuron f(state: 1, input: 2) use 3 }')).toEqual([]);
  });

  it('accepts a trailing comma and a byte order mark', () => {
    expect(problems('\uFEFFuse "a" { B, }\nconfig a { x f(1,) y [1,] }')).toEqual([]);
  });

  it('says what was expected and what was found, several times in one run', () => {
    const text = `config a { batch = 3  x f(a = 1) }
network N { input x output x + }
junk
neuron M { state = 0 }
block B { x conv(3) }`;
    expect(said(text)).toMatchInlineSnapshot(`
      [
        "syntax/unexpected "=": expected a value or \`{\`, found \`=\`",
        "syntax/unexpected "=": expected \`,\` or \`)\`, found \`=\`",
        "syntax/unexpected "}": expected a value, found \`}\`",
        "syntax/unexpected "junk": expected \`use\`, \`block\`, \`network\`, \`neuron\` or \`config\`, found \`junk\`",
        "syntax/unexpected "=": expected a name, found \`=\`",
        "syntax/unexpected "conv": expected \`=\`, found \`conv\`",
      ]
    `);
  });

  it('gives the remedy for habits from other languages', () => {
    expect(problems('config a { batch = 3 }')[0]!.help).toBe('settings take no `=`, as in `batch 64`');
    expect(problems('config a { batch: 3 }')[0]!.help).toBe('settings take no `:`, as in `batch 64`');
    expect(problems('config a { train { data csv:a/b.csv } }')[0]!.help).toContain('double quotes');
    expect(problems('config a { x f(k = 3) }')[0]!.help).toBe('arguments are named with `:`, as in `kernel: 3`');
    expect(problems('config a { x 1; }')[0]!.help).toContain('remove it');
    expect(problems("config a { x 'b' }")[0]!.help).toContain('double quotes');
    expect(problems('# note')[0]!.help).toContain('//');
    expect(problems('neuron state { }')[0]!.help).toContain('choose another name');
  });

  it('names characters that mean nothing', () => {
    expect(said('config a { x 1 } ß')).toEqual([
      'syntax/character "ß": the character `ß` has no meaning in a model file',
    ]);
    expect(said('config a { x \u0007 1 }')[0]).toContain('U+0007');
  });

  it('reports a string without its end and goes on behind the line', () => {
    expect(said('config a { x "abc\n y "d\n }')).toEqual([
      'syntax/unterminated-string "\\"abc": this string has no closing quote on its line',
      'syntax/unterminated-string "\\"d": this string has no closing quote on its line',
    ]);
  });

  it('reports an escape strings don’t know', () => {
    expect(said(String.raw`config a { x "C:\data" y 1 }`)).toEqual([
      String.raw`syntax/escape "\\d": ` + String.raw`\d`.replace(/^/, '`') + "` isn't an escape that strings know",
    ]);
  });

  it('shows both ends of an unclosed bracket', () => {
    const text = 'network N {\n  input x: real[3\n  output x\n}\n';
    const [first, ...others] = problems(text);
    expect(others).toEqual([]);
    expect(first!.code).toBe('syntax/unclosed');
    const places = [first!.place, first!.related![0]!.place].map((place) => (place as { start: number }).start);
    expect(places).toEqual([text.indexOf('['), text.indexOf('}')]);
    expect(first!.help).toBe('add `]` before `}`');
  });

  it('notices an unterminated block where the next declaration begins', () => {
    const text = 'block A {\n  input x\n  output x\n\nconfig b { x 1 }\n';
    const [first, ...others] = problems(text);
    expect(others).toEqual([]);
    expect(first).toMatchObject({ code: 'syntax/unclosed', related: [{ message: '`config` comes first' }] });
    expect((first!.place as { start: number }).start).toBe(text.indexOf('{'));
  });

  it('notices an unterminated block at the end of the file', () => {
    expect(problems('block A {\n  input x\n')[0]!.help).toBe('add `}` before the end of the file');
  });

  it('reports a bracket that closes nothing', () => {
    expect(said('config a { x 1 } }')[0]).toBe('syntax/unopened "}": this `}` closes nothing');
  });

  it('stops after twenty errors with how many more there are', () => {
    const found = problems('config a { x = 1 }\n'.repeat(50));
    expect(found).toHaveLength(21);
    expect(found.at(-1)).toMatchObject({
      code: 'syntax/too-many-errors',
      message: "there are 30 more errors; they aren't shown",
    });
  });

  it('refuses ten megabytes of brackets at once', () => {
    for (const bracket of ['{', '(', '[', '}', 'config a { x (']) {
      const text = bracket.repeat(10_000_000 / bracket.length);
      let found: readonly Diagnostic[] = [];
      expect(processorTime(() => (found = problems(text)))).toBeLessThan(200);
      expect(found.map(({ code }) => code)).toEqual(['syntax/too-large']);
    }
  });

  it('refuses deep nesting in a file of the greatest size, in bounded time and without overflow', () => {
    const fill = (unit: string, start = 'config a { x ', end = ''): string =>
      start + unit.repeat((maxSourceLength - start.length - end.length) / unit.length) + end;
    for (const text of [fill('{'), fill('('), fill('[', ''), fill('f('), fill('x { ', 'config a {'), fill('a | b(')]) {
      expect(problems(text).map((found) => found.code)).toEqual(['syntax/too-deep']);
    }
    for (const text of [fill('1 + ', undefined, '1 }'), fill('- ', undefined, '1 }'), fill('2 ^ ', undefined, '1 }')]) {
      let found: readonly Diagnostic[] = [];
      expect(processorTime(() => (found = problems(text)))).toBeLessThan(10_000);
      expect(found.map(({ code }) => code)).toContain('syntax/too-deep');
    }
    expect(problems(fill('not ', undefined, 'true }')).map((found) => found.code)).toEqual(['syntax/too-deep']);
  });

  it('reads nesting and expressions up to the limits', () => {
    for (const [open, close] of [
      ['(', ')'],
      ['[', ']'],
      ['f(', ')'],
      ['x | f(', ')'],
      ['-f(-', ')'],
    ] as const) {
      expect(problems(`config a { x ${open.repeat(63)}1${close.repeat(63)} }`)).toEqual([]);
    }
    expect(problems(`config a { ${'x { '.repeat(63)}${'}'.repeat(63)} }`)).toEqual([]);
    expect(problems(`config a { x 1${' + 1'.repeat(399)} }`)).toEqual([]);
    expect(problems(`config a { x y${' | f'.repeat(5000)} }`)).toEqual([]);
  });

  it('reads an empty file', () => {
    expect(parseText({ name: 'x', text: '' }).value!.declarations).toEqual([]);
  });

  it('never throws, whatever the text', () => {
    const pieces = [
      'config',
      ' a',
      '{',
      '}',
      '(',
      ')',
      '[',
      ']',
      ' x',
      ' 1',
      '"s"',
      '"',
      '|',
      '+',
      ',',
      ':',
      '=',
      '\n',
      '//c\n',
      '.',
      'neuron',
      ' use',
      '\\',
      '\u0000',
    ];
    let state = 7;
    for (let run = 0; run < 400; run++) {
      let text = '';
      for (let i = 0; i < 30; i++) {
        state = (state * 1103515245 + 12345) % 2147483648;
        text += pieces[state % pieces.length]!;
      }
      problems(text);
    }
  });
});
