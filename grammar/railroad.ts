import type { ISerializedGast } from 'chevrotain';
import type { SpikeParser } from './parser.js';

/** Draws serialised rules as HTML with SVG; chevrotain's own diagram builder. */
export type DrawRules = (rules: ISerializedGast[]) => string;

/**
 * A page of railroad diagrams that needs no script and nothing from the network: the diagrams are
 * drawn now, the style sheet is written into the page.
 */
export function grammarToRailroad(parser: SpikeParser, draw: DrawRules, style: string): string {
  const rules = parser.getSerializedGastProductions();
  const names = rules.map((rule) => (rule as { name?: string }).name ?? '');
  const index = names.map((name) => `<a href="#${name}">${name}</a>`).join('\n');
  return `<!DOCTYPE html>
<!-- Generated from the parser by \`npm run grammar\`; do not edit. -->
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>The grammar of Spike</title>
<style>
${style.trim()}
body { background: #fbfaf7; color: #222; font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem; }
nav { columns: 4 12rem; }
nav a { display: block; }
</style>
</head>
<body>
<h1>The grammar of Spike</h1>
<p>One diagram a rule, generated from the parser. The same as text: <a href="grammar.ebnf">grammar.ebnf</a>. What the
constructs mean: <a href="language.md">language.md</a>.</p>
<nav>
${index}
</nav>
${draw(rules).replace(/(<h2 class="diagramHeader")>(\w+)/g, '$1 id="$2">$2')}
</body>
</html>
`;
}
