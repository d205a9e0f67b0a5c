import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Diagnostic, diagnostic } from '../../src/base/diagnostics/index.js';
import type { Source, Span } from '../../src/base/source.js';
import { diagnosticJson, renderDiagnostic, renderDiagnostics } from '../../src/cli/render.js';

const source: Source = { name: 'net.spike', text: 'network N {\n  input x\n\ty = x | covn(8)\n}\n' };

function spanOf(text: string, within: Source = source): Span {
  const start = within.text.indexOf(text);
  return { source: within, start, end: start + text.length };
}

function at(place?: Diagnostic['place'], extras: Parameters<typeof diagnostic>[3] = {}): Diagnostic {
  return diagnostic('file/missing', { path: 'a' }, place, extras);
}

const plain = { colour: false };

it('a diagnostic shows its code, place, source line, underline and remedy', () => {
  expect(renderDiagnostic(at(spanOf('covn'), { help: 'did you mean "conv"?' }), plain)).toMatchInlineSnapshot(`
    "error[file/missing]: there is no file "a"
     --> net.spike:3:10
      |
    3 |   y = x | covn(8)
      |           ^^^^
      = help: did you mean "conv"?
    "
  `);
});

it('related places are shown with their own lines', () => {
  const related = [
    { place: spanOf('input x'), message: 'x is declared here' },
    { place: { file: 'w.onnx', detail: 'node "Conv_3" (Conv)' }, message: 'and used here' },
  ];
  expect(renderDiagnostic(at(spanOf('covn'), { related }), plain)).toMatchInlineSnapshot(`
    "error[file/missing]: there is no file "a"
     --> net.spike:3:10
      |
    3 |   y = x | covn(8)
      |           ^^^^
      = x is declared here
     --> net.spike:2:3
      |
    2 |   input x
      |   -------
      = and used here
     --> w.onnx: node "Conv_3" (Conv)
    "
  `);
});

it('without a place there is only the message', () => {
  expect(renderDiagnostic(at(), plain)).toBe('error[file/missing]: there is no file "a"\n');
});

it('a span over several lines is underlined to the end of its first line', () => {
  const lines = renderDiagnostic(at(spanOf('input x\n\ty = x')), plain).split('\n');
  expect(lines[3]).toBe('2 |   input x');
  expect(lines[4]).toBe('  |   ^^^^^^^');
});

it('the end of the file can be pointed at', () => {
  const end = source.text.length;
  const lines = renderDiagnostic(at({ source, start: end, end }), plain).split('\n');
  expect(lines.slice(1, 5)).toEqual([' --> net.spike:5:1', '  |', '5 | ', '  | ^']);
});

it('the underline stands under the marked text, in lines of any length with tabs and wide characters', () => {
  const piece = fc.constantFrom('a', '\t', ' ', '語', 'é', 'word', 'x'.repeat(40));
  const text = fc.array(piece, { maxLength: 30 }).map((parts) => parts.join(''));
  const width = (s: string): number => Array.from(s).reduce((sum, c) => sum + (c === '語' ? 2 : 1), 0);
  fc.assert(
    fc.property(text, text, (before, after) => {
      const line: Source = { name: 'f', text: `first\n${before}MARK${after}\nlast` };
      const [, , , code = '', mark = ''] = renderDiagnostic(at(spanOf('MARK', line)), plain).split('\n');
      expect(width(code.slice(0, code.indexOf('MARK')))).toBe(mark.indexOf('^'));
      expect(mark.trimEnd().endsWith('^^^^')).toBe(true);
      expect(code.length).toBeLessThan(4 + 2 * 100 + 2);
    }),
  );
});

it('a long line is cut on both sides', () => {
  const line: Source = { name: 'f', text: `${'a'.repeat(500)}MARK${'b'.repeat(500)}` };
  const [, , , code = ''] = renderDiagnostic(at(spanOf('MARK', line)), plain).split('\n');
  expect(code).toMatch(/^1 \| …a+MARKb+…$/);
});

it('control characters of a file never reach the screen', () => {
  const evil: Source = { name: 'a\x1b[31m.spike', text: 'x \x1b]0;title\x07 \u202e MARK\r\n' };
  const related = [{ place: spanOf('MARK', evil), message: '\x1b[2J' }];
  const rendered = renderDiagnostic(at(spanOf('MARK', evil), { related, help: '\x9b1m' }), plain);
  expect(rendered).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
});

it('colours surround the same text', () => {
  const coloured = renderDiagnostic(at(spanOf('covn')), { colour: true });
  expect(coloured).toContain('\x1b[31m');
  expect(coloured.replace(/\x1b\[\d+m/g, '')).toBe(renderDiagnostic(at(spanOf('covn')), plain));
});

it('many diagnostics are cut and counted', () => {
  const rendered = renderDiagnostics(
    Array.from({ length: 25 }, () => at()),
    plain,
  );
  expect(rendered.match(/error\[/g)).toHaveLength(20);
  expect(rendered).toContain('… and 5 more');
  expect(rendered.trimEnd().split('\n').at(-1)).toBe('25 errors');
  expect(renderDiagnostics([], plain)).toBe('');
});

it('the JSON form has places as lines and columns from 1', () => {
  const related = [{ place: { file: 'w.onnx', detail: 'node 3' }, message: 'here' }];
  expect(diagnosticJson(at(spanOf('covn'), { related, help: 'try conv' }))).toEqual({
    code: 'file/missing',
    severity: 'error',
    message: 'there is no file "a"',
    file: 'net.spike',
    line: 3,
    column: 10,
    end_line: 3,
    end_column: 14,
    help: 'try conv',
    related: [{ message: 'here', file: 'w.onnx', detail: 'node 3' }],
  });
});
