import { readFileSync } from 'node:fs';
import { generateCstDts } from 'chevrotain';
import { describe, expect, it } from 'vitest';
import { SpikeParser, grammarToEbnf, grammarToTextMate } from '../../grammar/index.js';

const parser = new SpikeParser();

function file(path: string): string {
  return readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
}

describe('what is generated from the parser is up to date (npm run grammar)', () => {
  it('docs/grammar.ebnf', () => {
    expect(file('docs/grammar.ebnf')).toBe(grammarToEbnf(parser));
  });

  it('grammar/cst.ts', () => {
    const tokens = (text: string): string => text.replace(/^\/\/.*\n/, '').replace(/\W/g, '');
    expect(tokens(file('grammar/cst.ts'))).toBe(tokens(generateCstDts(parser.getGAstProductions())));
  });

  it('grammar/spike.tmLanguage.json', () => {
    expect(JSON.parse(file('grammar/spike.tmLanguage.json'))).toEqual(JSON.parse(grammarToTextMate()));
  });

  it('docs/grammar.html has a diagram for every rule, and needs no script and no network', () => {
    const page = file('docs/grammar.html');
    const drawn = [...page.matchAll(/<h2 class="diagramHeader" id="(\w+)">/g)].map((match) => match[1]);
    const rules = parser.getSerializedGastProductions().map((rule) => (rule as { name?: string }).name);
    expect(drawn).toEqual(rules);
    expect(page.match(/<svg/g)).toHaveLength(rules.length);
    expect(page).not.toMatch(/<script|https?:|@import|url\(/);
  });
});
