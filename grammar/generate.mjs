// Writes what is generated from the parser: `npm run grammar` (after a build).
// docs/grammar.ebnf, docs/grammar.html, grammar/cst.ts and grammar/spike.tmLanguage.json.
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { runInThisContext } from 'node:vm';
import { format } from 'prettier';
// the build's own copy: rules of another copy's classes are strangers to it
import { generateCstDts } from '../dist/grammar/chevrotain.js';
import { SpikeParser, grammarToEbnf, grammarToRailroad, grammarToTextMate } from '../dist/grammar/index.js';

const root = new URL('../', import.meta.url);
const diagrams = new URL(
  '../diagrams/',
  new URL(`file://${createRequire(import.meta.url).resolve('chevrotain')}`).href.replace(/lib\/.*$/, 'lib/'),
);

/** chevrotain's diagram scripts are CommonJS in a package of ES modules. */
function load(path, require) {
  const module = { exports: {} };
  const code = readFileSync(new URL(path, diagrams), 'utf8');
  runInThisContext(`(function (module, exports, require) {${code}\n})`)(module, module.exports, require);
  return module.exports;
}

const parser = new SpikeParser();
const builder = load('src/diagrams_builder.js', () => load('vendor/railroad-diagrams.js'));
const style = readFileSync(new URL('diagrams.css', diagrams), 'utf8');
const page = grammarToRailroad(parser, (rules) => builder.buildSyntaxDiagramsText(rules), style);
const cst = await format(
  `// Generated from the parser by \`npm run grammar\`; do not edit.\n${generateCstDts(parser.getGAstProductions())}`,
  { parser: 'typescript', printWidth: 120, singleQuote: true },
);

for (const [path, text] of [
  ['docs/grammar.ebnf', grammarToEbnf(parser)],
  ['docs/grammar.html', page],
  ['grammar/cst.ts', cst],
  ['grammar/spike.tmLanguage.json', await format(grammarToTextMate(), { parser: 'json', printWidth: 120 })],
]) {
  writeFileSync(fileURLToPath(new URL(path, root)), text);
}
