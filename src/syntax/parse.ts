import {
  type CstNode,
  type ILexingError,
  type ILexingResult,
  type IRecognitionException,
  type IToken,
  Lexer,
} from 'chevrotain';
import type { ModelFileCstNode } from '../../grammar/cst.js';
import { SpikeParser, tokens as t } from '../../grammar/index.js';
import { type Diagnostic, type Help, type Outcome, diagnostic, hasErrors, writing } from '../base/diagnostics/index.js';
import type { Source, Span } from '../base/source.js';
import type { DamagedDeclaration, Declaration, ModelFile } from './ast.js';
import { bracketFaults, type BracketFault } from './brackets.js';
import { AstBuilder } from './build-ast.js';
import { maxExpressionDepth } from './build-expressions.js';
import { expectation, expectationCarrier } from './expectation.js';
import { habitAt } from './habits.js';
import type { SectionMemory } from './section-memory.js';
import { type Section, damagedBy, sectionsOf } from './sections.js';

/** Characters a model file may have. */
export const maxSourceLength = 1 << 18;
/** How deeply brackets may nest. */
export const maxBracketDepth = 64;
const maxErrors = 20;
/** An error so few tokens after another on its line is taken for its echo. */
const echo = 3;

// Words and grammar are validated by a test, not at every start.
const lexer = new Lexer(t.tokens, {
  ensureOptimizations: true,
  positionTracking: 'onlyOffset',
  skipValidations: true,
});
const parsers = new Map<boolean, SpikeParser>();

/** Of right text nothing has to be recovered; what that takes is prepared where it is needed. */
function parserFor(recoveryEnabled: boolean): SpikeParser {
  const known = parsers.get(recoveryEnabled);
  if (known !== undefined) return known;
  const made = new SpikeParser({
    nodeLocationTracking: 'onlyOffset',
    errorMessageProvider: expectationCarrier,
    skipValidations: true,
    recoveryEnabled,
  });
  parsers.set(recoveryEnabled, made);
  return made;
}

/** The parser that has read the tokens, with its errors, and the tree. */
function parseTokens(tokens: readonly IToken[], recovering = false): { parser: SpikeParser; tree: CstNode } {
  const parser = parserFor(recovering);
  parser.input = [...tokens];
  const tree = parser.modelFile();
  return recovering || parser.errors.length === 0 ? { parser, tree } : parseTokens(tokens, true);
}

/** The words of a part of a text, at their places in the whole. */
function lex({ text }: Source, start = 0, end = text.length): ILexingResult {
  const lexed = lexer.tokenize(text.slice(start, end));
  for (const error of lexed.errors) error.offset += start;
  for (const token of [...lexed.tokens, ...(lexed.groups['comments'] ?? [])]) {
    token.startOffset += start;
    // The lexer leaves ends out when it doesn't track lines, which nobody here needs.
    token.endOffset = token.startOffset + token.image.length - 1;
  }
  return lexed;
}

/**
 * Reads a model file. The value is there only if the text has no syntax error; every error found
 * is reported, in the order of the text.
 */
export function parseText(source: Source): Outcome<ModelFile> {
  const { value, diagnostics } = parseWhatHolds(source);
  return value === undefined || hasErrors(diagnostics) ? { diagnostics } : { value, diagnostics };
}

/**
 * Reads what can be read of a model file: the value has the declarations without errors, and what the others would have
 * declared as `damaged`. There is none only where the text is too large or nests too deep.
 */
export function parseWhatHolds(source: Source, memory?: SectionMemory): Outcome<ModelFile> {
  const known = parsed.get(source);
  if (known !== undefined) return known;
  const outcome = read(source, memory);
  parsed.set(source, outcome);
  return outcome;
}

/** What sources were read as: who checks a file and who indexes it ask for the same. */
const parsed = new WeakMap<Source, Outcome<ModelFile>>();

/** Reads a part of a model file that begins and ends between declarations, as {@link parseWhatHolds} reads the whole. */
export function parsePart(source: Source, start: number, end: number): Outcome<ModelFile> {
  return read(source, undefined, lex(source, start, end));
}

