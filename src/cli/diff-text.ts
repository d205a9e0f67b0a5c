import pc from 'picocolors';
import type { DiffDocument, Item, Line, Mark, Row, Section } from '../diff/index.js';
import { printable as withoutControls } from './render.js';
import { table } from './table.js';

type Colours = ReturnType<typeof pc.createColors>;
type Paint = (text: string) => string;

const marks: Readonly<Record<Mark, string>> = { added: '+', removed: '-', changed: '~', renamed: '>', equal: '=' };

/**
 * A diff for a terminal:
 *
 *     --- net.spike#base
 *     +++ net.spike#fast
 *     changed
 *       ~ %encode  encode
 *           steps  4 → 2
 */
export function diffText(document: DiffDocument, colour: boolean): string {
  const c = pc.createColors(colour);
  const head = [`${c.red(`--- ${printable(document.from)}`)}\n`, `${c.green(`+++ ${printable(document.to)}`)}\n`];
  const parts = document.sections.map((section) => sectionText(section, c));
  return `${head.join('')}${c.bold(document.summary)}\n${parts.map((part) => `\n${part}`).join('')}`;
}

function sectionText({ title, tone, items, table: figures, left }: Section, c: Colours): string {
  const heading = tone === 'quiet' ? c.dim(c.bold(title)) : c.bold(title);
  if (figures !== undefined) {
    return table(
      [figures.head, ...figures.rows],
      figures.head.map((_, i) => (i === 0 ? 'left' : 'right')),
    );
  }
  const lines = items.map((item) => itemText(item, c)).join('');
  const rest = left > 0 ? c.dim(`  … and ${left} more (--full shows all)\n`) : '';
  return `${heading}\n${lines}${rest}`;
}

function paintOf(mark: Mark, c: Colours): Paint {
  switch (mark) {
    case 'added':
      return c.green;
    case 'removed':
      return c.red;
    case 'changed':
      return c.yellow;
    case 'renamed':
      return c.cyan;
    case 'equal':
      return c.dim;
  }
}

function itemText({ mark, text, detail, rows }: Item, c: Colours): string {
  const rest = detail === undefined || detail === '' ? '' : `  ${c.dim(printable(detail))}`;
  const width = Math.max(0, ...rows.map(({ name }) => name.length));
  return `  ${paintOf(mark, c)(marks[mark])} ${printable(text)}${rest}\n${rows.map((row) => rowText(row, width, c)).join('')}`;
}

function rowText(row: Row, width: number, c: Colours): string {
  const name = printable(row.name);
  if ('lines' in row) {
    const head = name === '' ? '' : `      ${name}\n`;
    return head + row.lines.map((line) => lineText(line, c)).join('');
  }
  return `      ${name.padEnd(width)}  ${c.red(printable(row.from))} → ${c.green(printable(row.to))}\n`;
}

function lineText({ mark, text }: Line, c: Colours): string {
  const line = `        ${mark} ${printable(text)}\n`;
  if (mark === '-') return c.red(line);
  return mark === '+' ? c.green(line) : line;
}

/** One line, whatever a name holds. */
function printable(text: string): string {
  return withoutControls(text).replaceAll('\n', '\ufffd');
}
