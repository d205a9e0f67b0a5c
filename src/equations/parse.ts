import {
  type Assignment,
  type BinaryOp,
  type Expr,
  type NeuronDef,
  type NeuronParam,
  type NeuronState,
  learnConstraints,
  learnScopes,
  neuronParamTypes,
  phasesOf,
  planeForms,
} from './types.js';
import { type PhaseName, isPhaseName, phaseNames } from './phases.js';
import { binaryPrecedence } from './print.js';
import type { TokenStream } from '../base/tokens.js';

const nestingLimit = 200;
/** Operands of one expression, which bound how deep its tree is: others go through it by recursion. */
const operandLimit = 4000;

interface Bounds {
  readonly depth: number;
  /** Shared by all parts of the expression. */
  readonly operands: { left: number };
}

function newBounds(): Bounds {
  return { depth: 0, operands: { left: operandLimit } };
}

/** An expression by precedence climbing; the levels are those of the printer. */
export function parseExpr(tokens: TokenStream, least = 0, within: Bounds = newBounds()): Expr {
  if (within.depth > nestingLimit) tokens.fail('an expression nested less deeply');
  let left = parsePrefix(tokens, within);
  for (;;) {
    const level = binaryPrecedence(tokens.next.text);
    if (level === undefined || level < least || (tokens.next.kind !== 'sign' && tokens.next.kind !== 'name'))
      return left;
    const op = tokens.take().text as BinaryOp;
    const right = parseExpr(tokens, op === '^' ? level : level + 1, deeper(within));
    left = { kind: 'binary', op, left, right };
  }
}

function deeper({ depth, operands }: Bounds): Bounds {
  return { depth: depth + 1, operands };
}

function parsePrefix(tokens: TokenStream, within: Bounds): Expr {
  if (within.operands.left-- === 0) tokens.fail('an expression of fewer parts');
  const inside = deeper(within);
  if (tokens.accept('-')) {
    // −2 is a number, but −2 ^ n is −(2 ^ n)
    if (tokens.next.kind === 'number' && tokens.peek(1).text !== '^') {
      return { kind: 'number', value: -Number(tokens.take().text) };
    }
    return { kind: 'unary', op: '-', operand: parseExpr(tokens, 7, inside) };
  }
  if (tokens.accept('not')) return { kind: 'unary', op: 'not', operand: parseExpr(tokens, 3, inside) };
  if (tokens.accept('(')) {
    const inner = parseExpr(tokens, 0, inside);
    tokens.expect(')');
    return inner;
  }
  if (tokens.next.kind === 'number') return { kind: 'number', value: Number(tokens.take().text) };
  const name = tokens.name();
  if (!tokens.accept('(')) return { kind: 'name', name };
  const args: Expr[] = [];
  const named: [string, Expr][] = [];
  while (!tokens.is(')')) {
    const key = tokens.next;
    if (key.kind === 'name' && key.text.endsWith(':')) {
      tokens.take();
      named.push([key.text.slice(0, -1), parseExpr(tokens, 0, inside)]);
    } else if (key.kind === 'name' && tokens.peek(1).text === ':') {
      tokens.take();
      tokens.expect(':');
      named.push([key.text, parseExpr(tokens, 0, inside)]);
    } else args.push(parseExpr(tokens, 0, inside));
    if (!tokens.accept(',')) break;
  }
  tokens.expect(')');
  return { kind: 'call', callee: name, args, named: Object.fromEntries(named) };
}

function parseNeuronParam(tokens: TokenStream): NeuronParam {
  const name = tokens.name();
  const type = tokens.accept(':') ? neuronParamTypes.find((word) => tokens.accept(word)) : undefined;
  const value = tokens.accept('=') ? tokens.number() : undefined;
  let learn: NeuronParam['learn'];
  if (tokens.accept('learn')) {
    const constraint = learnConstraints.find((word) => tokens.accept(word));
    const per = tokens.accept('per') ? learnScopes.find((word) => tokens.accept(word)) : undefined;
    learn = { ...(constraint === undefined ? {} : { constraint }), ...(per === undefined ? {} : { per }) };
  }
  return {
    name,
    ...(type === undefined ? {} : { type }),
    ...(value === undefined ? {} : { default: value }),
    ...(learn === undefined ? {} : { learn }),
  };
}

/** `neuron NAME(params) { … }`, after the word `neuron`. */
export function parseNeuron(tokens: TokenStream): NeuronDef {
  const name = tokens.name();
  const params: NeuronParam[] = [];
  tokens.expect('(');
  while (!tokens.is(')')) {
    params.push(parseNeuronParam(tokens));
    if (!tokens.accept(',')) break;
  }
  tokens.expect(')');
  tokens.expect('{');
  const states: NeuronState[] = [];
  const currents: string[] = [];
  const phases: Partial<Record<PhaseName, Assignment[]>> = {};
  let surrogate: NeuronDef['surrogate'];
  let detachReset = false;
  let planes: NeuronDef['planes'];
  while (!tokens.accept('}')) {
    const word = tokens.name();
    if (word === 'input') currents.push(tokens.name());
    else if (word === 'state') {
      const state = tokens.name();
      let units: Expr | undefined;
      if (tokens.accept('[')) {
        units = parseExpr(tokens);
        tokens.expect(']');
      }
      tokens.expect('=');
      states.push({ name: state, initial: parseExpr(tokens), ...(units === undefined ? {} : { units }) });
    } else if (isPhaseName(word)) {
      const target = tokens.name();
      tokens.expect('=');
      (phases[word] ??= []).push({ target, value: parseExpr(tokens) });
    } else if (word === 'surrogate') surrogate = parseSurrogate(tokens);
    else if (word === 'detach') {
      tokens.expect('reset');
      detachReset = true;
    } else if (word === 'planes') {
      planes = planeForms.find((form) => tokens.accept(form)) ?? tokens.fail(planeForms.join(' or '));
    } else tokens.fail(`input, state, ${phaseNames.join(', ')}, surrogate, planes, detach or "}"`);
  }
  return {
    name,
    params,
    ...(currents.length === 0 ? {} : { currents }),
    states,
    phases: phasesOf(phases),
    ...(surrogate === undefined ? {} : { surrogate }),
    ...(detachReset ? { detachReset } : {}),
    ...(planes === undefined ? {} : { planes }),
  };
}

function parseSurrogate(tokens: TokenStream): NonNullable<NeuronDef['surrogate']> {
  const call = parsePrefix(tokens, newBounds());
  if (call.kind !== 'call') return tokens.fail('a surrogate such as triangle(width: 1)');
  const args = Object.fromEntries(
    Object.entries(call.named).map(([key, value]) => [key, value.kind === 'number' ? value.value : value]),
  );
  return { name: call.callee, args };
}