function read(source: Source, memory: SectionMemory | undefined, part?: ILexingResult): Outcome<ModelFile> {
  if (source.text.length > maxSourceLength) {
    const place = { source, start: 0, end: 0 };
    return {
      diagnostics: [diagnostic('syntax/too-large', { size: source.text.length, limit: maxSourceLength }, place)],
    };
  }
  const lexed = part ?? lex(source);
  const plain = bracketFaults(source, lexed.tokens, maxBracketDepth);
  if (plain.some((fault) => fault.kind === 'too-deep')) return { diagnostics: plain.map(bracketDiagnostic) };
  const sections = sectionsOf(source, lexed.tokens, plain.length > 0);
  const starts = new Set(sections.flatMap(({ proper, tokens }) => (proper ? [tokens[0]!.startOffset] : [])));
  const faults = plain.length === 0 ? [] : bracketFaults(source, lexed.tokens, maxBracketDepth, starts);

  const reader = new SectionReader(source, lexed, faults, sections);
  const parts = sections.map((section, i) => {
    const known = memory?.find(source, section);
    return known === undefined ? reader.read(i) : { declarations: known, diagnostics: [] };
  });
  // What stands before a bracket too many belongs to the declaration that an earlier one ended.
  sections.forEach(({ proper, overclosed, tokens }, i) => {
    const isBracket = tokens.every(({ image }) => [')', ']', '}'].includes(image));
    const isString = tokens[0]!.tokenType === t.BrokenString;
    if (!proper && overclosed && !isBracket && !isString && i > 0)
      parts[i - 1] = { ...parts[i - 1]!, declarations: undefined };
  });
  const outside = lexed.errors.map((error) => lexingDiagnostic(source, error));
  const diagnostics = [...faults.map(bracketDiagnostic), ...outside, ...parts.flatMap((one) => one.diagnostics)];
  const damaged = sections.flatMap((section, i) =>
    parts[i]!.declarations === undefined ? [damagedDeclaration(source, section)] : [],
  );
  memory?.keep(source, sections, parts);
  const value: ModelFile = {
    source,
    declarations: parts.flatMap(({ declarations }) => declarations ?? []),
    damaged,
    comments: (lexed.groups['comments'] ?? []).map((comment) => ({
      text: comment.image.trimEnd(),
      span: { source, start: comment.startOffset, end: comment.startOffset + comment.image.length },
    })),
  };
  return { value, diagnostics: inOrder(diagnostics) };
}

/** What was read of a section: nothing where it has errors, be they its own or of its brackets and characters. */
interface ReadSection {
  readonly declarations: readonly Declaration[] | undefined;
  readonly diagnostics: readonly Diagnostic[];
}

/** Reads sections of a file one by one. */
class SectionReader {
  readonly #order: ReadonlyMap<number, number>;
  readonly #ends: readonly number[];

  constructor(
    private readonly source: Source,
    private readonly lexed: ILexingResult,
    private readonly faults: readonly BracketFault[],
    private readonly sections: readonly Section[],
  ) {
    this.#order = new Map(lexed.tokens.map((token, index) => [token.startOffset, index]));
    this.#ends = sections.map((_, i) => sections[i + 1]?.tokens[0]!.startOffset ?? source.text.length);
  }

