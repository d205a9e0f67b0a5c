import { present } from '../../../base/invariant.js';
import { type Expr, applyBinary, equationFunctions, functionNamed } from '../../../equations/index.js';
import { NotInteger } from '../not-integer.js';
import { integerLiteral } from '../source.js';

/**
 * A value of a neuron's equations in integers: known; a truth value; a whole number of a known size (`factor`); or a number in fixed
 * point, `factor` times its C expression in units of the layer.
 */
export type Amount =
  | { readonly kind: 'known'; readonly value: number }
  | { readonly kind: 'truth'; readonly text: string }
  | { readonly kind: 'whole' | 'fixed'; readonly text: string; readonly factor: number };

/** In what a layer's membranes are counted. */
export interface Units {
  /** A real number: 2^−bits of `divisor`. */
  readonly divisor: number;
  readonly bits: number;
  /** All constants are multiples of 2^grain units, so that what leaks is exact. */
  readonly grain: number;
  /** Numbers that are this near (in units) to a threshold have reached it: what rounding constants can take from them. */
  readonly slack: bigint;
}

/** A layer floors its membrane in steps of this size: they have to be whole in its units. */
export class NeedsDivisor extends Error {
  constructor(readonly divisor: number) {
    super('the divisor of a layer isn’t known yet');
  }
}

const near = (x: number): boolean => Math.abs(x - Math.round(x)) < 1e-9 * Math.max(1, Math.abs(x));

/** k of 2^k; undefined of other numbers. */
function powerOf(x: number): number | undefined {
  const k = Math.log2(x);
  return Number.isFinite(k) && Math.abs(k - Math.round(k)) < 1e-12 ? Math.round(k) : undefined;
}

/** Writes equations as C of integers. */
export class FixedPoint {
  /** Bits that what has been written shifted away. */
  leaked = 0;
  /** The first number that a membrane was compared with. */
  threshold: number | undefined;

  constructor(
    readonly layer: string,
    readonly env: Map<string, Amount>,
    readonly units: Units | undefined,
  ) {}

