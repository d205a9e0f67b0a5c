import { type Diagnostic, type Outcome, diagnostic, hasErrors } from '../base/diagnostics/index.js';
import { suggest } from '../base/did-you-mean.js';
import type { Source, Span } from '../base/source.js';
import { IrSyntaxError, TokenStream } from '../base/tokens.js';
import { type ConfiguredPass, withOptions } from './options/configure.js';
import { exampleOf } from './options/describe.js';
import { type Raw, rawText, readMap, readRaw } from './options/raw.js';
import type { Pass } from './pass.js';
import { passes as known } from './pipelines.js';

/** `PASS{OPTION=VALUE, OPTION{"PATTERN": VALUE}},PASS`: passes in order, with their options. */
export function parsePasses(source: Source): Outcome<readonly ConfiguredPass[]> {
  const diagnostics: Diagnostic[] = [];
  let named: readonly NamedPass[];
  try {
    named = readPasses(new TokenStream(source));
  } catch (error) {
    if (!(error instanceof IrSyntaxError)) throw error;
    return { diagnostics: [diagnostic('pass/syntax', { problem: error.message }, error.diagnostic.place)] };
  }
  const passes = named.flatMap((one) => configured(one, diagnostics));
  return hasErrors(diagnostics) ? { diagnostics } : { value: passes, diagnostics };
}

/** A pass and its options as they are written. */
interface NamedPass {
  readonly name: string;
  readonly place: Span;
  readonly options: readonly NamedOption[];
}

interface NamedOption {
  readonly name: string;
  readonly place: Span;
  readonly value: Raw;
}

function readPasses(tokens: TokenStream): readonly NamedPass[] {
  const passes: NamedPass[] = [];
  do {
    const place = tokens.next.span;
    if (isAtEnd(tokens)) tokens.fail('a pass');
    const name = tokens.name();
    passes.push({ name, place, options: tokens.accept('{') ? readOptions(tokens) : [] });
  } while (tokens.accept(','));
  return isAtEnd(tokens) ? passes : tokens.fail('a comma and another pass');
}

function isAtEnd(tokens: TokenStream): boolean {
  return tokens.next.kind === 'end';
}

function readOptions(tokens: TokenStream): readonly NamedOption[] {
  const options: NamedOption[] = [];
  while (!tokens.accept('}')) {
    if (options.length > 0) tokens.expect(',');
    const place = tokens.next.span;
    const name = tokens.name();
    options.push({ name, place, value: readValue(tokens, place) });
  }
  return options;
}

/** `=VALUE`, or `{"PATTERN": VALUE}`; a name alone is `true`. */
function readValue(tokens: TokenStream, place: Span): Raw {
  if (tokens.is('{')) return readMap(tokens);
  return tokens.accept('=') ? readRaw(tokens) : { kind: 'flag', place, value: true };
}

/** The pass with the values that its options' texts mean; none after a report. */
function configured({ name, place, options }: NamedPass, diagnostics: Diagnostic[]): readonly ConfiguredPass[] {
  const pass: Pass | undefined = known.find((one) => one.name === name);
  if (pass === undefined) {
    const help = suggest(
      name,
      known.map((one) => one.name),
    );
    diagnostics.push(diagnostic('pass/unknown', { pass: name }, place, { help }));
    return [];
  }
  const values = new Map<string, unknown>();
  const before = diagnostics.length;
  for (const option of options) {
    const problem = problemOf(pass, option, values);
    if (problem !== undefined) diagnostics.push(problem);
  }
  for (const [missing, { required, type }] of Object.entries(pass.options)) {
    if (!required || options.some((option) => option.name === missing)) continue;
    const help = `for example ${name}{${exampleOf(missing, type)}}`;
    const args = { pass: name, option: missing, expected: type.words };
    diagnostics.push(diagnostic('pass/option-missing', args, place, { help }));
  }
  if (diagnostics.length > before) return [];
  return [withOptions(pass, Object.fromEntries(values))];
}

/** Reads one option into `values`. */
function problemOf(
  pass: Pass,
  { name, place, value }: NamedOption,
  values: Map<string, unknown>,
): Diagnostic | undefined {
  const names = Object.keys(pass.options);
  const option = Object.hasOwn(pass.options, name) ? pass.options[name] : undefined;
  if (option === undefined) {
    const help = names.length === 0 ? `${pass.name} has no options` : suggest(name, names);
    return diagnostic('pass/unknown-option', { pass: pass.name, option: name }, place, { help });
  }
  if (values.has(name)) {
    return diagnostic('pass/syntax', { problem: `${name} of ${pass.name} is given twice` }, place);
  }
  const read: unknown = option.type.read(value);
  values.set(name, read);
  if (read !== undefined) return undefined;
  const args = { pass: pass.name, option: name, expected: option.type.words, found: rawText(value) };
  return diagnostic('pass/option', args, value.place, {
    help: `for example ${exampleOf(name, option.type)}`,
  });
}
