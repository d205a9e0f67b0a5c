import fc from 'fast-check';
import { tokens } from '../../grammar/index.js';
import type {
  Argument,
  Assignment,
  Declaration,
  Expression,
  GraphStatement,
  ModelFile,
  Name,
  NeuronStatement,
  Parameter,
  Setting,
  Stage,
  TypeExpression,
} from '../../src/syntax/index.js';

/** Random syntax trees, of every form the grammar has. Their spans are empty. */
const source = { name: 'random', text: '' };
const span = { source, start: 0, end: 0 };
const reserved = new Set(tokens.keywords.map((keyword) => keyword.name.toLowerCase()));

const identifier = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,6}$/).filter((text) => !reserved.has(text));
const name: fc.Arbitrary<Name> = identifier.map((text) => ({ text, span }));
const wordName: fc.Arbitrary<Name> = fc
  .oneof(identifier, fc.constantFrom('network', 'neuron', 'input', 'state', 'fire', 'use', 'extends'))
  .map((text) => ({ text, span }));
const numberText = fc.oneof(
  fc.nat(1000).map(String),
  fc.tuple(fc.nat(99), fc.nat(99)).map(([a, b]) => `${a}.${b}`),
  fc.tuple(fc.nat(9), fc.integer({ min: -9, max: 9 })).map(([a, b]) => `${a}e${b}`),
);

function optional<K extends string, T>(key: K, value: fc.Arbitrary<T>): fc.Arbitrary<{ [P in K]?: T }> {
  return fc.option(value).map((some) => (some === null ? {} : ({ [key]: some } as { [P in K]?: T })));
}

const trees = fc.letrec<{ expression: Expression; call: Stage['call']; setting: Setting }>((tie) => ({
  expression: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    numberText.map((text): Expression => ({ kind: 'number', text, value: Number(text), span })),
    fc.string().map((value): Expression => ({ kind: 'string', value: value.replace(/[\r]/g, ''), span })),
    fc.boolean().map((value): Expression => ({ kind: 'bool', value, span })),
    fc.record({ integer: name, fraction: name }).map((parts): Expression => ({ kind: 'format', ...parts, span })),
    tie('call'),
    fc.array(tie('expression'), { maxLength: 3 }).map((items): Expression => ({ kind: 'list', items, span })),
    fc
      .record({ operator: fc.constantFrom('-' as const, 'not' as const), operand: tie('expression') })
      .map((parts): Expression => ({ kind: 'unary', ...parts, span })),
    fc
      .record({
        operator: fc.constantFrom(
          ...(['+', '-', '*', '/', '^', '<', '<=', '>', '>=', '==', '!=', 'and', 'or'] as const),
        ),
        left: tie('expression'),
        right: tie('expression'),
      })
      .map((parts): Expression => ({ kind: 'binary', ...parts, span })),
    fc
      .record({
        source: tie('expression'),
        stages: fc.array(
          fc
            .record({ repeats: fc.array(tie('expression'), { maxLength: 2 }), call: tie('call') })
            .map((parts) => ({ ...parts, span })),
          { minLength: 1, maxLength: 3 },
        ),
      })
      .map((parts): Expression => ({ kind: 'pipe', ...parts, span })),
  ),
  call: fc.oneof(
    { depthSize: 'small' },
    identifier.map((text): Stage['call'] => ({ kind: 'name', name: text, span })),
    fc
      .record({
        callee: name,
        args: fc.array(
          fc
            .tuple(optional('name', wordName), tie('expression'))
            .map(([named, value]): Argument => ({ ...named, value, span })),
          { maxLength: 3 },
        ),
      })
      .map((parts): Stage['call'] => ({ kind: 'call', ...parts, span })),
  ),
  setting: fc
    .tuple(
      wordName,
      fc.oneof(
        { depthSize: 'small' },
        tie('expression').map((value) => ({ value })),
        fc.array(tie('setting'), { maxLength: 3 }).map((settings) => ({ settings })),
        fc.record({ value: tie('expression'), settings: fc.array(tie('setting'), { maxLength: 2 }) }),
      ),
    )
    .map(([key, rest]): Setting => ({ kind: 'setting', name: key, ...rest, span })),
}));

