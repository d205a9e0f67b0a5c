import { present } from '../../../base/invariant.js';
import {
  type Expr,
  type NeuronDef,
  applyBinary,
  assignmentsOf,
  equationFunctions,
  functionNamed,
  valueOf,
} from '../../../equations/index.js';
import { NotInteger } from '../not-integer.js';

/**
 * A value of the equations: known; a truth value; a whole number; or in units of the membrane, where the C expression is
 * of fixed point and a number k stands there as k·unit.
 */
type Term =
  | { readonly kind: 'known'; readonly value: number }
  | { readonly kind: 'truth' | 'whole' | 'membrane'; readonly text: string };

/** A layer of neurons as integers: the membrane follows from its input so far and its spikes so far. */
export interface LinearNeuron {
  readonly def: NeuronDef;
  /** Name of the membrane, and of the state that is the weighted sum of the spikes; that one may be no state of its own. */
  readonly membrane: string;
  readonly prefix: string | undefined;
  /** How much of the membrane stays from one step to the next: a whole number. */
  readonly beta: number;
  /** What a spike takes from the membrane. */
  readonly reset: number;
  /** Bits behind the point that its numbers have. */
  readonly fraction: number;
  readonly env: ReadonlyMap<string, number>;
}

/**
 * The equations of neurons that integrate linearly: `charge u = β·u + x`, `reset u = u − s·c`, with whole β: then
 * u(t) = Σ β^(t−k)·x(k) − c·β·P(t−1) before it fires, P the same sum of the spikes, which is exact in integers.
 */
export function linearNeuron(layer: string, def: NeuronDef, env: ReadonlyMap<string, number>): LinearNeuron {
  const refuse = (why: string): never => {
    throw new NotInteger(layer, why);
  };
  const [first, ...others] = def.states;
  const membrane = present(first, 'c: neurons without a state').name;
  const charge = assignmentsOf(def, 'charge');
  if (charge.length !== 1 || charge[0]!.target !== membrane) return refuse('its equations charge more than a membrane');
  const beta = leakOf(charge[0]!.value, membrane, env);
  if (beta === undefined || !Number.isInteger(beta) || beta < 1)
    return refuse('its membrane doesn’t integrate by a whole factor');
  const known = new Map(env);
  for (const { target, value } of assignmentsOf(def, 'fire')) {
    const constant = valueOf(value, known);
    if (constant !== undefined) known.set(target, constant);
  }
  const resets = assignmentsOf(def, 'reset');
  const own = resets.filter(({ target }) => target === membrane);
  const reset = own.length === 1 ? resetOf(own[0]!.value, membrane, known) : undefined;
  if (reset === undefined) return refuse('its reset isn’t a subtraction of its spikes');
  const prefix = others.find(({ name, initial }) => {
    const mine = resets.filter(({ target }) => target === name);
    return valueOf(initial, known) === 0 && mine.length === 1 && isPrefix(mine[0]!.value, name, beta, known);
  })?.name;
  if (others.some(({ name }) => name !== prefix)) return refuse('it has states beside its membrane');
  if (def.states.some(({ initial, units }) => units !== undefined || valueOf(initial, known) !== 0)) {
    return refuse('a state of it doesn’t begin at 0');
  }
  let fraction = 0;
  for (const value of [reset, ...known.values()]) {
    // a tolerance needs no grid of its own: what is compared is rounded
    if (Math.abs(value) < 2 ** -16) continue;
    while (fraction < 16 && Number.isFinite(value) && !Number.isInteger(value * 2 ** fraction)) fraction++;
  }
  if (fraction === 16) fraction = 4;
  if (!Number.isInteger(reset * 2 ** fraction)) return refuse('its reset has no exact fixed point');
  return { def, membrane, prefix, beta, reset, fraction, env };
}

/** The factor a of `a·u + x`. */
function leakOf(expr: Expr, u: string, env: ReadonlyMap<string, number>): number | undefined {
  if (expr.kind !== 'binary' || expr.op !== '+') return undefined;
  const [a, b] = [expr.left, expr.right];
  const isInput = (one: Expr): boolean => one.kind === 'name' && one.name === 'x';
  return isInput(b) ? factorOf(a, u, env) : isInput(a) ? factorOf(b, u, env) : undefined;
}

/** The factor a of `a·name`, 1 of the name alone. */
function factorOf(expr: Expr, name: string, env: ReadonlyMap<string, number>): number | undefined {
  if (expr.kind === 'name') return expr.name === name ? 1 : undefined;
  if (expr.kind !== 'binary' || expr.op !== '*') return undefined;
  const isName = (one: Expr): boolean => one.kind === 'name' && one.name === name;
  if (isName(expr.right)) return valueOf(expr.left, env);
  return isName(expr.left) ? valueOf(expr.right, env) : undefined;
}

