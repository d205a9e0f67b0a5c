import type { Span } from '../../base/source.js';
import type { ConfigDeclaration, Expression, GraphDeclaration, Setting, StringExpression } from '../../syntax/index.js';
import type { Declared } from '../declared.js';
import { partsOf } from '../rules/rule.js';

/** A part of a layer pattern that names something a graph binds: `stage2` and `pre` of `"stage2.0.pre.conv"`. */
export interface PatternMention {
  readonly span: Span;
  readonly graph: Declared<GraphDeclaration>;
  readonly name: string;
}

type Graph = Declared<GraphDeclaration>;

/** What the patterns of a config (`layer "…" { … }` in `bits` and `coding`) name. */
export function patternMentions(config: Declared<ConfigDeclaration>): readonly PatternMention[] {
  const network = networkOf(config);
  if (network === undefined) return [];
  return patternsIn(config.declaration.settings).flatMap((pattern) => mentionsOf(pattern, network));
}

function patternsIn(settings: readonly Setting[]): readonly StringExpression[] {
  return settings.flatMap(({ name, value, settings: inner = [] }) => [
    ...(name.text === 'layer' && value?.kind === 'string' ? [value] : []),
    ...patternsIn(inner),
  ]);
}

/** The network that a config names, itself or by what it extends. */
function networkOf(config: Declared<ConfigDeclaration>): Graph | undefined {
  const seen = new Set<ConfigDeclaration>();
  let at: Declared<ConfigDeclaration> | undefined = config;
  while (at !== undefined && !seen.has(at.declaration)) {
    seen.add(at.declaration);
    const { settings, base }: ConfigDeclaration = at.declaration;
    const value = settings.find(({ name }) => name.text === 'network')?.value;
    if (value !== undefined) return graphNamed(calledBy(value), at, ['network']);
    const next: Declared | undefined = base === undefined ? undefined : at.file.scope.get(base.text);
    at = next?.declaration.kind === 'config' ? (next as Declared<ConfigDeclaration>) : undefined;
  }
  return undefined;
}

function calledBy(expression: Expression): string | undefined {
  if (expression.kind === 'name') return expression.name;
  return expression.kind === 'call' ? expression.callee.text : undefined;
}

function graphNamed(name: string | undefined, { file }: Declared, kinds: readonly string[]): Graph | undefined {
  const found = name === undefined ? undefined : file.scope.get(name);
  return found !== undefined && kinds.includes(found.declaration.kind) ? (found as Graph) : undefined;
}

/** Follows the parts of a pattern from the network into its blocks, as far as they name single things. */
function mentionsOf({ value, span }: StringExpression, network: Graph): readonly PatternMention[] {
  const { source, start } = span;
  // with an escape in it, the places of its parts aren't those of its value
  if (source.text.slice(start + 1, span.end - 1) !== value) return [];
  const found: PatternMention[] = [];
  let graph: Graph | undefined = network;
  let at = start + 1;
  const parts = value.split('.');
  for (let i = 0; i < parts.length && graph !== undefined; i += 2) {
    const [name, number] = [parts[i]!, parts[i + 1]];
    const statement: GraphDeclaration['body'][number] | undefined = graph.declaration.body.find(
      (one) => (one.name?.text ?? 'output') === name,
    );
    if (statement === undefined) return found;
    if (statement.name !== undefined) found.push({ span: { source, start: at, end: at + name.length }, graph, name });
    at += name.length + 1 + (number === undefined ? 0 : number.length + 1);
    if (statement.kind === 'input' || number === undefined || !/^\d+$/.test(number)) return found;
    graph = blockAt(statement.value, Number(number), graph);
  }
  return found;
}

/** How many blocks a repetition counts for where its number isn't written out. */
const unknownCount = 1000;

/** The block that a binding's `n`th block is of, from 0; nothing where that depends on arguments. */
function blockAt(expression: Expression, n: number, within: Graph): Graph | undefined {
  const blocks = blocksIn(expression, within);
  const only = new Set(blocks.map(({ block }) => block?.declaration));
  if (only.size === 1) return blocks[0]!.block;
  let first = 0;
  for (const { block, count } of blocks) {
    if (count === undefined) return undefined;
    if (n < first + count) return block;
    first += count;
  }
  return undefined;
}

interface BlockUse {
  readonly block: Graph | undefined;
  /** How often; undefined where that isn't written out. */
  readonly count: number | undefined;
}

function blocksIn(expression: Expression, within: Graph): readonly BlockUse[] {
  if (expression.kind === 'pipe') {
    const stages = expression.stages.flatMap(({ repeats, call }): BlockUse[] => {
      const times = repeats.reduce<number | undefined>(
        (all, one) =>
          all === undefined || one.kind !== 'number' ? undefined : Math.min(unknownCount, all * one.value),
        1,
      );
      return blocksIn(call, within).map((one) => ({ ...one, count: times === undefined ? undefined : times }));
    });
    return [...blocksIn(expression.source, within), ...stages];
  }
  const inner = partsOf(expression).flatMap((part) => blocksIn(part, within));
  const called = calledBy(expression);
  const parameter = within.declaration.parameters.find(({ name }) => name.text === called);
  const name = parameter === undefined ? called : parameter.default && calledBy(parameter.default);
  const block = graphNamed(name, within, ['block']);
  return block === undefined ? inner : [...inner, { block, count: 1 }];
}
