import { expect, it } from 'vitest';
import { type ProjectIndex, checkModel, indexProject, memoryLoader } from '../../src/model/index.js';
import { libraryText } from '../support/spike.js';

const main = `use "spikec/neurons" { LIF }
use "./blocks.spike" { Cell, Stem as First }
network Net(Block: block = Cell) {
  input image: real[1, 8, 8]
  stem   = image | First(4)
  stage1 = stem | repeat(2) Block(4, stride: 2)
  stage2 = stage1 | Cell(8) | First(8)
  output head = stage2 | flatten | linear(10)
}
config base {
  network Net
  neuron  LIF(tau: 2)
  coding  direct(steps: 2)
  bits    { weights 8  layer "stem.0.pre.conv" { weights 2 }  layer "stage1.1.post.*" { weights 3 } }
}
config other extends base { bits { layer "stage2.1.pre.conv" { weights 4 }  layer "head" { weights 5 }  layer "st*" { weights 6 } } }
`;
const blocks = `block Stem(n: int) { input x  pre = x | conv(n)  output pre | spike }
block Cell(n: int, stride: int = 1) { input x  post = x | conv(n, stride: stride) | Stem(n)  output post | spike }
`;

const files = { 'blocks.spike': blocks, 'spikec/neurons': libraryText('neurons') };
const loader = memoryLoader(files);
const project: ProjectIndex = indexProject({ name: 'main.spike', text: main }, loader)!;
const textOf = (file: string): string => (file === 'main.spike' ? main : files[file as keyof typeof files]);

/** The offset of the nth mention of a word in a file. */
function at(file: string, word: string, nth = 1): number {
  return [...textOf(file).matchAll(new RegExp(`\\b${word}\\b`, 'g'))][nth - 1]!.index;
}

function placed({ source, start }: { readonly source: { readonly name: string }; readonly start: number }): string {
  return `${source.name}:${start}`;
}

it('the example is right', () => {
  expect(checkModel({ name: 'main.spike', text: main }, loader).diagnostics).toEqual([]);
});

it('imported names, and arguments and parameters of what is imported, lead to the file that defines them', () => {
  for (const [word, mention, file, definition] of [
    ['Cell', 1, 'blocks.spike', 'Cell'],
    ['Cell', 3, 'blocks.spike', 'Cell'],
    ['First', 2, 'blocks.spike', 'Stem'],
  ] as const) {
    const found = project.definitionAt('main.spike', at('main.spike', word, mention));
    expect(found && placed(found.span), `${word} ${mention}`).toBe(`${file}:${at(file, definition)}`);
  }
  const lif = project.definitionAt('main.spike', at('main.spike', 'LIF', 2))!;
  expect(placed(lif.span)).toBe(`spikec/neurons:${textOf('spikec/neurons').indexOf('neuron LIF(') + 7}`);
  const tau = project.definitionAt('main.spike', at('main.spike', 'tau'))!;
  expect(tau).toMatchObject({ name: 'tau', kind: 'parameter', within: { name: 'LIF' } });
  expect(tau.span.source.name).toBe('spikec/neurons');
  // what is called through a parameter isn't known by the text alone
  expect(project.definitionAt('main.spike', at('main.spike', 'stride'))).toBeUndefined();
});

it('parts of layer patterns lead to the bindings of the network and of its blocks', () => {
  const definitions = (pattern: string): (string | undefined)[] => {
    const from = main.indexOf(pattern);
    return pattern.split('.').map((part, i, all) => {
      const offset = from + all.slice(0, i).join('.').length + (i === 0 ? 0 : 1);
      const found = project.definitionAt('main.spike', offset + Math.min(1, part.length - 1));
      return found && `${found.within?.name}.${found.name}`;
    });
  };
  expect(definitions('stem.0.pre.conv')).toEqual(['Net.stem', undefined, 'Stem.pre', undefined]);
  expect(definitions('stage1.1.post.*')).toEqual(['Net.stage1', undefined, 'Cell.post', undefined]);
  // the second block of the binding, in a config that inherits its network
  expect(definitions('stage2.1.pre.conv')).toEqual(['Net.stage2', undefined, 'Stem.pre', undefined]);
  expect(definitions('head')).toEqual(['Net.head']);
  expect(definitions('st*')).toEqual([undefined]);
});

it('references are those of all files', () => {
  const stem = project.definitionAt('blocks.spike', at('blocks.spike', 'Stem'))!;
  expect(project.referencesOf(stem).map(placed)).toEqual([
    `blocks.spike:${at('blocks.spike', 'Stem', 2)}`,
    `main.spike:${at('main.spike', 'Stem')}`,
    `main.spike:${at('main.spike', 'First', 2)}`,
    `main.spike:${at('main.spike', 'First', 3)}`,
  ]);
  const pre = project.definitionAt('blocks.spike', at('blocks.spike', 'pre'))!;
  expect(project.referencesOf(pre).map(placed)).toEqual([
    `blocks.spike:${at('blocks.spike', 'pre', 2)}`,
    `main.spike:${at('main.spike', 'pre', 1)}`,
    `main.spike:${at('main.spike', 'pre', 2)}`,
  ]);
});

/** The files with everything of an offset renamed. */
function renamed(file: string, offset: number, name: string): Record<string, string> {
  const edits = [...project.rename(file, offset, name)!].sort((a, b) => b.span.start - a.span.start);
  const texts: Record<string, string> = { 'main.spike': main, 'blocks.spike': blocks };
  for (const { span, text } of edits) {
    const before = texts[span.source.name]!;
    texts[span.source.name] = before.slice(0, span.start) + text + before.slice(span.end);
  }
  return texts;
}

it('a renamed thing has its new name everywhere, and the files mean the same', () => {
  for (const [file, word, mention] of [
    ['blocks.spike', 'Stem', 1],
    ['blocks.spike', 'pre', 1],
    ['main.spike', 'Cell', 3],
    ['main.spike', 'First', 2],
    ['main.spike', 'stage1', 1],
    ['main.spike', 'stage2', 3],
    ['main.spike', 'base', 2],
    ['blocks.spike', 'stride', 1],
  ] as const) {
    const texts = renamed(file, at(file, word, mention), 'Renamed');
    // the argument `stride:` of a block that a parameter names stays: by the text alone nobody knows whose it is
    if (word === 'stride') expect(texts['main.spike']).toBe(main);
    else {
      const others = memoryLoader({ ...files, 'blocks.spike': texts['blocks.spike']! });
      const { diagnostics, value } = checkModel({ name: 'main.spike', text: texts['main.spike']! }, others);
      expect(diagnostics, word).toEqual([]);
      expect(value!.configs.size).toBe(2);
    }
    expect(Object.values(texts).join('\n')).toContain('Renamed');
  }
});

it('what the standard library defines, and what can’t be found, has no other name', () => {
  expect(project.rename('main.spike', at('main.spike', 'LIF'), 'X')).toBeUndefined();
  expect(project.rename('main.spike', at('main.spike', 'tau'), 'X')).toBeUndefined();
  const broken = indexProject({ name: 'm.spike', text: 'use "./none.spike" { A }\nconfig c extends A { }' }, loader)!;
  expect(broken.definitionAt('m.spike', 21)).toMatchObject({ name: 'A', kind: 'import' });
  expect(broken.rename('m.spike', 21, 'X')).toBeUndefined();
});