/** The c of `u − s·c`. */
function resetOf(expr: Expr, u: string, env: ReadonlyMap<string, number>): number | undefined {
  if (expr.kind !== 'binary' || expr.op !== '-' || expr.left.kind !== 'name' || expr.left.name !== u) return undefined;
  return factorOf(expr.right, 's', env);
}

/** Whether it is `β·p + s`. */
function isPrefix(expr: Expr, name: string, beta: number, env: ReadonlyMap<string, number>): boolean {
  if (expr.kind !== 'binary' || expr.op !== '+') return false;
  const isSpike = expr.right.kind === 'name' && expr.right.name === 's';
  return isSpike && factorOf(expr.left, name, env) === beta;
}

/** The step t of T: lines of C in which `u` and `p` are known and `s` becomes so. */
export function fireLines(layer: string, neuron: LinearNeuron, t: number, T: number): readonly string[] {
  const { def, membrane, prefix, fraction } = neuron;
  const env = new Map<string, Term>([...neuron.env].map(([name, value]) => [name, { kind: 'known', value }]));
  env.set('t', { kind: 'known', value: t });
  env.set('T', { kind: 'known', value: T });
  env.set(membrane, { kind: 'membrane', text: 'u' });
  if (prefix !== undefined) env.set(prefix, { kind: 'whole', text: 'before' });
  const writer = new Fixed(layer, env, fraction);
  const lines: string[] = [];
  for (const { target, value } of assignmentsOf(def, 'fire')) {
    const term = writer.of(value);
    if (target === 's') lines.push(`s = ${writer.whole(term)};`);
    // expressions are small: each stands where it is read
    env.set(target, target === 's' ? { kind: 'whole', text: 's' } : term);
  }
  return lines;
}

class Fixed {
  constructor(
    readonly layer: string,
    readonly env: ReadonlyMap<string, Term>,
    readonly fraction: number,
  ) {}

