import type { DiffDocument, Item, Mark, Row, Section, Table } from '../diff/index.js';

const marks: Readonly<Record<Mark, string>> = { added: '+', removed: '−', changed: '~', renamed: '→', equal: '=' };

/** A diff as Markdown, for a review or an issue. */
export function diffMarkdown({ from, to, summary, sections }: DiffDocument): string {
  return `## ${code(from)} → ${code(to)}\n\n${text(summary)}\n${sections.map(sectionMarkdown).join('')}`;
}

function sectionMarkdown({ title, items, table, left }: Section): string {
  const lines = items.map(itemMarkdown).join('');
  const rest = left > 0 ? `- … and ${left} more\n` : '';
  return `\n### ${title}\n\n${table === undefined ? lines + rest : markdownTable(table)}`;
}

function itemMarkdown({ mark, text: thing, detail, rows }: Item): string {
  const rest = detail === undefined || detail === '' ? '' : ` ${text(detail)}`;
  return `- ${marks[mark]} ${code(thing)}${rest}\n${rows.map(rowMarkdown).join('')}`;
}

function rowMarkdown(row: Row): string {
  if (!('lines' in row)) return `  - ${text(row.name)}: ${code(row.from)} → ${code(row.to)}\n`;
  const lines = row.lines.map((line) => `    ${line.mark} ${line.text.replaceAll('\n', ' ')}\n`).join('');
  return `  - ${text(row.name)}\n\n    \`\`\`diff\n${lines}    \`\`\`\n`;
}

export function markdownTable({ head, rows }: Table): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(text).join(' | ')} |\n`;
  return line(head) + line(head.map((_, i) => (i === 0 ? '---' : '---:'))) + rows.map(line).join('');
}

/** Text whose characters mean nothing to Markdown. */
function text(plain: string): string {
  return plain.replaceAll(/[\\`*_<>|[\]#]/g, String.raw`\$&`).replaceAll(/\s+/g, ' ');
}

/** A code span; longer fences where the text has backticks itself. */
function code(plain: string): string {
  const runs = plain.match(/`+/g)?.map((run) => run.length) ?? [];
  const fence = '`'.repeat(Math.max(0, ...runs) + 1);
  const pad = plain.startsWith('`') || plain.endsWith('`') ? ' ' : '';
  return `${fence}${pad}${plain.replaceAll(/\s+/g, ' ')}${pad}${fence}`;
}
