import { type Outcome, hasErrors } from '../base/diagnostics/index.js';
import type { Source, Span } from '../base/source.js';
import type {
  Assignment,
  Comment,
  ConfigDeclaration,
  Declaration,
  GraphDeclaration,
  GraphStatement,
  ModelFile,
  NeuronDeclaration,
  NeuronStatement,
  PhaseStatement,
  Setting,
  UseDeclaration,
} from './ast.js';
import { parseText } from './parse.js';
import { layOut, lineWidth, printExpression, printParameter, printType, quote } from './print-expression.js';

/** The text in the language's one layout. Its value is there only if the text has no syntax error. */
export function formatText(source: Source): Outcome<string> {
  const { value, diagnostics } = parseText(source);
  if (value === undefined || hasErrors(diagnostics)) return { diagnostics };
  return { value: print(value), diagnostics };
}

/**
 * Prints a syntax tree. Comments stay with what they precede or follow on a line (one inside an
 * expression moves above its statement), single blank lines stay, and a block that was written on
 * one line stays there while it fits.
 */
export function print(file: ModelFile): string {
  const lines = new Printer(file).file();
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
}

/** Something on lines of its own. */
interface Item {
  readonly span: Span;
  /** Comments inside that can't stay there; they go above it. */
  readonly hoisted: readonly Comment[];
  /** Name that is padded to the width of its neighbours' names. */
  readonly key?: string;
  readonly lines: (width: number) => string[];
}

interface Placed {
  readonly item: Item;
  readonly above: readonly string[];
  readonly after: string;
  readonly blank: boolean;
}

class Printer {
  readonly #file: ModelFile;
  readonly #text: string;

  constructor(file: ModelFile) {
    this.#file = file;
    this.#text = file.source.text;
  }

  file(): string[] {
    const items = this.#file.declarations.map((declaration) => this.#declaration(declaration));
    return this.#body(items, 0, this.#text.length, 0, true);
  }

  /** Items between two offsets with the comments around them. `apart`: blank lines around big ones. */
  #body(items: readonly Item[], start: number, end: number, indent: number, apart = false): string[] {
    const margin = ' '.repeat(indent);
    const placed: Placed[] = [];
    let cursor = start;
    items.forEach((item, i) => {
      const above: string[] = [];
      let blank = false;
      for (const comment of this.#comments(cursor, item.span.start)) {
        const gap = cursor > start && this.#blankBetween(cursor, comment.span.start);
        if (above.length === 0) blank = gap;
        else if (gap) above.push('');
        above.push(margin + comment.text);
        cursor = comment.span.end;
      }
      const gap = cursor > start && this.#blankBetween(cursor, item.span.start);
      if (above.length === 0) blank = gap;
      else if (gap) above.push('');
      above.push(...item.hoisted.map((comment) => margin + comment.text));
      cursor = item.span.end;
      const after = this.#comments(cursor, items[i + 1]?.span.start ?? end)[0];
      const trails = after !== undefined && !this.#text.slice(cursor, after.span.start).includes('\n');
      if (trails) cursor = after.span.end;
      placed.push({ item, above, after: trails ? ` ${after.text}` : '', blank });
    });
    const lines = this.#join(placed, apart);
    for (const comment of this.#comments(cursor, end)) {
      if (lines.length > 0 && this.#blankBetween(cursor, comment.span.start)) lines.push('');
      lines.push(margin + comment.text);
      cursor = comment.span.end;
    }
    return lines;
  }

