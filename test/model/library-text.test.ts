import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { libraryFiles } from '../../src/model/library-files.js';
import { LibraryText } from '../../src/model/library-text.js';
import { checkModel, memoryLoader } from '../../src/model/index.js';
import { parseText } from '../../src/syntax/index.js';

const textOf = (name: string): string =>
  readFileSync(fileURLToPath(new URL(`../../models/${name}.spike`, import.meta.url)), 'utf8');

describe('a text of the standard library', () => {
  it.each(libraryFiles)('%s is read in pieces as it is read whole', (name) => {
    const source = { name: `spikec/${name}`, text: textOf(name) };
    const library = new LibraryText(source);
    expect(library.declarations(library.names)).toEqual(parseText(source).value!.declarations);
  });

  it('is read no further than what is asked for mentions', () => {
    const text =
      'neuron A {\n  state u = 0\n  charge u = x\n  fire s = u >= 1\n  reset u = 0\n}\n\nblock B {\n  input x\n  output x | A()\n}\n\nblock C {\n  nonsense\n}\n';
    const library = new LibraryText({ name: 'spikec/some', text });
    expect(library.declarations(['A'])).toMatchObject([{ name: { text: 'A' } }]);
    expect(library.declarations(['C'])).toBeUndefined();
    expect(library.declarations(['D'])).toBeUndefined();
  });

  it('gives two files that name different neurons of it both of them', () => {
    const loader = memoryLoader({
      'other.spike': 'use "spikec/neurons" { IF }\n\nblock Other {\n  input x\n  output x | spike\n}\n',
      'spikec/neurons': textOf('neurons'),
    });
    const head = 'use "spikec/neurons" { LIF }\nuse "other.spike" { Other }\n\n';
    const net = 'network Net {\n  input x: real[4]\n  output x | Other | linear(2)\n}\n';
    const { diagnostics } = checkModel({ name: 'main.spike', text: head + net }, loader);
    expect(diagnostics.map(({ message }) => message)).toEqual([]);
  });
});
