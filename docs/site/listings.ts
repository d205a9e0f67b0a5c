import { deflateRawSync } from 'node:zlib';
import { tokens } from '../../grammar/index.js';
import { Lexer } from 'chevrotain';
import { type ModelLoader, checkModel } from '../../src/model/index.js';

const lexer = new Lexer(tokens.tokens);
const keywords = new Set(tokens.keywords.map(({ name }) => name));

/** The link behind which the playground opens `text` (its `share.ts` reads it). */
export function playgroundLink(text: string): string {
  return `m=${deflateRawSync(text).toString('base64url')}`;
}

/**
 * What the playground shall open for a listing: the listing by itself, or with those of the page before it, which it goes
 * on from; the first of them that has no errors. Nothing where neither holds by itself.
 */
export function runnable(listing: string, before: readonly string[], library: (name: string) => string | undefined) {
  const loader: ModelLoader = { read: () => undefined, library };
  const tries = [listing, [...before, listing].join('\n'), `config shown { network onnx("net.onnx")\n${listing}}\n`];
  return tries.find((text) => {
    const { value, diagnostics } = checkModel({ name: 'listing.spike', text }, loader);
    return value !== undefined && diagnostics.every(({ severity }) => severity !== 'error');
  });
}

const escapes: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

export function escaped(text: string): string {
  return text.replaceAll(/[&<>"]/g, (sign) => escapes[sign]!);
}

/** A model text as HTML, its words coloured as the grammar reads them. */
export function coloured(text: string): string {
  const { tokens: words, groups } = lexer.tokenize(text);
  const all = [...words, ...(groups['comments'] ?? [])].sort((a, b) => a.startOffset - b.startOffset);
  let html = '';
  let done = 0;
  for (const { image, startOffset, tokenType } of all) {
    const { name } = tokenType;
    const kind =
      name === 'LineComment'
        ? 'c'
        : name === 'NumberLiteral'
          ? 'n'
          : name === 'StringLiteral'
            ? 's'
            : keywords.has(name)
              ? 'k'
              : /^[A-Z]/.test(image)
                ? 't'
                : '';
    html += escaped(text.slice(done, startOffset));
    html += kind === '' ? escaped(image) : `<span class="${kind}">${escaped(image)}</span>`;
    done = startOffset + image.length;
  }
  return html + escaped(text.slice(done));
}
