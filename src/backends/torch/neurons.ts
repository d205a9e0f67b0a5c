import { elementCount } from '../../base/dtype.js';
import { type NeuronDef, drawsOf, printExpr, stepParameter, stepwiseParameters } from '../../equations/index.js';
import { neuronBody } from '../../lower/program/index.js';
import { type Network, type Op, optionalParam } from '../../network/index.js';
import type { Dim } from '../../tensor/index.js';
import { atom } from './expression.js';
import { Names, comment, float, identifier, quote, tuple } from './python.js';
import { Statements } from './statements.js';
import { stateName } from './state-names.js';
import { Unsupported } from './unsupported.js';

/** A layer of neurons as Python: its class without a name, and what it is made with. */
export interface NeuronCode {
  /** Lines of the class below its first. */
  readonly body: readonly string[];
  /** Arguments of its constructor. */
  readonly args: readonly string[];
}

/**
 * The class of a layer of neurons: its step is written from its equations, with the surrogates of their jumps. Layers of
 * the same equations and numbers share one.
 */
export function neuronCode(
  network: Network,
  op: Op<'neuron'>,
  steps: number,
  constant: readonly boolean[],
  helpers: Set<string>,
): NeuronCode {
  const def = network.neurons.get(op.attrs.neuron)!;
  const local = op.attrs.hold ?? steps;
  if ((op.attrs.silent ?? 0) > 0) throw new Unsupported(op, 'neurons that are silent first');
  if (op.attrs.integer_codes === true) throw new Unsupported(op, 'neurons that fire codes');
  const { program, initial, states } = neuronBody(network, op, local);
  for (const { id, dtype } of program.inputs)
    if (dtype !== 'f32') throw new Unsupported(op, `a state of truth values (\`${id}\`)`);
  const learned = def.params.flatMap(({ name }) => (op.params[name] === undefined ? [] : [name]));
  const read = new Set([...program.inputs, ...initial.inputs].map(({ id }) => id));
  const fed = inputsOfSteps(def);
  const names = new Names(['x', 't', 'states', 'learned', 'time', ...(fed.length > 0 ? ['more'] : [])]);
  const variables = new Map<string, string>();
  for (const name of [...states, ...learned, ...fed]) variables.set(name, names.fresh(name));
  const given = new Map([...variables].map(([name, variable]) => [name, atom(variable)] as const));
  given.set('x', atom('x')).set('t', atom('time'));
  const isWhole = (shape: readonly Dim[]): boolean =>
    JSON.stringify(shape) === JSON.stringify([{ batch: 1 }, ...op.type.shape]);
  const shared = {
    helpers,
    constant: (): never => {
      throw new Unsupported(op, 'a tensor of numbers in its equations');
    },
    batch: () => 'x.shape[0]',
    like: () => 'x',
    whole: (shape: readonly Dim[]) => (isWhole(shape) ? 'x' : undefined),
    hint: (id: string) => sectionOf(id, op.id),
  };
  const step = new Statements(program, { ...shared, names, given });
  const first = new Statements(initial, { ...shared, names: new Names(variables.values()), given });
  const spikes = step.output('spikes');
  const fired = spikes.form === 'hard' ? `${spikes.binds > 0 ? `(${spikes.code})` : spikes.code}.float()` : spikes.code;
  const starts = states.map((name) => {
    const value = first.output(name);
    if (value.number !== undefined)
      return value.number === 0 ? 'torch.zeros_like(x)' : `torch.full_like(x, ${value.code})`;
    return `(${value.code}).expand_as(x)`;
  });
  const parameters = learnedLines(network, op, def, learned, helpers);
  const usesLearned = (lines: readonly string[], more: string): readonly string[] =>
    learned.length === 0 || !learned.some((name) => mentions([...lines, more], variables.get(name)!))
      ? []
      : [`${tuple(learned.map((name) => variables.get(name)!))} = learned`];
  const next = states.map((name) => {
    const value = step.output(`next.${name}`);
    return value.number === undefined ? value.code : `torch.full_like(x, ${value.code})`;
  });
  const type = 'tuple[Tensor, ...]';
  const body = [
    `"""`,
    ...equationLines(def, op),
    `"""`,
    ...(drawsOf(def).length === 0 ? [] : ['', `draws = ${tuple(drawsOf(def).map(({ kind }) => quote(kind)))}`]),
    ...(parameters.init.length === 0
      ? []
      : [
          '',
          `def __init__(self, steps: int, constant: ${fed.length > 0 ? 'tuple[bool, ...]' : 'bool'}${parameters.signature}) -> None:`,
          '    super().__init__(steps, constant)',
          ...parameters.init.map((line) => `    ${line}`),
          '',
          `def learned(self) -> ${type}:`,
          `    return ${tuple(parameters.values)}`,
        ]),
    '',
    `def start(self, x: Tensor, learned: ${type}) -> ${type}:`,
    ...[...usesLearned(first.lines, starts.join(' ')), ...first.lines, `return ${tuple(starts)}`].map(
      (l) => `    ${l}`,
    ),
    '',
    `def step(self, x: Tensor, states: ${type}, learned: ${type}, t: int${fed.length > 0 ? `, more: ${type}` : ''}) -> tuple[Tensor, ${type}]:`,
    ...[
      ...(states.some((name) => read.has(name))
        ? [`${tuple(states.map((name) => variables.get(name)!))} = states`]
        : []),
      ...(fed.length > 0 ? [`${tuple(fed.map((name) => variables.get(name)!))} = more`] : []),
      ...usesLearned(step.lines, [fired, ...next].join(' ')),
      ...stepwiseParameters(def)
        .filter((name) => mentions([...step.lines, fired, ...next], variables.get(name)!))
        .map((name) => `${variables.get(name)!} = ${variables.get(name)!}[t - 1 : t]`),
      ...(read.has('t') ? ['time = torch.full((1,), float(t), device=x.device)'] : []),
      ...step.lines,
      `return ${fired}, ${tuple(next)}`,
    ].map((line) => `    ${line}`),
  ];
  const constants = constant.map((one) => (one ? 'True' : 'False'));
  return { body, args: [String(local), fed.length > 0 ? tuple(constants) : constants[0]!, ...parameters.args] };
}

