import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import type { Diagnostic } from '../../src/base/diagnostics/index.js';
import { type Source, isSpan, lineAndColumn } from '../../src/base/source.js';
import { type LoadOptions, type ModelLoader, checkModel, memoryLoader } from '../../src/model/index.js';

/** The standard library's file, from the repository. */
export function libraryText(
  name:
    | 'neurons'
    | 'blocks'
    | 'attention'
    | 'detection'
    | 'unet'
    | 'spikedriven'
    | 'spikedriven/cifar'
    | 'spikformer/cifar'
    | 'spikeyolo/coco',
): string {
  return readFileSync(new URL(`../../models/${name}.spike`, import.meta.url), 'utf8');
}

/** A loader over the given files and the standard library. */
export function testLoader(files: Readonly<Record<string, string>> = {}): ModelLoader {
  return memoryLoader({
    'spikec/neurons': libraryText('neurons'),
    'spikec/blocks': libraryText('blocks'),
    'spikec/attention': libraryText('attention'),
    'spikec/detection': libraryText('detection'),
    'spikec/unet': libraryText('unet'),
    'spikec/spikedriven': libraryText('spikedriven'),
    'spikec/spikedriven/cifar': libraryText('spikedriven/cifar'),
    'spikec/spikeyolo/coco': libraryText('spikeyolo/coco'),
    'spikec/spikformer/cifar': libraryText('spikformer/cifar'),
    ...files,
  });
}

/** `line code` of each diagnostic, sorted; one in another file is `file:line code`. */
export function summarise(diagnostics: readonly Diagnostic[], main: Source): string[] {
  return diagnostics
    .map(({ code, place, severity }) => {
      if (place === undefined || !isSpan(place)) return `? ${severity}: ${code}`;
      const { line } = lineAndColumn(place.source, place.start);
      const file = place.source.name === main.name ? '' : `${place.source.name}:`;
      return `${file}${line} ${severity}: ${code}`;
    })
    .sort();
}

/** What the comments `// error: code, code` and `// warning: code` of a text expect on their lines. */
export function expectedIn(text: string): string[] {
  return text
    .split('\n')
    .flatMap((line, i) =>
      [...line.matchAll(/\/\/ (error|warning): ([a-z]+\/[a-z-]+(?:, [a-z]+\/[a-z-]+)*)/g)].flatMap(
        ([, severity, codes]) => codes!.split(',').map((code) => `${i + 1} ${severity}: ${code.trim()}`),
      ),
    )
    .sort();
}

/** Checks a model whose comments say which diagnostics each line must get, no more and no fewer. */
export function expectDiagnostics(
  text: string,
  files: Readonly<Record<string, string>> = {},
  options: LoadOptions = {},
): readonly Diagnostic[] {
  const source = { name: 'model.spike', text };
  const { diagnostics } = checkModel(source, testLoader(files), options);
  expect(summarise(diagnostics, source)).toEqual(expectedIn(text));
  return diagnostics;
}