  #join(placed: readonly Placed[], apart: boolean): string[] {
    const lines: string[] = [];
    const widths = groupWidths(placed);
    let previousIsBig = false;
    placed.forEach(({ item, above, after, blank }, i) => {
      const own = item.lines(widths[i]!);
      const big = own.length > 1;
      if (i > 0 && (blank || (apart && (big || previousIsBig)))) lines.push('');
      lines.push(...above, ...own.slice(0, -1), own.at(-1)! + after);
      previousIsBig = big;
    });
    return lines;
  }

  #declaration(declaration: Declaration): Item {
    switch (declaration.kind) {
      case 'use':
        return this.#use(declaration);
      case 'block':
      case 'network':
        return this.#graph(declaration);
      case 'neuron':
        return this.#neuron(declaration);
      case 'config':
        return this.#config(declaration);
    }
  }

  #use(declaration: UseDeclaration): Item {
    const names = declaration.names.map(({ name, alias }) =>
      alias === undefined ? name.text : `${name.text} as ${alias.text}`,
    );
    const head = `use ${quote(declaration.path.value)} {`;
    const flat = `${head} ${names.join(', ')} }`;
    const lines = flat.length <= lineWidth ? [flat] : [head, ...names.map((name) => `  ${name},`), '}'];
    return this.#flat(declaration.span, () => lines);
  }

  #graph(declaration: GraphDeclaration): Item {
    const items = declaration.body.map((statement) => this.#graphStatement(statement));
    return this.#withParameters(declaration, items);
  }

  #graphStatement(statement: GraphStatement): Item {
    switch (statement.kind) {
      case 'input': {
        const type = statement.type === undefined ? '' : `: ${printType(statement.type)}`;
        return this.#flat(statement.span, () => [`  input ${statement.name.text}${type}`]);
      }
      case 'output': {
        const name = statement.name === undefined ? '' : `${statement.name.text} = `;
        return this.#flat(statement.span, () => layOut(`  output ${name}`, statement.value, 2));
      }
      case 'assignment':
        return this.#assignment(statement, 2);
    }
  }

  #assignment({ name, value, span }: Assignment, indent: number, lead = ''): Item {
    const margin = ' '.repeat(indent - lead.length) + lead;
    const lines = (width: number): string[] => layOut(`${margin}${name.text.padEnd(width)} = `, value, indent);
    return { ...this.#flat(span, lines), key: name.text };
  }

  #neuron(declaration: NeuronDeclaration): Item {
    const items = declaration.body.map((statement) => this.#neuronStatement(statement));
    return this.#withParameters(declaration, items);
  }

  /** A declaration with parameters: on one line, or one a line where they don't fit or have comments. */
  #withParameters(declaration: GraphDeclaration | NeuronDeclaration, items: readonly Item[]): Item {
    const { kind, name, parameters, span } = declaration;
    const start = `${kind} ${name.text}`;
    const open = parameters.length === 0 ? name.span.end : this.#behind('(', name.span.end, span.end);
    const close = parameters.length === 0 ? open : this.#behind(')', endOf(parameters), span.end);
    if (this.#comments(open, close).length === 0) {
      return this.#braced(span, close, headLines(start, parameters.map(printParameter)), items, 0);
    }
    const rows = parameters.map((one) => this.#flat(one.span, () => [`  ${printParameter(one)},`]));
    const head = [`${start}(`, ...this.#body(rows, open, close, 2), ')'];
    const item = this.#braced(span, close, head, items, 0);
    const outside = item.hoisted.filter((comment) => comment.span.start < open || comment.span.start >= close);
    return { ...item, hoisted: outside };
  }

  #neuronStatement(statement: NeuronStatement): Item {
    switch (statement.kind) {
      case 'current':
        return this.#flat(statement.span, () => [`  input ${statement.name.text}`]);
      case 'state': {
        const units = statement.units === undefined ? '' : `[${printExpression(statement.units)}]`;
        const key = statement.name.text + units;
        const lines = (width: number): string[] => layOut(`  state ${key.padEnd(width)} = `, statement.initial, 2);
        return { ...this.#flat(statement.span, lines), key };
      }
      case 'phase':
        return this.#phase(statement);
      case 'surrogate':
        return this.#flat(statement.span, () => layOut('  surrogate ', statement.call, 2));
      case 'planes':
        return this.#flat(statement.span, () => [`  planes ${statement.form.text}`]);
    }
  }

  /** Assignments below one another, behind the name of the phase. */
  #phase({ phase, detached, assignments, span }: PhaseStatement): Item {
    const lead = phase.text.padEnd('charge '.length) + (detached === undefined ? '' : 'detached ');
    const indent = 2 + lead.length;
    const first = assignments[0]!.span.start;
    const items = assignments.map((assignment, i) => this.#assignment(assignment, indent, i === 0 ? lead : ''));
    const [head, ...rest] = items;
    const body = [{ ...head!, hoisted: [] }, ...rest];
    const hoisted = [...this.#comments(span.start, first), ...head!.hoisted];
    return { span, hoisted, lines: () => this.#body(body, first, span.end, indent) };
  }

  #config(declaration: ConfigDeclaration): Item {
    const { name, base, settings, span } = declaration;
    const head = `config ${name.text}${base === undefined ? '' : ` extends ${base.text}`}`;
    const items = settings.map((setting) => this.#setting(setting, 2));
    const flat = this.#flatBlock(head, settings, endOf(base === undefined ? [name] : [name, base]), span);
    return this.#braced(span, endOf(base === undefined ? [name] : [name, base]), [head], items, 0, flat);
  }

  #setting(setting: Setting, indent: number): Item {
    const { name, value, settings, span } = setting;
    const margin = ' '.repeat(indent);
    const head = (width: number): string =>
      `${margin}${name.text.padEnd(width)}${value === undefined ? '' : ` ${printExpression(value)}`}`;
    if (settings === undefined) {
      const lines = (width: number): string[] => layOut(`${margin}${name.text.padEnd(width)} `, value!, indent);
      return { ...this.#flat(span, lines), key: name.text };
    }
    const headEnd = (value ?? name).span.end;
    const flat = this.#flatBlock(margin + settingHead(setting), settings, headEnd, span);
    const items = settings.map((inner) => this.#setting(inner, indent + 2));
    const item = this.#braced(span, headEnd, [head(0)], items, indent, flat);
    if (flat === undefined) return item;
    return { ...item, key: name.text, lines: (width) => [`${head(width)}${flat.slice(head(0).length)}`] };
  }

  /** A block of settings on one line, if it was written on one line, has no comments and fits. */
  #flatBlock(head: string, settings: readonly Setting[], headEnd: number, span: Span): string | undefined {
    const inside = this.#text.slice(headEnd, span.end);
    const onOneLine = settings.length === 0 || (inside !== '' && !inside.includes('\n'));
    if (!onOneLine || this.#comments(span.start, span.end).length > 0) return undefined;
    const flat = settings.length === 0 ? `${head} {}` : `${head} { ${settings.map(printSetting).join('  ')} }`;
    return flat.length <= lineWidth ? flat : undefined;
  }

  #flat(span: Span, lines: (width: number) => string[]): Item {
    return { span, hoisted: this.#comments(span.start, span.end), lines };
  }

  /** Something with a body in braces; comments before its brace go above it. */
  #braced(
    span: Span,
    headEnd: number,
    head: readonly string[],
    items: readonly Item[],
    indent: number,
    flat?: string,
  ): Item {
    const brace = this.#behind('{', headEnd, span.end);
    const hoisted = this.#comments(span.start, brace);
    const lines = (): string[] => {
      if (flat !== undefined) return [flat];
      const body = this.#body(items, brace, span.end, indent + 2);
      const open = `${head.at(-1)!} {`;
      if (body.length === 0) return [...head.slice(0, -1), `${open}}`];
      return [...head.slice(0, -1), open, ...body, `${' '.repeat(indent)}}`];
    };
    return { span, hoisted, lines };
  }

  /** Offset behind the first `sign` from `start` that no comment contains. */
  #behind(sign: string, start: number, end: number): number {
    let at = this.#text.indexOf(sign, start);
    while (at !== -1 && at < end) {
      const comment = this.#comments(start, end).find(({ span }) => span.start <= at && at < span.end);
      if (comment === undefined) return at + 1;
      at = this.#text.indexOf(sign, comment.span.end);
    }
    return start;
  }

  #comments(start: number, end: number): Comment[] {
    const all = this.#file.comments;
    let low = 0;
    for (let high = all.length; low < high;) {
      const middle = (low + high) >> 1;
      if (all[middle]!.span.start < start) low = middle + 1;
      else high = middle;
    }
    const found: Comment[] = [];
    for (let i = low; i < all.length && all[i]!.span.start < end; i++) found.push(all[i]!);
    return found;
  }

  #blankBetween(start: number, end: number): boolean {
    return /\n[ \t\r]*\n/.test(this.#text.slice(start, end));
  }
}