export const expressions: fc.Arbitrary<Expression> = trees.expression;

const type: fc.Arbitrary<TypeExpression> = fc
  .tuple(wordName, optional('dimensions', fc.array(trees.expression, { maxLength: 3 })))
  .map(([typeName, rest]) => ({ name: typeName, ...rest, span }));
const parameters: fc.Arbitrary<Parameter[]> = fc.array(
  fc
    .tuple(name, optional('type', type), optional('default', trees.expression))
    .map(([key, ...rest]): Parameter => ({ name: key, ...rest[0], ...rest[1], span })),
  { maxLength: 3 },
);
const assignment: fc.Arbitrary<Assignment> = fc
  .record({ name, value: trees.expression })
  .map((parts) => ({ kind: 'assignment', ...parts, span }));

const graphStatement: fc.Arbitrary<GraphStatement> = fc.oneof(
  fc
    .tuple(name, optional('type', type))
    .map(([key, rest]): GraphStatement => ({ kind: 'input', name: key, ...rest, span })),
  fc
    .tuple(optional('name', name), trees.expression)
    .map(([key, value]): GraphStatement => ({ kind: 'output', ...key, value, span })),
  assignment,
);

const neuronStatement: fc.Arbitrary<NeuronStatement> = fc.oneof(
  fc
    .tuple(name, optional('units', trees.expression), trees.expression)
    .map(([key, units, initial]): NeuronStatement => ({ kind: 'state', name: key, ...units, initial, span })),
  fc
    .tuple(
      fc.constantFrom('charge' as const, 'fire' as const, 'reset' as const),
      optional('detached', fc.constant(span)),
      fc.array(assignment, { minLength: 1, maxLength: 3 }),
    )
    .map(([text, detached, assignments]): NeuronStatement => ({
      kind: 'phase',
      phase: { text, span },
      ...detached,
      assignments,
      span,
    })),
  trees.call.map((call): NeuronStatement => ({ kind: 'surrogate', call, span })),
  name.map((form): NeuronStatement => ({ kind: 'planes', form, span })),
);

const declaration: fc.Arbitrary<Declaration> = fc.oneof(
  fc
    .tuple(
      fc.string(),
      fc.array(
        fc.tuple(name, optional('alias', name)).map(([used, alias]) => ({ name: used, ...alias, span })),
        { minLength: 1, maxLength: 3 },
      ),
    )
    .map(([path, names]): Declaration => ({
      kind: 'use',
      path: { kind: 'string', value: path.replaceAll('\r', ''), span },
      names,
      span,
    })),
  fc
    .record({
      kind: fc.constantFrom('block' as const, 'network' as const),
      name,
      parameters,
      body: fc.array(graphStatement, { maxLength: 4 }),
    })
    .map((parts): Declaration => ({ ...parts, span })),
  fc
    .record({ name, parameters, body: fc.array(neuronStatement, { maxLength: 4 }) })
    .map((parts): Declaration => ({ kind: 'neuron', ...parts, span })),
  fc
    .tuple(name, optional('base', name), fc.array(trees.setting, { maxLength: 4 }))
    .map(([key, base, settings]): Declaration => ({ kind: 'config', name: key, ...base, settings, span })),
);

export const modelFiles: fc.Arbitrary<ModelFile> = fc
  .array(declaration, { maxLength: 4 })
  .map((declarations) => ({ source, declarations, damaged: [], comments: [] }));

/** A tree without places and comments, to compare two of them. */
export function bare(tree: unknown): unknown {
  const text = JSON.stringify(tree, (key, value: unknown) => {
    if (key === 'detached') return value !== undefined;
    return key === 'span' || key === 'source' || key === 'comments' ? undefined : value;
  });
  return JSON.parse(text);
}