  read(index: number): ReadSection {
    const { source } = this;
    const { tokens } = this.sections[index]!;
    const [start, end] = [tokens[0]!.startOffset, this.#ends[index]!];
    const within = (offset: number): boolean => offset >= start && offset < end;
    const faults = this.faults.map(positionOf).filter(within);
    const broken = tokens.filter(({ tokenType }) => tokenType === t.BrokenString);
    const diagnostics = broken.map((token) => brokenStringDiagnostic(source, token));

    const { parser, tree } = parseTokens(tokens);
    // Past a bracket that doesn't match, the parser only repeats that.
    const trusted = Math.min(...faults);
    const after = this.sections[index + 1]?.tokens[0];
    const errors = withoutEchoes(source, parser.errors, this.#order, end).map((error) =>
      parseDiagnostic(source, error, after),
    );
    diagnostics.push(...errors.filter((error) => faults.length === 0 || startOf(error) < trusted));
    // What stands behind the last bracket belongs to nobody.
    const last = tokens.at(-1)!;
    const strange = this.lexed.errors.some(({ offset }) => within(offset) && offset < last.startOffset);
    const owned = tokens.filter(({ image }) => image === '__proto__');
    for (const token of owned) {
      const place = { source, start: token.startOffset, end: token.startOffset + token.image.length };
      const help = 'JavaScript owns this name; choose another';
      diagnostics.push(
        diagnostic('syntax/unexpected', { expected: 'a name', found: `\`${token.image}\`` }, place, { help }),
      );
    }
    if (parser.errors.length > 0 || faults.length > 0 || broken.length > 0 || strange || owned.length > 0) {
      return { declarations: undefined, diagnostics };
    }
    const builder = new AstBuilder(source);
    const declarations = builder.declarations(tree as ModelFileCstNode);
    if (builder.tooDeep.length === 0) return { declarations, diagnostics };
    const args = { limit: maxExpressionDepth, what: 'operators and calls' };
    diagnostics.push(...builder.tooDeep.map((span) => diagnostic('syntax/too-deep', args, span)));
    return { declarations: undefined, diagnostics };
  }
}

function positionOf(fault: BracketFault): number {
  return (fault.kind === 'unopened' ? fault.close : fault.open).start;
}

function damagedDeclaration(source: Source, section: Section): DamagedDeclaration {
  const { kind, names, nameless } = damagedBy(section);
  const last = section.tokens.at(-1)!;
  return {
    ...(kind === undefined ? {} : { kind }),
    names: names.map(({ text, start, end }) => ({ text, span: { source, start, end } })),
    nameless,
    span: { source, start: section.tokens[0]!.startOffset, end: last.startOffset + last.image.length },
  };
}

function bracketDiagnostic(fault: BracketFault): Diagnostic {
  const at = (span: Span): string => span.source.text.slice(span.start, span.end);
  switch (fault.kind) {
    case 'too-deep':
      return diagnostic('syntax/too-deep', { limit: maxBracketDepth, what: 'brackets' }, fault.open);
    case 'unopened':
      return diagnostic('syntax/unopened', { bracket: at(fault.close) }, fault.close, {
        help: writing('remove it, or open a bracket before it', 'Remove it', fault.close, ''),
      });
    case 'unclosed': {
      const bracket = at(fault.open);
      const close = { '{': '}', '(': ')', '[': ']' }[bracket] ?? bracket;
      return diagnostic('syntax/unclosed', { bracket }, fault.open, {
        related: [{ place: fault.noticed, message: `${fault.next} comes first` }],
        help: closingHelp(close, fault.next, fault.noticed),
      });
    }
  }
}

/** Closes a bracket behind the last text before the place where that was noticed. */
function closingHelp(close: string, next: string, noticed: Span): Help {
  const before = noticed.source.text.slice(0, noticed.start).trimEnd();
  const line = before.slice(before.lastIndexOf('\n') + 1);
  const at = { source: noticed.source, start: before.length, end: before.length };
  const isAlone = close === '}' || line.includes('//');
  return writing(`add \`${close}\` before ${next}`, `Add \`${close}\``, at, isAlone ? `\n${close}` : close);
}

function lexingDiagnostic(source: Source, error: ILexingError): Diagnostic {
  const rest = source.text.slice(error.offset);
  const text = rest.slice(0, Math.min(error.length, 40));
  const span = { source, start: error.offset, end: error.offset + Math.max(1, text.length) };
  const character = String.fromCodePoint(rest.codePointAt(0) ?? 0);
  return diagnostic('syntax/character', { character: quoteCharacter(character) }, span, {
    help: characterHelp(character, rest, span),
  });
}

/** What other languages mean by a character, and how it is said here. */
function characterHelp(character: string, rest: string, span: Span): Help | undefined {
  const written = (help: string, as: string): Help => {
    const behind = (sign: RegExp): Span => ({ ...span, end: span.start + (sign.exec(rest)?.[0].length ?? 1) });
    const word = /^[a-z]/.test(as) && /\w/.test(span.source.text[span.start - 1] ?? '') ? ` ${as}` : as;
    if (character === '&') return writing(help, 'Write `and`', behind(/^&+/), word);
    if (character === '!') return writing(help, 'Write `not`', behind(/^!\s*/), `${word} `);
    return writing(help, as === '' ? 'Remove it' : `Write \`${as}\``, behind(/^./), as);
  };
  switch (character) {
    case '#':
      return written('comments start with `//`', '//');
    case ';':
      return written('statements need no sign between them: remove it', '');
    case '&':
      return written('write `and`', 'and');
    case '!':
      return written('write `not`', 'not');
    case "'": {
      const help = 'strings stand in double quotes';
      const whole = /^'([^'"\\\n]*)'/.exec(rest);
      if (whole === null) return help;
      return writing(help, 'Write double quotes', { ...span, end: span.start + whole[0].length }, `"${whole[1]!}"`);
    }
    case '?':
      return 'write `where(condition, a, b)`';
    default:
      return undefined;
  }
}

function brokenStringDiagnostic(source: Source, token: IToken): Diagnostic {
  const start = token.startOffset;
  const escape = /^"(?:[^"\\]|\\["\\nt])*(\\.)/.exec(token.image);
  if (escape === null) {
    const place = { source, start, end: start + token.image.length };
    const end = start + token.image.trimEnd().length;
    const help = writing('add `"` where the string ends', 'Add `"`', { source, start: end, end }, '"');
    return diagnostic('syntax/unterminated-string', {}, place, { help });
  }
  const end = start + escape[0].length;
  const help = 'the escapes are `\\"`, `\\\\`, `\\n` and `\\t`';
  return diagnostic('syntax/escape', { escape: `\`${escape[1]!}\`` }, { source, start: end - 2, end }, { help });
}

function quoteCharacter(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  const name = `U+${code.toString(16).toUpperCase().padStart(4, '0')}`;
  return code < 0x20 || (code >= 0x7f && code < 0xa0) ? name : `\`${character}\``;
}

function withoutEchoes(
  source: Source,
  errors: readonly IRecognitionException[],
  order: ReadonlyMap<number, number>,
  end: number,
): IRecognitionException[] {
  let last: { readonly index: number; readonly offset: number } | undefined;
  return errors.filter(({ token }) => {
    const offset = Number.isNaN(token.startOffset) ? end : token.startOffset;
    const index = order.get(offset) ?? order.size;
    const isEcho =
      last !== undefined && index - last.index <= echo && !source.text.slice(last.offset, offset).includes('\n');
    if (last === undefined || index > last.index) last = { index, offset };
    return !isEcho;
  });
}

/** `after` is the token behind the section that was read. */
function parseDiagnostic(source: Source, error: IRecognitionException, after: IToken | undefined): Diagnostic {
  const isEnd = error.token.tokenType.name === 'EOF';
  const token = isEnd && after !== undefined ? after : error.token;
  const atEnd = token.tokenType.name === 'EOF';
  const start = atEnd ? source.text.trimEnd().length : token.startOffset;
  const end = atEnd ? start : start + token.image.length;
  const found = atEnd ? 'the end of the file' : `\`${token.image}\``;
  return diagnostic(
    'syntax/unexpected',
    { expected: expectation(error), found },
    { source, start, end },
    { help: remedy(error, { source, start, end }) ?? habitAt(source, start) },
  );
}

function remedy(error: IRecognitionException, at: Span): Help | undefined {
  const { token, context } = error;
  const rule = context.ruleStack.at(-1);
  if (t.keywords.includes(token.tokenType) && (rule === 'primary' || error.message === 'Identifier')) {
    return `\`${token.image}\` is a word of the language and can't be a name here; choose another name`;
  }
  if (token.image === '=' && (rule === 'args' || rule === 'setting')) {
    return rule === 'args'
      ? writing('arguments are named with `:`, as in `kernel: 3`', 'Write `:`', withBlanks(at), ': ')
      : writing('settings take no `=`, as in `batch 64`', 'Remove `=`', withBlanks(at), ' ');
  }
  const unquoted = token.image === ':' ? unquotedText(at) : undefined;
  if (unquoted !== undefined) {
    const text = unquoted.source.text.slice(unquoted.start, unquoted.end);
    return writing('text with a `:` in it stands in double quotes', 'Write it in quotes', unquoted, `"${text}"`);
  }
  if (token.image === ':' && rule === 'setting')
    return writing('settings take no `:`, as in `batch 64`', 'Remove `:`', withBlanks(at), ' ');
  return undefined;
}

/** What stands on both sides of a `:` without blanks, as in `csv:table.csv`. */
function unquotedText({ source, start, end }: Span): Span | undefined {
  const before = /[\w-]+$/.exec(source.text.slice(0, start))?.[0].length;
  const after = /^[^\s"{}()]*[./#][^\s"{}()]*/.exec(source.text.slice(end))?.[0].length;
  if (before === undefined || after === undefined) return undefined;
  return { source, start: start - before, end: end + after };
}

/** A sign with the blanks around it. */
function withBlanks({ source, start, end }: Span): Span {
  const before = /[ \t]*$/.exec(source.text.slice(0, start))![0].length;
  const after = /^[ \t]*/.exec(source.text.slice(end))![0].length;
  return { source, start: start - before, end: end + after };
}

function startOf(found: Diagnostic): number {
  return found.place !== undefined && 'start' in found.place ? found.place.start : 0;
}

function inOrder(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  const sorted = [...diagnostics].sort((a, b) => startOf(a) - startOf(b));
  if (sorted.length <= maxErrors) return sorted;
  const rest = diagnostic('syntax/too-many-errors', { count: sorted.length - maxErrors }, sorted[maxErrors]!.place);
  return [...sorted.slice(0, maxErrors), rest];
}