/** Width to which the key of each item is padded: that of the longest among its neighbours. */
function groupWidths(placed: readonly Placed[]): number[] {
  const widths: number[] = [];
  for (let first = 0; first < placed.length;) {
    let end = first + 1;
    while (end < placed.length && joins(placed[end - 1]!, placed[end]!)) end++;
    const width = placed.slice(first, end).reduce((most, { item }) => Math.max(most, item.key?.length ?? 0), 0);
    while (first < end) widths[first++] = width;
  }
  return widths;
}

function joins(upper: Placed, lower: Placed): boolean {
  return upper.item.key !== undefined && lower.item.key !== undefined && !lower.blank && lower.above.length === 0;
}

function headLines(start: string, parameters: readonly string[]): string[] {
  if (parameters.length === 0) return [start];
  const flat = `${start}(${parameters.join(', ')})`;
  if (flat.length + 2 <= lineWidth) return [flat];
  return [`${start}(`, ...parameters.map((parameter) => `  ${parameter},`), ')'];
}

function settingHead({ name, value }: Setting): string {
  return value === undefined ? name.text : `${name.text} ${printExpression(value)}`;
}

function printSetting(setting: Setting): string {
  const { settings } = setting;
  if (settings === undefined) return settingHead(setting);
  if (settings.length === 0) return `${settingHead(setting)} {}`;
  return `${settingHead(setting)} { ${settings.map(printSetting).join('  ')} }`;
}

function endOf(parts: readonly { readonly span: Span }[]): number {
  return Math.max(...parts.map((part) => part.span.end));
}
