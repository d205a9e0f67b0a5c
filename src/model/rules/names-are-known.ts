import { type Help, writing } from '../../base/diagnostics/index.js';
import { suggest } from '../../base/did-you-mean.js';
import type { Span } from '../../base/source.js';
import type {
  CallExpression,
  Expression,
  GraphDeclaration,
  GraphStatement,
  NameExpression,
} from '../../syntax/index.js';
import { aheadName, readsAhead } from '../ahead.js';
import { calleeOf } from '../arguments.js';
import { mayBeHidden } from '../environment.js';
import { constantFunctions } from '../evaluate.js';
import { layerNamed, layerTable } from '../layers/index.js';
import { layerNameHelp } from '../other-names.js';
import { type Rule, type RuleContext, namesIn, partsOf } from './rule.js';

/** Every name a graph mentions is a parameter, a binding above, a declaration or a layer. */
export const namesAreKnown: Rule = (declaration, context) => {
  const bound = new Set<string>();
  const check = (expression: Expression | undefined): void => {
    if (expression !== undefined) new NameCheck(declaration, bound, context).visit(expression);
  };
  for (const parameter of declaration.parameters) {
    check(parameter.default);
    bound.add(parameter.name.text);
  }
  for (const statement of declaration.body) {
    if (statement.kind === 'input') statement.type?.dimensions?.forEach(check);
    else check(statement.value);
    if (statement.name !== undefined) bound.add(statement.name.text);
  }
};

/** What an argument of a neuron may be called with. */
const argumentWords: ReadonlySet<string> = new Set(['learn', 'fixed']);

class NameCheck {
  constructor(
    private readonly declaration: GraphDeclaration,
    private readonly bound: ReadonlySet<string>,
    private readonly context: RuleContext,
  ) {}

  visit(expression: Expression): void {
    if (expression.kind === 'name') this.#value(expression);
    else if (expression.kind === 'call') this.#call(expression);
    else if (expression.kind === 'pipe') {
      const [first] = expression.stages;
      if (!(first !== undefined && readsAhead(first.call) && this.#isBoundBelow(expression.source))) {
        this.visit(expression.source);
      }
      for (const { repeats, call } of expression.stages) {
        repeats.forEach((repeat) => this.visit(repeat));
        this.#call(call);
      }
    } else partsOf(expression).forEach((part) => this.visit(part));
  }

  #value({ name, span }: NameExpression): void {
    const { file } = this.context;
    if (this.bound.has(name) || file.scope.has(name) || mayBeHidden(name, file)) return;
    const later = this.#laterBinding(name, span);
    const help = (): Help | undefined =>
      later?.help ?? file.elsewhere(name) ?? suggest(name, [...this.bound, ...file.scope.keys()]);
    const related = later?.related ?? [];
    this.context.reporter.report('model/unknown-name', { kind: 'value', name }, span, { help, related });
  }

  #call(written: CallExpression | NameExpression): void {
    const { name, args, place } = calleeOf(written);
    if (!this.#isCallable(name) && !mayBeHidden(name, this.context.file)) {
      const names = (): string[] => [...this.bound, ...this.context.file.scope.keys(), ...Object.keys(layerTable)];
      const help = (): Help | undefined =>
        this.#laterBinding(name, place)?.help ?? this.context.file.elsewhere(name) ?? layerNameHelp(name, names());
      this.context.reporter.report('model/unknown-name', { kind: 'layer or block', name }, place, { help });
    }
    for (const [i, { name: key, value }] of args.entries()) {
      if (readsAhead(written) && i === 0 && key === undefined && this.#isBoundBelow(value)) continue;
      // Words such as `pad: same` and `per: channel` are no names.
      const takesWords = Object.hasOwn(layerTable, name) || argumentWords.has(name);
      if (key !== undefined && value.kind === 'name' && takesWords) continue;
      if (key === undefined && isWord(name, value)) continue;
      this.visit(value);
    }
  }

  /** What a connection back begins with: a name that this statement binds, or one below. */
  #isBoundBelow(expression: Expression): boolean {
    return aheadName(expression, this.declaration, this.bound) !== undefined;
  }

  #isCallable(name: string): boolean {
    const known = this.bound.has(name) || this.context.file.scope.has(name);
    return known || Object.hasOwn(layerTable, name) || constantFunctions.has(name) || argumentWords.has(name);
  }

  /** What to do about a value that is bound below: move it up, unless it depends on what reads it. */
  #laterBinding(
    name: string,
    at: Span,
  ): { readonly help: Help; readonly related: { place: Span; message: string }[] } | undefined {
    const { body } = this.declaration;
    const later = body.find((statement) => statement.name?.text === name);
    if (later?.name === undefined) return undefined;
    const reader = body.find(({ span }) => span.start <= at.start && at.end <= span.end);
    if (reader === undefined || !dependsOn(later, reader, body)) {
      const text = `\`${name}\` is bound below; move that line up`;
      return { help: reader === undefined ? text : movedUp(text, later, reader), related: [] };
    }
    return {
      help:
        `\`${name}\` depends on this value, so it can only be what \`${name}\` was one time step before: ` +
        `write \`${name} | delay(1) | …\``,
      related: [{ place: later.name.span, message: `\`${name}\` is bound here` }],
    };
  }
}

/** A remedy that puts a statement before another that reads it; what stands between them stays behind both. */
function movedUp(text: string, { name, span }: GraphStatement, { span: reader }: GraphStatement): Help {
  const { source } = span;
  const between = source.text.slice(reader.start, span.start);
  const indent = /\n[ \t]*$/.exec(between)?.[0] ?? '\n';
  const moved = `${source.text.slice(span.start, span.end)}${indent}${between.trimEnd()}`;
  return writing(text, `Move \`${name?.text}\` up`, { source, start: reader.start, end: span.end }, moved);
}

/** Whether the value of a statement is made of another's, directly or through others of the body. */
function dependsOn(from: GraphStatement, on: GraphStatement, body: readonly GraphStatement[]): boolean {
  const byName = new Map(body.flatMap((one) => (one.name === undefined ? [] : [[one.name.text, one] as const])));
  const seen = new Set<GraphStatement>();
  const queue = [from];
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    if (next === on) return true;
    if (seen.has(next) || next.kind === 'input') continue;
    seen.add(next);
    queue.push(...namesIn(next.value).flatMap((name) => byName.get(name) ?? []));
  }
  return false;
}

/** Whether a name is a word that a layer takes: `readout(last)`. */
function isWord(layer: string, value: Expression): boolean {
  if (value.kind !== 'name') return false;
  const { name } = value;
  return layerNamed(layer)?.parameters.some(({ spec }) => spec.kind === 'words' && spec.words.includes(name)) === true;
}
