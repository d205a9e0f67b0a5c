import { describe, expect, it } from 'vitest';
import { checkModel } from '../../src/model/index.js';
import { formatText, maxSourceLength } from '../../src/syntax/index.js';
import { processorTime } from '../support/processor-time.js';
import { testLoader } from '../support/spike.js';

/** A quarter of what a file may have: enough to show anything that grows with the square of the size. */
const size = maxSourceLength / 4;

/** Large files, each made to cost as much as possible at one point. */
const files: Readonly<Record<string, string>> = {
  'unknown names': fill((i) => `b${i} = x | conv(n${i})\n`, 'network N { input x: real[1, 2, 2] ', ' output x }'),
  'unknown settings': `config a { ${fill((i) => `s${i} 1 `)} }`,
  'configs in a row': fill((i) => `config c${i} extends c${i + 1} {}\n`),
  'configs in a row, from the end': fill(
    (i) => `config c${i + 1} extends c${i} {}\n`,
    'config c0 { network onnx("x") }\n',
  ),
  'blocks in a row': fill((i) => `block B${i} { input x output x | B${i + 1} }\n`, '', last('B')),
  'blocks in a row, from the end': fill(
    (i) => `block B${i + 1} { input x output x | B${i} }\n`,
    'block B0 { input x output x | relu }\n',
    'network N { input x: real[1, 2, 2] output x | B2000 }',
  ),
  'one large neuron': `neuron N { state u = 0 charge u = x fire ${fill((i) => `a${i} = u\n`)} s = 1 }`,
  'many neurons': fill((i) => `neuron N${i} { state u = 0 charge u = x fire s = u > 0 }\n`),
  'many parameters': `block B(${fill((i) => `p${i}: int = 1,`)}) { input x output x }`,
  'many arguments': `config a { network onnx(${fill((i) => `a${i}: 1,`)}) }`,
  'many patterns': `network N { input x: real[1, 2, 2] output x | repeat(1000) relu } config a { network N bits { ${fill((i) => `layer "a*b${i}" {}\n`)} } }`,
  'many imports': `use "spikec/neurons" { ${fill((i) => `LIF as L${i},`)} }`,
  'many files': fill((i) => `use "./f${i}.spike" { A${i} }\n`),
  'one wide sum': `network N { input x: real[1, 2, 2] ${fill((i) => `a${i} = x | relu\n`)} output x }`,
  'one long pipeline': `network N { input x: real[1, 2, 2] output x ${fill(() => '| relu')} }`,
  comments: fill((i) => `// ${i}\n`),
  duplicates: fill(() => 'config a {}\n'),
  repeats: `network N { input x: real[1, 2, 2] output x | ${fill(() => 'repeat(1) ')} relu }`,
};

function fill(piece: (i: number) => string, start = '', end = ''): string {
  let text = start;
  for (let i = 0; text.length + end.length < size - 1000; i++) text += piece(i);
  return text + end;
}

function last(name: string): string {
  return `network N { input x: real[1, 2, 2] output x | ${name}0 }`;
}

describe('a large file is checked and formatted in bounded time', () => {
  for (const [what, text] of Object.entries(files)) {
    it(what, () => {
      expect(text.length).toBeGreaterThan(size * 0.9);
      const source = { name: 'model.spike', text };
      const check = () => expect(checkModel(source, testLoader()).diagnostics.length).toBeLessThanOrEqual(201);
      expect(processorTime(check)).toBeLessThan(20_000);
      expect(processorTime(() => void formatText(source))).toBeLessThan(20_000);
    });
  }
});