  #refuse(why: string): never {
    throw new NotInteger(this.layer, why);
  }

  of(expr: Expr): Term {
    switch (expr.kind) {
      case 'number':
        return { kind: 'known', value: expr.value };
      case 'name':
        return present(this.env.get(expr.name), `c: an equation names unknown ${expr.name}`);
      case 'unary': {
        const x = this.of(expr.operand);
        if (x.kind === 'known') return { kind: 'known', value: expr.op === '-' ? -x.value : Number(x.value === 0) };
        return expr.op === '-'
          ? { kind: x.kind === 'truth' ? 'whole' : x.kind, text: `(-${x.text})` }
          : { kind: 'truth', text: `(!${x.text})` };
      }
      case 'binary':
        return this.#binary(expr.op, expr.left, expr.right);
      case 'call':
        return this.#call(expr.callee, expr.args);
    }
  }

  /** A term as an `int32_t` expression. */
  whole(term: Term): string {
    if (term.kind === 'membrane') return this.#refuse('its output isn’t whole');
    if (term.kind !== 'known') return term.text;
    if (!Number.isInteger(term.value)) return this.#refuse('its output isn’t whole');
    return String(term.value);
  }

  /** A term in units of the membrane. */
  #inUnits(term: Term): string {
    if (term.kind === 'membrane') return term.text;
    if (term.kind !== 'known') return `(${term.text} * ${2 ** this.fraction} * unit)`;
    const units = term.value * 2 ** this.fraction;
    if (!Number.isInteger(units)) return this.#refuse(`its number ${term.value} has no exact fixed point`);
    return units === 0 ? '0' : `${units} * unit`;
  }

  /**
   * A number that the membrane u is compared with, in its units, rounded down (or up) to a whole number: for a whole u, `u > v` and
   * `u <= v` are the same of ⌊v⌋, `u >= v` and `u < v` of ⌈v⌉. So a tolerance beside a threshold decides as its real number does.
   */
  #compared(value: number, up: boolean): string {
    const units = value * 2 ** this.fraction;
    const whole = Math.round(units);
    const rest = Math.abs(units - whole);
    let bits = 0;
    while (bits < 60 && !Number.isInteger(rest * 2 ** bits)) bits++;
    const times = rest * 2 ** bits;
    // 61.5 bits hold at least 6 units (see the constants of a layer)
    if (rest === 0 || !Number.isInteger(times) || times > 7) return this.#inUnits({ kind: 'known', value });
    const negative = units < whole;
    const product = times === 1 ? 'unit' : `${times} * unit`;
    const part = up === negative ? `(${product} >> ${bits})` : `((${product} + ${2n ** BigInt(bits) - 1n}) >> ${bits})`;
    return `${whole} * unit ${negative ? '-' : '+'} ${part}`;
  }

  /** Two terms in the same units. */
  #pair(a: Term, b: Term): { readonly kind: 'whole' | 'membrane'; readonly a: string; readonly b: string } {
    if (a.kind === 'membrane' || b.kind === 'membrane')
      return { kind: 'membrane', a: this.#inUnits(a), b: this.#inUnits(b) };
    return { kind: 'whole', a: this.whole(a), b: this.whole(b) };
  }

  #binary(op: Extract<Expr, { kind: 'binary' }>['op'], left: Expr, right: Expr): Term {
    const a = this.of(left);
    if (op === 'and' || op === 'or') {
      if (a.kind === 'known') return (a.value !== 0) === (op === 'or') ? a : this.of(right);
      const b = this.of(right);
      if (b.kind === 'known') return (b.value !== 0) === (op === 'or') ? b : a;
      // both sides are cheap: no jump
      const truth = (term: typeof a & { text: string }): string =>
        term.kind === 'truth' ? term.text : `(${term.text} != 0)`;
      return { kind: 'truth', text: `(${truth(a)} ${op === 'and' ? '&' : '|'} ${truth(b)})` };
    }
    const b = this.of(right);
    if (a.kind === 'known' && b.kind === 'known')
      return { kind: 'known', value: Number(applyBinary(op, a.value, b.value)) };
    if (op === '*') {
      if ((a.kind === 'known' && a.value === 0) || (b.kind === 'known' && b.value === 0))
        return { kind: 'known', value: 0 };
      if (a.kind === 'membrane' && b.kind === 'membrane') return this.#refuse('it multiplies its membrane by itself');
      const kind = a.kind === 'membrane' || b.kind === 'membrane' ? 'membrane' : 'whole';
      const factor = (term: Term): string => (term.kind === 'membrane' ? term.text : this.whole(term));
      return { kind, text: `(${factor(a)} * ${factor(b)})` };
    }
    if (op === '/' || op === '^') return this.#refuse('it divides what isn’t known before it runs');
    if (op === '<' || op === '<=' || op === '>' || op === '>=') {
      if (a.kind === 'membrane' && b.kind === 'known')
        return { kind: 'truth', text: `(${a.text} ${op} ${this.#compared(b.value, op === '>=' || op === '<')})` };
      if (a.kind === 'known' && b.kind === 'membrane')
        return { kind: 'truth', text: `(${this.#compared(a.value, op === '<=' || op === '>')} ${op} ${b.text})` };
    }
    const { kind, a: x, b: y } = this.#pair(a, b);
    if (op === '+' || op === '-') return { kind, text: `(${x} ${op} ${y})` };
    return { kind: 'truth', text: `(${x} ${op} ${y})` };
  }

  #call(callee: string, args: readonly Expr[]): Term {
    if (callee === 'where') {
      const test = this.of(args[0]!);
      if (test.kind === 'known') return this.of(args[test.value !== 0 ? 1 : 2]!);
      const { kind, a, b } = this.#pair(this.of(args[1]!), this.of(args[2]!));
      // of whole numbers without a jump: which way it goes is seldom known before
      if (kind === 'whole' && test.kind === 'truth') return { kind, text: `spk_select(${test.text}, ${a}, ${b})` };
      return { kind, text: `(${test.text} ? ${a} : ${b})` };
    }
    const terms = args.map((arg) => this.of(arg));
    const fold = functionNamed(callee)?.fold;
    const known = terms.flatMap((term) => (term.kind === 'known' ? [term.value] : []));
    if (fold !== undefined && known.length === terms.length) return { kind: 'known', value: fold(...known) };
    const [x, y] = terms;
    if ((callee === 'floor' || callee === 'round') && x!.kind !== 'membrane') return x!;
    if (callee === 'detach') return x!;
    if (callee === 'min' || callee === 'max') {
      const { kind, a, b } = this.#pair(x!, y!);
      return { kind, text: `(${a} ${callee === 'min' ? '<' : '>'} ${b} ? ${a} : ${b})` };
    }
    return this.#refuse(`its equations call ${Object.hasOwn(equationFunctions, callee) ? callee : 'a function'}`);
  }
}
