import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Diagnostic, hasErrors } from '../../src/base/diagnostics/index.js';
import { isSpan } from '../../src/base/source.js';
import { checkModel } from '../../src/model/index.js';
import { parseText, parseWhatHolds } from '../../src/syntax/index.js';
import { testLoader } from '../support/spike.js';

/**
 * Declarations that refer to each other; some have an error or a warning of their own, which needs no other to be seen.
 */
const declarations = [
  'use "spikec/neurons" { LIF, PLIF as Learned }',
  'block Twice(channels: int, unused: int = 1) {\n  input x\n  output x | conv(channels) | conv(channels)\n}',
  'block Wrong {\n  input x\n  output x | dense(3)\n}',
  'neuron Own(theta = 1) {\n  state u = 0\n  charge u = u + x\n  fire s = u >= tetha\n  reset u = 0\n}',
  'network Net(classes: int = 10) {\n  input x: real[1, 8, 8]\n  a = x | Twice(4) | spike\n  b = a | linear(3)\n  output a | flatten | linear(classes)\n}',
  'network Other {\n  input x: real[1, 8, 8]\n  output x | Wrong | spike(Learned) | flatten | linear(true)\n}',
  'config base {\n  network Net\n  neuron LIF(tau: 4, thet: 1)\n  coding direct(steps: 2)\n  train {\n    data mnist\n    epoch 3\n  }\n}',
  'config mine extends base {\n  network Other\n  neuron Own(theta: 2)\n  bits { layer "nothing" { weights 2 } }\n}',
];

const token = /"[^"\n]*"|[A-Za-z_]\w*|\d+|[<>=!]=|\S/g;

/** A declaration with a token left out or put in, none of which is a comment's start. */
const damage = fc.record({
  which: fc.nat(declarations.length - 1),
  at: fc.nat(),
  put: fc.constantFrom(
    '',
    '{',
    '}',
    '(',
    ')',
    '[',
    ']',
    '=',
    '|',
    ',',
    '3',
    '+ +',
    '"',
    '?',
    'input',
    ': :',
    ') }',
    '{ (',
  ),
});

function damaged({ which, at, put }: { which: number; at: number; put: string }): string {
  const text = declarations[which]!;
  const tokens = [...text.matchAll(token)];
  const chosen = tokens[at % tokens.length]!;
  return text.slice(0, chosen.index) + put + text.slice(chosen.index + (put === '' ? chosen[0].length : 0));
}

/** What is said of a declaration, by code, message and place in it. */
function saidOf(diagnostics: readonly Diagnostic[], start: number, text: string): string[] {
  return diagnostics
    .flatMap(({ code, message, place }) => {
      if (place === undefined || !isSpan(place) || place.source.name !== 'm.spike') return [];
      const at = place.start - start;
      return at >= 0 && at < text.length ? [`${code} ${at}: ${message}`] : [];
    })
    .sort();
}

/** Declarations that mention none of `names`, directly or through others. */
function independentOf(which: number): number[] {
  const own = [['LIF', 'Learned'], ['Twice'], ['Wrong'], ['Own'], ['Net'], ['Other'], ['base'], ['mine']];
  const hit = new Set([which]);
  for (let before = 0; before < hit.size;) {
    before = hit.size;
    declarations.forEach((text, i) => {
      const words = new Set(text.match(/\w+/g));
      if ([...hit].some((j) => own[j]!.some((name) => words.has(name)))) hit.add(i);
    });
  }
  return declarations.map((_, i) => i).filter((i) => !hit.has(i));
}

function check(texts: readonly string[]): { diagnostics: readonly Diagnostic[]; starts: number[] } {
  const starts = texts.map((_, i) => texts.slice(0, i).reduce((sum, text) => sum + text.length + 2, 0));
  const { diagnostics } = checkModel({ name: 'm.spike', text: texts.join('\n\n') }, testLoader());
  return { diagnostics, starts };
}

it('damage in one declaration leaves what is said of the others', () => {
  const before = check(declarations);
  let tried = 0;
  fc.assert(
    fc.property(damage, (how) => {
      const texts = declarations.map((text, i) => (i === how.which ? damaged(how) : text));
      // What the damage made of it may still be right.
      if (!hasErrors(parseText({ name: 'm.spike', text: texts.join('\n\n') }).diagnostics)) return;
      tried++;
      const after = check(texts);
      for (const i of independentOf(how.which)) {
        const expected = saidOf(before.diagnostics, before.starts[i]!, declarations[i]!);
        expect(saidOf(after.diagnostics, after.starts[i]!, declarations[i]!), texts[how.which]).toEqual(expected);
      }
      // Those that refer to it get no error that they hadn't.
      texts.forEach((text, i) => {
        if (i === how.which) return;
        const known = saidOf(before.diagnostics, before.starts[i]!, text);
        const said = saidOf(after.diagnostics, after.starts[i]!, text);
        expect(
          said.filter((one) => !known.includes(one)),
          texts[how.which],
        ).toEqual([]);
      });
    }),
    { numRuns: Number(process.env['DAMAGES'] ?? 300), seed: Number(process.env['SEED'] ?? 20261128) },
  );
  expect(tried).toBeGreaterThan(100);
});

it('one broken line hides nothing of the declarations around it', () => {
  const { diagnostics } = check(declarations.map((text, i) => (i === 1 ? text.replace('input x', 'input = x') : text)));
  const codes = diagnostics.map(({ code }) => code);
  expect(codes).toContain('syntax/unexpected');
  expect(codes.filter((code) => code === 'model/unknown-name').length).toBeGreaterThanOrEqual(3);
});

it('the declarations without errors are read, and what the others would have declared is known', () => {
  const text =
    'neuron A {\n  state = 0\n}\nblock (n: int) { input x output x }\nuse "a" { B, C as }\nconfig c { network N }';
  const { value } = parseWhatHolds({ name: 'm.spike', text });
  expect(value!.declarations.map(({ kind }) => kind)).toEqual(['config']);
  const summary = value!.damaged.map(({ kind, names, nameless }) => [kind, names.map((name) => name.text), nameless]);
  expect(summary).toEqual([
    ['neuron', ['A'], false],
    ['block', [], true],
    ['use', ['B', 'C'], true],
  ]);
});
