import { type Dim, type PrimAttrs, type ValueInfo, isBatch } from '../../tensor/index.js';
import { type Emit, type Layout, Variables, count, dims, tfTypes, toNhwc } from './context.js';

/**
 * A loop of the emitted function: states are variables that each step replaces, a stacked train is an array of its steps
 * until the loop ends. Images stay [N,H,W,C] inside where a train comes so.
 */
export const scan: Emit<PrimAttrs['scan']> = ({ js, vars, op, attrs, emitOp }) => {
  const { body, steps, states, scanned, reverse } = attrs;
  const operand = (i: number): string => op.inputs[i]!;
  const images = op.inputs
    .slice(states, states + scanned)
    .some((id) => vars.type(id).shape.length === 4 && vars.isNhwc(id));
  const layoutOf = ({ shape }: ValueInfo): Layout => (images && shape.length === 4 ? 'nhwc' : 'plain');
  const lying = (i: number): string =>
    layoutOf(body.inputs[i]!) === 'nhwc' ? vars.nhwc(operand(i)) : vars.plain(operand(i));

  const loop = js.block();
  const inner = new Variables(loop, { ...body, params: [] });
  const t = js.identifier('t');
  const first = body.inputs.slice(0, states).map((_, i) => lying(i));
  const carried = body.inputs.slice(0, states).map((input) => {
    const variable = js.identifier(`${op.id}_${input.id}`);
    inner.define(input.id, variable, layoutOf(input));
    return variable;
  });
  let index: string | undefined;
  body.inputs.slice(states, states + scanned).forEach((input, k) => {
    const train = lying(states + k);
    const order = <T>(values: readonly T[]): readonly T[] =>
      layoutOf(input) === 'nhwc' ? toNhwc.map((axis) => values[axis]!) : values;
    const shape = dims(order(input.shape));
    let step: string;
    if (tfTypes[input.dtype] === 'float32') {
      // wasm's tf.slice copies the whole train first; gatherND copies the step
      const flat = js.let(`${op.id}_${input.id}_steps`, `tf.reshape(${train}, [${steps}, -1])`, [train]);
      index ??= loop.let(`${t}_index`, `tf.tensor2d([${t}], [1, 1], 'int32')`, []);
      const taken = loop.let(`${input.id}_flat`, `tf.gatherND(${flat}, ${index})`, [flat, index]);
      step = loop.let(input.id, `tf.reshape(${taken}, ${shape})`, [taken]);
    } else {
      const start = [`${t} * ${units(input.shape[0]!)}`, ...input.shape.slice(1).map(() => '0')];
      step = loop.let(input.id, `tf.slice(${train}, [${order(start).join(', ')}], ${shape})`, [train]);
    }
    inner.define(input.id, step, layoutOf(input));
  });
  body.inputs.slice(states + scanned).forEach((input, k) => inner.take(input.id, vars, operand(states + scanned + k)));
  // constants stand before the loop
  for (const each of body.ops) emitOp({ js: each.kind === 'const' ? js : loop, vars: inner, op: each });

  const outputs = Object.entries(body.outputs).map(([name, id]) => ({ name, id, layout: layoutOf(inner.type(id)) }));
  const given = new Set<string>();
  const results = outputs.map(({ name, id, layout }) => {
    const variable = layout === 'nhwc' ? inner.nhwc(id) : inner.plain(id);
    const own = loop.owns(variable) && !given.has(variable);
    given.add(variable);
    return own ? variable : loop.let(`${name}_out`, `tf.clone(${variable})`, [variable]);
  });
  const trains = outputs.slice(states).map(({ name }) => js.identifier(`${op.id}_${name}`));
  const lists = trains.map((train) => js.identifier(`${train}_steps`));
  const head = reverse ? `let ${t} = ${steps - 1}; ${t} >= 0; ${t}--` : `let ${t} = 0; ${t} < ${steps}; ${t}++`;
  const replace = [
    `tf.dispose([${carried.join(', ')}]);`,
    `[${carried.join(', ')}] = [${results.slice(0, states).join(', ')}];`,
  ];
  const code = [
    ...carried.map((state, i) => `let ${state} = tf.clone(${first[i]!});`),
    ...lists.map((list) => `const ${list} = [];`),
    `for (${head}) {`,
    ...[
      ...loop.statements(results),
      ...lists.map((list, i) => `${list}[${t}] = ${results[states + i]!};`),
      ...(states > 0 ? replace : []),
    ].map((line) => `  ${line}`),
    `}`,
    ...trains.map((train, i) => `const ${train} = tf.concat(${lists[i]!}, 0);`),
    ...lists.map((list) => `tf.dispose(${list});`),
  ];
  js.place(code, [...carried, ...trains], [...first, ...loop.reads()]);
  const variables = [...carried, ...trains];
  vars.defineParts(
    op.id,
    outputs.map(({ layout }, i) => ({ variable: variables[i]!, layout })),
  );
};

function units(dim: Dim): string {
  return count(dim, isBatch(dim) ? dim.batch : dim);
}

export const scanOutput: Emit<PrimAttrs['scan_output']> = ({ vars, op, attrs }) => {
  const { variable, layout } = vars.part(op.inputs[0]!, attrs.index);
  vars.define(op.id, variable, layout);
};
