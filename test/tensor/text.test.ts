import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { describePlace } from '../../src/base/source.js';
import { tensor } from '../../src/base/dtype.js';
import { ProgramBuilder, parseProgram, printProgram, tensorReference, trainingStep } from '../../src/tensor/index.js';
import { cases, programOf } from './cases.js';
import { lifNetwork } from './networks.js';

function source(text: string) {
  return { name: 'program.txt', text };
}

/** The first problem, with its place. */
function problem(text: string): string {
  const { value, diagnostics } = parseProgram(source(text));
  expect(value).toBeUndefined();
  const { code, message, place } = diagnostics[0]!;
  expect(code).toBe('engine/program-syntax');
  return `${describePlace(place!)} ${message}`;
}

describe('the text form of programs', () => {
  it('prints one op a line, with what it came from', () => {
    const b = new ProgramBuilder('two "steps"');
    const x = b.input('x', 'f32', [{ batch: 2 }, 3]);
    const u = b.at('lif').as('u 1').step(x, 1);
    b.output('s', b.as('s').ge(u, 1, { surrogate: 'atan', surrogate_alpha: 2 }));
    expect(printProgram(b.build())).toMatchInlineSnapshot(`
      "program "two \\"steps\\""
        %x = input : f32[2N,3]
        %"lif.u 1" = slice %x {starts=[1,0], ends=[2,3], steps=[1,1]} : f32[N,3] from "lif"
        %#1 = const {value=f32[](1)} : f32[]
        %lif.s = ge %"lif.u 1", %#1 {surrogate="atan", surrogate_alpha=2} : bool[N,3] from "lif"
        output "s" = %lif.s
      "
    `);
  });

  it('reads back what was printed, for every primitive and a whole training step', () => {
    const step = trainingStep(lifNetwork(2), { loss: 'loss', train: ['conv.w', 'lif.a'], optimizer: { kind: 'adam' } });
    const programs = [step.program, ...cases.flatMap((c) => c.dtypes.map((dtype) => programOf(c, dtype)))];
    for (const program of programs) {
      const params = new Map(program.params.map(({ id, data }) => [id, data]));
      const { value, diagnostics } = parseProgram(source(printProgram(program)), params);
      expect(diagnostics).toEqual([]);
      expect(value).toEqual(program);
      expect(printProgram(value!)).toBe(printProgram(program));
    }
  });

  it('keeps numbers that are no ordinary ones', () => {
    const b = new ProgramBuilder('numbers');
    b.output('c', b.constant(tensor('f64', [5], [-0, Infinity, -Infinity, 1e-300, 0.1])));
    const { value } = parseProgram(source(printProgram(b.build())));
    expect(value).toEqual(b.build());
  });

  it('says where text does not fit', () => {
    expect(problem('programme "x"')).toBe('program.txt:1:1 expected "program", found "programme"');
    expect(problem('program "x" %a = spin : f32[1]')).toMatch(/there is no primitive "spin"/);
    expect(problem('program "x" %a = input : f16[1]')).toMatch(/there is no number format "f16"/);
    expect(problem('program "x" %a = input : f32[1')).toMatch(/expected ",", found ""/);
    expect(problem('program "x" %a = input : f32[x]')).toMatch(/expected a number, found "x"/);
    expect(problem('program "x"\n%a = input : f32[1] ; comment')).toMatch(/program.txt:2:\d+ ";" has no meaning here/);
    expect(problem('program "x" %a = const {value=f32[2](1)} : f32[2]')).toMatch(/1 values for shape \[2\]/);
    expect(problem('program "x" %w = param : f32[1]')).toMatch(/no values for the param "w"/);
  });

  it('verifies what it reads', () => {
    expect(problem('program "x" %a = neg %b : f32[1]')).toMatch(/"a" reads "b"/);
    expect(problem('program "x" %b = input : f32[1] %a = neg %b : f32[2]')).toMatch(/says f32\[2\], is f32\[1\]/);
    expect(problem('program "x" %b = input : f32[1] %a = neg %b {hue=3} : f32[1]')).toMatch(/has no attribute "hue"/);
  });
});

describe('docs/tensor-ir.md', () => {
  it('is what the table of primitives says', () => {
    expect(readFileSync('docs/tensor-ir.md', 'utf8')).toBe(tensorReference());
  });
});
