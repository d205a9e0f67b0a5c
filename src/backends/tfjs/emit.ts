import type { DType } from '../../base/dtype.js';
import {
  type PrimKind,
  type Program,
  type TensorOp,
  type TrainingState,
  type ValueInfo,
  attrsOf,
  isBatch,
  showType,
} from '../../tensor/index.js';
import { type Emit, type EmitContext, type EmitTable, Variables, dims, nativeGradients } from './context.js';
import { compare, comparisonsHere, comparisonsText } from './comparisons.js';
import { conv2dInputGrad, conv2dWeightGrad } from './conv-gradients.js';
import { broadcast, cast, constant, elementwise } from './elementwise.js';
import { argmax, concat, lookup, pad, reduceMax, reshape, slice, sum, transpose } from './movement.js';
import { scan, scanOutput } from './scan.js';
import { avgpool, conv2d, matmul, maxpool, maxpoolGrad } from './windows.js';
import { JsWriter, quote } from './writer.js';

/** Every primitive as TensorFlow.js calls. */
export const tfjsEmitters: EmitTable = {
  const: constant,
  cast,
  ...elementwise,
  sum,
  reduce_max: reduceMax,
  argmax,
  reshape,
  transpose,
  slice,
  pad,
  concat,
  broadcast,
  lookup,
  matmul,
  conv2d,
  conv2d_input_grad: conv2dInputGrad,
  conv2d_weight_grad: conv2dWeightGrad,
  maxpool,
  maxpool_grad: maxpoolGrad,
  avgpool,
  scan,
  scan_output: scanOutput,
};

/** Whether TensorFlow.js can compute the primitive for this dtype: it has no float64. */
export function tfjsSupports(kind: PrimKind, dtype: DType): boolean {
  return dtype !== 'f64' && !(kind === 'matmul' && dtype === 'i32');
}

/** The first ops, params and inputs that TensorFlow.js has no number format for. */
export function unsupportedByTfjs(
  program: Program,
): readonly { readonly id: string; readonly kind: string; readonly dtype: DType }[] {
  const fed = [...program.inputs, ...program.params].filter(({ dtype }) => dtype === 'f64');
  return [
    ...fed.map(({ id, dtype }) => ({ id, kind: 'input', dtype })),
    ...program.ops.flatMap((op) => {
      if (op.kind === 'scan') return unsupportedByTfjs(attrsOf(op, 'scan').body);
      return tfjsSupports(op.kind, op.dtype) ? [] : [op];
    }),
  ];
}

/** `function NAME(tf, given) { … }`: takes inputs and params by id, returns outputs by name. */
export function emitFunction(program: Program, name: string): string {
  const js = new JsWriter();
  const vars = new Variables(js, program);
  for (const { id, dtype } of [...program.inputs, ...program.params]) {
    const given = `given[${quote(id)}]`;
    vars.define(id, dtype === 'bool' ? js.let(id, `tf.cast(${given}, 'float32')`, []) : js.borrow(id, given));
  }
  let heading: string | undefined;
  for (const op of program.ops) {
    const next = headingOf(op) ?? heading;
    if (next !== heading) js.comment(quote(next!).slice(1, -1));
    heading = next;
    emitOp({ js, vars, op });
  }
  const given = new Set<string>();
  const outputs = Object.entries(program.outputs).map(([key, id]) => {
    const variable = vars.plain(id);
    if (vars.type(id).dtype === 'bool')
      return [quote(key), js.let(key, `tf.cast(${variable}, 'bool')`, [variable])] as const;
    // Every output is a tensor of its own, which the caller may dispose of.
    const own = js.owns(variable) && !given.has(variable);
    given.add(variable);
    return [quote(key), own ? variable : js.let(`${key}_out`, `tf.clone(${variable})`, [variable])] as const;
  });
  const body = js.statements(outputs.map(([, variable]) => variable));
  return [
    `function ${name}(tf, given) {`,
    `  return tf.tidy(() => {`,
    ...batchSize(program).map((line) => `    ${line}`),
    ...(body.some((line) => line.includes(`if (${nativeGradients}`)) ? [`    ${kernelsThere}`] : []),
    ...(body.some(compares) ? [`    ${comparisonsHere}`] : []),
    ...body.map((line) => `    ${line}`),
    `    return { ${outputs.map(([key, variable]) => `${key}: ${variable}`).join(', ')} };`,
    `  });`,
    `}`,
  ].join('\n');
}

const compares = (text: string): boolean => text.includes(`${compare}.`);

/** The parts of a module, with what they need. */
function assembled(parts: readonly string[]): string {
  return `${[...parts, ...(parts.some(compares) ? [comparisonsText] : [])].join('\n\n')}\n`;
}

const emitOp: EmitContext<unknown>['emitOp'] = (place) => {
  (tfjsEmitters[place.op.kind] as Emit<unknown>)({ ...place, attrs: place.op.attrs, emitOp });
};

/**
 * wasm has no kernel for the gradient to a filter, unless somebody registers one; cpu's take ten times as long as forward
 * convolutions do.
 */
const kernelsThere =
  `const ${nativeGradients} = tf.getBackend() !== 'cpu' && ` +
  `tf.getKernel('Conv2DBackpropFilter', tf.getBackend()) !== undefined;`;

/** The layer that an op belongs to; shared constants belong to none. */
function headingOf({ id, from }: TensorOp): string | undefined {
  if (from === undefined) return undefined;
  return id.startsWith(`${from}.grad.`) ? `${from}: gradient` : from;
}