/** What a step is given beside x, in its order: further input currents, and what is drawn. */
export function inputsOfSteps(def: NeuronDef): readonly string[] {
  return [...(def.currents ?? []), ...drawsOf(def).map(({ name }) => `drawn ${name}`)];
}

function mentions(lines: readonly string[], name: string): boolean {
  const word = new RegExp(`\\b${name}\\b`);
  return lines.some((line) => word.test(line));
}

/** `first.spike.u.add` belongs to u. */
function sectionOf(id: string, op: string): string {
  const own = id.startsWith(`${op}.`) ? id.slice(op.length + 1) : id;
  const [section, ...rest] = own.split('.');
  return rest.length === 0 ? 'value' : identifier(section!);
}

/** The equations, for the docstring. */
function equationLines(def: NeuronDef, op: Op<'neuron'>): readonly string[] {
  const numbers = def.params.flatMap(({ name, default: otherwise }) => {
    if (op.params[name] !== undefined) return [`${name} learned`];
    const value = op.attrs[name] ?? otherwise;
    return value === undefined ? [] : [`${name} = ${typeof value === 'number' ? value : String(value)}`];
  });
  return [
    `${def.name}${numbers.length === 0 ? '' : `, ${numbers.join(', ')}`}.`,
    '',
    ...def.phases.flatMap(({ name, assignments }) =>
      assignments.map(({ target, value }) => `    ${name.padEnd(6)} ${target} = ${printExpr(value)}`),
    ),
  ].map((line) => wrapped(line));
}

function wrapped(line: string): string {
  const indent = /^ */.exec(line)![0];
  return `${indent}${comment(line.trim())}`;
}

interface LearnedLines {
  /** Further parameters of the constructor. */
  readonly signature: string;
  readonly init: readonly string[];
  readonly args: readonly string[];
  /** What equations see of the parameters, in order. */
  readonly values: readonly string[];
}

/** Learned parameters: bits are rounded, and their gradients and those of step sizes scaled (ABA A.6). */
function learnedLines(
  network: Network,
  op: Op<'neuron'>,
  def: NeuronDef,
  learned: readonly string[],
  helpers: Set<string>,
): LearnedLines {
  const init: string[] = [];
  const values: string[] = [];
  const scaled = stepParameter(def);
  const stepwise = stepwiseParameters(def);
  const bits = 'bits_max' in op.attrs;
  const [least, most] = op.attrs.levels ?? [0, 1];
  const neurons = elementCount(op.type.shape);
  const scales = learned.some((name) => name === scaled || (name === 'bits' && bits));
  if (scales) {
    init.push('self._gradient = gradient');
    helpers.add('scaled_gradient');
    if (bits) helpers.add('bit_gradient').add('whole');
  }
  for (const name of learned) {
    const { shape } = optionalParam(network, op, name)!.tensor;
    const own = `self.get_parameter("${stateName(name)}")`;
    init.push(`self.register_parameter("${stateName(name)}", nn.Parameter(torch.zeros(${shape.join(', ')})))`);
    const wide =
      shape.length === 1 && shape[0] !== 1 && !stepwise.includes(name)
        ? `.reshape(${[-1, ...op.type.shape.slice(1).map(() => 1)].join(', ')})`
        : '';
    const factor = bits
      ? `bit_gradient(self.get_parameter("bits"), self._gradient, ${least < 0 ? 'True' : 'False'})`
      : 'self._gradient';
    if (name === 'bits' && bits) values.push(`whole(scaled_gradient(${own}${wide}, ${factor}))`);
    else if (name === scaled) values.push(`scaled_gradient(${own}${wide}, ${factor})`);
    else values.push(`${own}${wide}`);
  }
  const gradient = bits ? String(neurons) : float(1 / Math.sqrt(neurons * Math.max(1, most)), false);
  return {
    signature: scales ? `, gradient: ${bits ? 'int' : 'float'}` : '',
    init,
    args: scales ? [gradient] : [],
    values,
  };
}