  #refuse(why: string): never {
    throw new NotInteger(this.layer, why);
  }

  of(expr: Expr): Amount {
    switch (expr.kind) {
      case 'number':
        return { kind: 'known', value: expr.value };
      case 'name':
        return present(this.env.get(expr.name), `c: an equation names unknown ${expr.name}`);
      case 'unary': {
        const x = this.of(expr.operand);
        if (expr.op === '-') return this.#scaled(x, -1);
        return x.kind === 'known' ? known(Number(x.value === 0)) : truth(`!${this.#truth(x)}`);
      }
      case 'binary':
        return this.#binary(expr.op, expr.left, expr.right);
      case 'call':
        return this.#call(expr.callee, expr.args, expr.named);
    }
  }

  #truth(x: Amount): string {
    if (x.kind === 'known') return x.value === 0 ? '0' : '1';
    return x.kind === 'truth' ? x.text : `(${x.text} != 0)`;
  }

  #scaled(x: Amount, by: number): Amount {
    if (x.kind === 'known') return known(x.value * by);
    if (by === 0) return known(0);
    const { text, factor } = x.kind === 'truth' ? { text: x.text, factor: 1 } : x;
    const kind = x.kind === 'fixed' ? 'fixed' : 'whole';
    return by > 0 ? { kind, text, factor: factor * by } : { kind, text: `(-${text})`, factor: -factor * by };
  }

  /** A real number in units, times 2^grain a whole one. */
  inUnits(value: number): bigint {
    const { divisor, bits, grain } = this.#units();
    return BigInt(Math.round((value / divisor) * 2 ** (bits - grain))) << BigInt(grain);
  }

  #units(): Units {
    return this.units ?? { divisor: 1, bits: 0, grain: 0, slack: 0n };
  }

  /** An amount as an expression of 64 bits, in units. */
  fixed(x: Amount): string {
    if (x.kind === 'known') return literal(this.inUnits(x.value));
    if (x.kind !== 'fixed') {
      const factor = x.kind === 'truth' ? 1 : x.factor;
      return `((int64_t)${x.text} * ${literal(this.inUnits(factor))})`;
    }
    if (x.factor === 1) return x.text;
    for (let k = 0; k <= 16; k++) {
      const times = x.factor * 2 ** k;
      if (!near(times) || Math.abs(times) > 2 ** 16) continue;
      this.leaked += k;
      const product = Math.round(times) === 1 ? x.text : `(${x.text} * ${Math.round(times)})`;
      return k === 0 ? product : `(${product} >> ${k})`;
    }
    return this.#refuse('its membrane leaks by no sum of halves');
  }

  #sum(a: Amount, b: Amount, op: '+' | '-'): Amount {
    if (a.kind === 'known' && b.kind === 'known') return known(op === '+' ? a.value + b.value : a.value - b.value);
    if (b.kind === 'known' && b.value === 0) return a;
    if (a.kind === 'known' && a.value === 0) return op === '+' ? b : this.#scaled(b, -1);
    if (a.kind === 'fixed' && b.kind === 'fixed' && a.factor === b.factor)
      return { ...a, text: `(${a.text} ${op} ${b.text})` };
    if (a.kind !== 'fixed' && b.kind !== 'fixed') {
      const common = this.#common(a, b);
      if (common !== undefined)
        return { kind: 'whole', text: `(${common.a} ${op} ${common.b})`, factor: common.factor };
    }
    if (a.kind === 'fixed' && b.kind === 'known') {
      const { divisor, bits } = this.#units();
      // in the units of the other where that is exact
      const units = (b.value / a.factor / divisor) * 2 ** bits;
      if (near(units)) return { ...a, text: `(${a.text} ${op} ${literal(BigInt(Math.round(units)))})` };
    }
    return { kind: 'fixed', text: `(${this.fixed(a)} ${op} ${this.fixed(b)})`, factor: 1 };
  }

  /** Two whole amounts as multiples of one size. */
  #common(a: Amount, b: Amount): { readonly a: string; readonly b: string; readonly factor: number } | undefined {
    const size = (x: Amount): number => (x.kind === 'known' ? x.value : x.kind === 'truth' ? 1 : x.factor);
    const sizes = [size(a), size(b)].map(Math.abs).filter((x) => x > 0);
    const unit = Math.min(...sizes);
    if (sizes.some((x) => !near(x / unit)) || a.kind === 'fixed' || b.kind === 'fixed') return undefined;
    const text = (x: Amount): string => {
      const times = Math.round(size(x) / unit);
      return x.kind === 'known' ? String(times) : times === 1 ? textOf(x) : `(${textOf(x)} * ${times})`;
    };
    return { a: text(a), b: text(b), factor: unit };
  }

  #product(a: Amount, b: Amount): Amount {
    if (a.kind === 'known') return this.#scaled(b, a.value);
    if (b.kind === 'known') return this.#scaled(a, b.value);
    if (a.kind === 'fixed' && b.kind === 'fixed') return this.#refuse('it multiplies its membrane by itself');
    const factor = (x: Amount): number => (x.kind === 'whole' || x.kind === 'fixed' ? x.factor : 1);
    const kind = a.kind === 'fixed' || b.kind === 'fixed' ? 'fixed' : 'whole';
    return { kind, text: `(${textOf(a)} * ${textOf(b)})`, factor: factor(a) * factor(b) };
  }

  #binary(op: Extract<Expr, { kind: 'binary' }>['op'], left: Expr, right: Expr): Amount {
    const a = this.of(left);
    if (op === 'and' || op === 'or') {
      if (a.kind === 'known' && (a.value !== 0) === (op === 'or')) return known(Number(op === 'or'));
      const b = this.of(right);
      if (a.kind === 'known' && b.kind === 'known') return known(Number(b.value !== 0));
      return truth(`${this.#truth(a)} ${op === 'and' ? '&' : '|'} ${this.#truth(b)}`);
    }
    const b = this.of(right);
    if (a.kind === 'known' && b.kind === 'known') return known(Number(applyBinary(op, a.value, b.value)));
    switch (op) {
      case '+':
      case '-':
        return this.#sum(a, b, op);
      case '*':
        return this.#product(a, b);
      case '/':
      case '^':
        if (op === '/' && b.kind === 'known' && b.value !== 0) return this.#scaled(a, 1 / b.value);
        return this.#refuse('it divides what isn’t known before it runs');
      default:
        return this.#compared(op, a, b);
    }
  }

  #compared(op: '<' | '<=' | '>' | '>=' | '==' | '!=', a: Amount, b: Amount): Amount {
    if (a.kind !== 'fixed' && b.kind !== 'fixed') {
      const common = this.#common(a, b);
      if (common !== undefined) return truth(`${common.a} ${op} ${common.b}`);
      if (a.kind !== 'known' && b.kind === 'known') {
        const at = b.value / (a.kind === 'truth' ? 1 : a.factor);
        if (op === '==' || op === '!=') return known(Number(op === '!='));
        const bound = op === '>=' || op === '<' ? Math.ceil(at) : Math.floor(at);
        return truth(`${textOf(a)} ${op} ${bound}`);
      }
      return this.#refuse('it compares levels of different sizes');
    }
    if (op === '==' || op === '!=') return this.#refuse('it asks whether its membrane is a number');
    const { slack } = this.#units();
    for (const side of [a, b]) if (side.kind === 'known' && side.value !== 0) this.threshold ??= Math.abs(side.value);
    // what is there but for rounding has reached it, and is not above it
    const sign = op === '>=' || op === '<' ? '-' : '+';
    return truth(`${this.fixed(a)} ${op} ${this.fixed(b)} ${sign} ${literal(slack)}`);
  }

  #floor(x: Amount, toNearest: boolean): Amount {
    if (x.kind === 'known') return known(toNearest ? roundEven(x.value) : Math.floor(x.value));
    if (x.kind !== 'fixed') {
      const factor = x.kind === 'truth' ? 1 : x.factor;
      if (near(factor)) return x;
      return this.#refuse('it rounds levels of a size that isn’t whole');
    }
    if (this.units === undefined) throw new NeedsDivisor(1 / x.factor);
    const { divisor, bits, slack } = this.units;
    const k = powerOf((x.factor * divisor) / 2 ** bits);
    if (k === undefined || k > -8) return this.#refuse('it rounds its membrane in steps of two sizes');
    const text = toNearest
      ? `spk_nearest(${x.text}, ${-k}u, ${literal(slack)})`
      : `((int32_t)((${x.text} + ${literal(slack)}) >> ${-k}))`;
    return { kind: 'whole', text, factor: 1 };
  }

  /** The greater or the smaller of two. */
  #extreme(callee: 'min' | 'max', a: Amount, b: Amount): Amount {
    const op = callee === 'min' ? '<' : '>';
    if (a.kind === 'known' && b.kind === 'known') return known(Math[callee](a.value, b.value));
    if (a.kind !== 'fixed' && b.kind !== 'fixed') {
      const common = this.#common(a, b);
      if (common !== undefined) {
        const { a: x, b: y, factor } = common;
        return { kind: 'whole', text: `spk_${callee}_i32(${x}, ${y})`, factor };
      }
    }
    const [x, y] = [this.fixed(a), this.fixed(b)];
    return { kind: 'fixed', text: `(${x} ${op} ${y} ? ${x} : ${y})`, factor: 1 };
  }

  #chosen(test: Amount, a: Amount, b: Amount): Amount {
    if (test.kind === 'known') return test.value !== 0 ? a : b;
    const when = this.#truth(test);
    if (a.kind !== 'fixed' && b.kind !== 'fixed') {
      const common = this.#common(a, b);
      if (common !== undefined)
        return { kind: 'whole', text: `(${when} ? ${common.a} : ${common.b})`, factor: common.factor };
    }
    // a membrane or nothing
    if (a.kind === 'fixed' && b.kind === 'known' && b.value === 0) return { ...a, text: `(${when} ? ${a.text} : 0)` };
    if (b.kind === 'fixed' && a.kind === 'known' && a.value === 0) return { ...b, text: `(${when} ? 0 : ${b.text})` };
    return { kind: 'fixed', text: `(${when} ? ${this.fixed(a)} : ${this.fixed(b)})`, factor: 1 };
  }

  #call(callee: string, args: readonly Expr[], named: Readonly<Record<string, Expr>>): Amount {
    const [x, y, z] = args.map((arg) => this.of(arg)) as [Amount, Amount, Amount];
    if (callee === 'where') return this.#chosen(x, y, z);
    if (callee === 'levels') return this.#levels(x, named);
    if (callee === 'clip') return this.#extreme('min', this.#extreme('max', x, y), z);
    const terms = args.map((arg) => this.of(arg));
    const values = terms.flatMap((term) => (term.kind === 'known' ? [term.value] : []));
    const fold = functionNamed(callee)?.fold;
    if (fold !== undefined && values.length === terms.length) return known(fold(...values));
    switch (callee) {
      case 'detach':
        return x;
      case 'floor':
      case 'round':
        return this.#floor(x, callee === 'round');
      case 'min':
      case 'max':
        return this.#extreme(callee, x, y);
      case 'abs':
        return this.#extreme('max', x, this.#scaled(x, -1));
      case 'sign': {
        const [above, below] = [this.#compared('>', x, known(0)), this.#compared('<', x, known(0))];
        return { kind: 'whole', text: `((${textOf(above)}) - (${textOf(below)}))`, factor: 1 };
      }
      default:
        return this.#refuse(`its equations call ${Object.hasOwn(equationFunctions, callee) ? callee : 'a function'}`);
    }
  }

  #levels(x: Amount, named: Readonly<Record<string, Expr>>): Amount {
    const [min, max, step] = ['min', 'max', 'step'].map((name) => {
      const value = named[name] === undefined ? undefined : this.of(named[name]);
      return value?.kind === 'known' ? value.value : undefined;
    });
    if (min === undefined || max === undefined || step === undefined)
      return this.#refuse('its levels aren’t known before it runs');
    const level = this.#floor(this.#scaled(x, 1 / step), false);
    return this.#scaled(this.#extreme('min', this.#extreme('max', level, known(min)), known(max)), step);
  }
}

export const known = (value: number): Amount => ({ kind: 'known', value });
const truth = (text: string): Amount => ({ kind: 'truth', text: `(${text})` });

function textOf(x: Amount): string {
  return x.kind === 'known' ? String(x.value) : x.text;
}

function literal(value: bigint): string {
  return value < 0n ? `(${integerLiteral(value)})` : integerLiteral(value);
}

function roundEven(x: number): number {
  const low = Math.floor(x);
  if (x - low !== 0.5) return Math.round(x);
  return low % 2 === 0 ? low : low + 1;
}

/** The nearest whole number of a number with so many bits behind the point; halves to the even one. */
export const nearest = `static int32_t spk_nearest(int64_t x, uint32_t bits, int64_t slack) {
  const int64_t low = x >> bits, rest = x - low * ((int64_t)1 << bits) - ((int64_t)1 << (bits - 1u));
  return (int32_t)(low + (rest > slack || (rest >= -slack && (low & 1) != 0)));
}`;