/** `const N = …`, from the first input that has a batch axis. */
function batchSize(program: Program): string[] {
  for (const { id, shape } of program.inputs) {
    const axis = shape.findIndex(isBatch);
    const dim = shape[axis];
    if (dim === undefined || !isBatch(dim)) continue;
    const size = `given[${quote(id)}].shape[${axis}]`;
    return [`const N = ${dim.batch === 1 ? size : `${size} / ${dim.batch}`};`];
  }
  return ['const N = 1;'];
}

/** An ES module with one function `run(tf, given)` for the whole program. */
export function emitTfjsProgram(program: Program): string {
  return assembled([header(program.name), `export ${emitFunction(program, 'run')}`]);
}

export interface TfjsModuleParts {
  /** A training step, as `trainingStep` makes it. */
  readonly step?: { readonly program: Program; readonly states: readonly TrainingState[] };
  /** The inference program: params are looked up in the state by id. */
  readonly predict?: Program;
}

/**
 * A self-contained ES module over a `tf` that is passed in: `init(tf, weights)` makes the
 * state, `step(tf, state, batch, options)` trains on one batch and updates the state,
 * `predict(tf, state, batch)` infers.
 */
export function emitTfjsModule(name: string, modules: TfjsModuleParts): string {
  const { step, predict } = modules;
  const parts = [header(name)];
  const params = new Map<string, ValueInfo>();
  for (const { id, dtype, shape } of [...(step?.program.params ?? []), ...(predict?.params ?? [])])
    params.set(id, { dtype, shape });
  const slots = new Set<string>();
  for (const { id, initial } of step?.states ?? []) {
    const trained = step!.program.inputs.some((input) => input.id === id) && !isSlot(id, step!.states);
    if (!trained) slots.add(id);
    params.set(id, { dtype: initial.dtype, shape: initial.shape });
  }
  parts.push(stateTable(params, slots), feedTable(modules, params), initFunction);
  if (step !== undefined) parts.push(emitFunction(step.program, 'trainStep'), stepFunction(step.states));
  if (predict !== undefined) parts.push(emitFunction(predict, 'infer'), predictFunction);
  return assembled(parts);
}

/** Optimiser slots are named after the param that they belong to. */
function isSlot(id: string, states: readonly TrainingState[]): boolean {
  const dot = id.lastIndexOf('.');
  const owner = id.slice(0, dot);
  const slot = ['velocity', 'first_moment', 'second_moment'].includes(id.slice(dot + 1));
  return slot && states.some((state) => state.id === owner);
}

function header(name: string): string {
  return [
    `// ${quote(name).slice(1, -1)}: generated by spikec. TensorFlow.js is passed in as tf.`,
    `// Images are [N,C,H,W] at the borders of each function and [N,H,W,C] inside.`,
  ].join('\n');
}

function stateTable(params: ReadonlyMap<string, ValueInfo>, slots: ReadonlySet<string>): string {
  const rows = [...params].map(([id, { dtype, shape }]) => {
    const zero = slots.has(id) ? ', zero: true' : '';
    const type = dtype === 'bool' ? 'bool' : dtype === 'f32' ? 'float32' : 'int32';
    return `  ${quote(id)}: { shape: ${dims(shape)}, dtype: '${type}'${zero} }, // ${showType({ dtype, shape })}`;
  });
  return [
    `/** What is learned or kept from step to step; \`zero\` starts at zero. */`,
    `export const tensors = {`,
    ...rows,
    `};`,
  ].join('\n');
}

/** What each function takes besides the state. */
function feedTable({ step, predict }: TfjsModuleParts, state: ReadonlyMap<string, ValueInfo>): string {
  const programs = [['step', step?.program] as const, ['predict', predict] as const];
  const clock = ['learning_rate', 'step'];
  const rows = programs.flatMap(([name, program]) => {
    const fed = program?.inputs.filter(({ id }) => !state.has(id) && !(name === 'step' && clock.includes(id)));
    const entries = fed?.map((input) => `${quote(input.id)}: ${quote(showType(input))}`) ?? [];
    return program === undefined ? [] : [`  ${name}: { ${entries.join(', ')} },`];
  });
  return [
    '/** What goes into a batch: id → type; N is the number of images. */',
    'export const inputs = {',
    ...rows,
    '};',
  ].join('\n');
}

const initFunction = `/** weights: id → { shape, data }. Returns the state: id → tensor. */
export function init(tf, weights) {
  const state = {};
  for (const [id, { shape, dtype, zero }] of Object.entries(tensors)) {
    const given = weights[id];
    if (given === undefined && !zero) throw new Error('no weights for ' + id);
    state[id] = given === undefined ? tf.zeros(shape, dtype) : tf.tensor(given.data, shape, dtype);
  }
  return state;
}`;

function stepFunction(states: readonly TrainingState[]): string {
  return `/**
 * Trains on one batch and updates \`state\`; step counts from 1. Returns the other outputs
 * (the loss among them) as tensors, which are the caller's to dispose of.
 */
export function step(tf, state, batch, { learningRate, step }) {
  const clock = { learning_rate: tf.scalar(learningRate), step: tf.scalar(step) };
  const results = trainStep(tf, { ...state, ...batch, ...clock });
  tf.dispose(clock);
  for (const id of [${states.map(({ id }) => quote(id)).join(', ')}]) {
    tf.dispose(state[id]);
    state[id] = results['next.' + id];
    delete results['next.' + id];
  }
  return results;
}`;
}

const predictFunction = `/** The network's outputs for a batch. */
export function predict(tf, state, batch) {
  return infer(tf, { ...state, ...batch });
}`;
