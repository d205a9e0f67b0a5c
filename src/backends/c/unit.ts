import type { Tensor } from '../../base/dtype.js';
import { rangeOfTensor } from '../../tensor/whole-ranges.js';
import { helperNeeds, helpers, lookupKernel } from './program/kernels.js';
import type { Buffer } from './arena.js';
import { type CType, ctypes, integerType } from './ctypes.js';
import { comment, doubleLiteral, floatLiteral, integerLiteral, wrapped } from './source.js';

/** An array in flash. */
export interface FlashArray {
  readonly name: string;
  readonly type: CType;
  readonly bytes: number;
}

/** A C source file being put together: constant arrays, functions where they are used, the lines of `run`. */
export class Source {
  readonly #types: string[] = [];
  readonly #functions: string[] = [];
  readonly #arrays: string[] = [];
  readonly #lines: string[] = [];
  readonly #known = new Set<string>();
  readonly #tensors = new Map<Tensor, FlashArray>();
  readonly #buffers = new Map<Buffer, string>();
  #math = false;
  /** Bytes of the constant arrays. */
  flash = 0;

  line(text: string): void {
    this.#lines.push(`  ${text}`);
  }

  usesMath(): void {
    this.#math = true;
  }

  /** A type definition, once. */
  type(text: string): void {
    if (this.#once(text)) this.#types.push(text);
  }

  /** A function, once. */
  define(name: string, text: string): string {
    if (this.#once(name)) this.#functions.push(text);
    return name;
  }

  /** A function by its text, under a name with a number; where there is one with this text, that one. */
  shared(key: string, text: (name: string) => string, stem: string): string {
    const known = this.#shared.get(key);
    if (known !== undefined) return known;
    const name = `${stem}_${this.#shared.size}`;
    this.#shared.set(key, name);
    return this.define(name, text(name));
  }

  readonly #shared = new Map<string, string>();

  #once(key: string): boolean {
    if (this.#known.has(key)) return false;
    this.#known.add(key);
    return true;
  }

  /** The helpers that a text calls. */
  helpersIn(text: string): void {
    for (const [name] of text.matchAll(/\bspk_[a-z]+(?:_[a-z0-9]+)?\b/g)) this.helper(name);
  }

  helper(name: string): void {
    const text = Object.hasOwn(helpers, name) ? helpers[name] : undefined;
    if (text === undefined) return;
    for (const needed of helperNeeds[name] ?? []) this.helper(needed);
    this.define(name, text);
  }

  lookup(x: string, t: string, v: string, result: string): string {
    const name = `spk_lookup_${[x, t, v, result].join('_')}`;
    return this.define(name, lookupKernel(name, x, t, v, result));
  }

  /** A pointer to an element of a buffer. */
  address(buffer: Buffer, offset: number): string {
    const known = this.#buffers.get(buffer);
    const name = known ?? `b${this.#buffers.size}`;
    if (known === undefined) this.#buffers.set(buffer, name);
    return offset === 0 ? name : `(${name} + ${offset}u)`;
  }

  /** A constant array of a tensor's values, in the narrowest type that holds them all. */
  array(values: Tensor, label: string): FlashArray {
    const known = this.#tensors.get(values);
    if (known !== undefined) return known;
    const made = this.numbers(flashType(values), values.data, label);
    this.#tensors.set(values, made);
    return made;
  }

  numbers(type: CType, values: ArrayLike<number> | readonly bigint[], label: string): FlashArray {
    const name = `w${this.#arrays.length}`;
    const text = Array.from(values as ArrayLike<number | bigint>, (x) => numberText(type, x));
    const { name: cType, bytes } = ctypes[type];
    this.#arrays.push(
      `/* ${comment(label)} */\nstatic const ${cType} ${name}[${text.length}] = {\n${wrapped(text)}\n};`,
    );
    this.flash += bytes * text.length;
    return { name, type, bytes: bytes * text.length };
  }

  text(parts: {
    readonly head: string;
    readonly open: string;
    readonly close: string;
    readonly arena: number;
  }): string {
    const pointers = [...this.#buffers].map(([{ type, offset }, name]) => {
      const cType = ctypes[type].name;
      return `  ${cType} *const ${name} = (${cType} *)(void *)(spk_memory.bytes + ${offset}u);`;
    });
    const memory = `static union {\n  double align_double;\n  int64_t align_int;\n  uint8_t bytes[${Math.max(1, parts.arena)}];\n} spk_memory;`;
    const rest = [...this.#arrays, ...this.#functions, ...this.#lines].join('\n');
    const special = /\bSPK_(?:INFINITY|NAN)\b/.test(rest) ? [specialNumbers] : [];
    return `${[
      parts.head,
      ...special,
      ...(this.#math ? ['#include <math.h>'] : []),
      ...this.#types,
      ...(parts.arena > 0 ? ['/* Working memory: all that the network needs beside the stack. */', memory] : []),
      ...this.#arrays,
      ...this.#functions,
      `${parts.open}\n${[...pointers, ...this.#lines].join('\n')}\n${parts.close}`,
    ].join('\n\n')}\n`;
  }
}

const specialNumbers = '#define SPK_INFINITY (1e30f * 1e30f)\n#define SPK_NAN (SPK_INFINITY - SPK_INFINITY)';

function numberText(type: CType, x: number | bigint): string {
  if (typeof x === 'bigint') return integerLiteral(x);
  return type === 'f32' ? floatLiteral(x) : type === 'f64' ? doubleLiteral(x) : integerLiteral(x);
}

/** The narrowest type that holds all of a tensor's values as they are. */
function flashType(values: Tensor): CType {
  const { dtype, data } = values;
  if (dtype === 'bool') return 'u8';
  if (dtype === 'i8' || dtype === 'u8') return dtype;
  const whole = rangeOfTensor(values);
  const integer = whole === undefined ? undefined : integerType(whole.lo, whole.hi);
  if (integer !== undefined && integer !== 'i64') return integer;
  return dtype === 'f64' && data.every((x) => Math.fround(x) === x) ? 'f32' : dtype;
}
