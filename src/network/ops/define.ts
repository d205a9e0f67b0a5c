import type { Attrs, Code, Time, ValueType } from '../types.js';

export type AttrKind = 'number' | 'boolean' | 'string' | 'list';

/** What a type rule sees of an op. */
export interface TypeRequest {
  readonly inputs: readonly ValueType[];
  readonly attrs: Attrs;
  /** Shape of the parameter in a role, if it is there. */
  readonly param: (role: string) => readonly number[] | undefined;
}

/** A result type, or a sentence saying what is wrong. */
export type TypeAnswer = ValueType | string;

export interface NetworkOpDef {
  /** One line for the IR reference. */
  readonly doc: string;
  /** Least and greatest number of inputs. */
  readonly arity: readonly [number, number];
  /** Attributes; a name ending in `?` may be missing. */
  readonly attrs: Readonly<Record<string, AttrKind>>;
  /** Parameter roles; a name ending in `?` may be missing. */
  readonly params: readonly string[];
  readonly type: (request: TypeRequest) => TypeAnswer;
}

export function numberAttr(attrs: Attrs, name: string, fallback?: number): number {
  const value = attrs[name] ?? fallback;
  if (typeof value !== 'number') throw new TypeError(`attribute ${name} must be a number, is ${String(value)}`);
  return value;
}

export function listAttr(attrs: Attrs, name: string, fallback?: readonly number[]): readonly number[] {
  const value = attrs[name] ?? fallback;
  if (!Array.isArray(value)) throw new TypeError(`attribute ${name} must be a list, is ${String(value)}`);
  return value as readonly number[];
}

export function stringAttr(attrs: Attrs, name: string): string {
  const value = attrs[name];
  if (typeof value !== 'string') throw new TypeError(`attribute ${name} must be a string, is ${String(value)}`);
  return value;
}

const real: Code = { kind: 'real' };
const psp: Code = { kind: 'psp' };

/** The type of a linear op's result: a postsynaptic potential where there is time, else a real. */
export function linearResult(input: ValueType, shape: readonly number[]): ValueType {
  return withTime({ shape, code: input.time === undefined ? real : psp }, input.time);
}

export function withTime(type: { shape: readonly number[]; code: Code }, time: Time | undefined): ValueType {
  return time === undefined ? type : { ...type, time };
}

export function shapeText(shape: readonly number[]): string {
  return `[${shape.join(',')}]`;
}

export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((n, i) => n === b[i]);
}

export function sameTime(a: Time | undefined, b: Time | undefined): boolean {
  return a?.start === b?.start && a?.steps === b?.steps;
}

/** Output length of a window op along one axis; undefined where the window doesn't fit. */
export function windowLength(
  length: number,
  kernel: number,
  stride: number,
  padBefore: number,
  padAfter: number,
  dilation = 1,
): number | undefined {
  const span = dilation * (kernel - 1) + 1;
  const out = Math.floor((length + padBefore + padAfter - span) / stride) + 1;
  return out >= 1 ? out : undefined;
}
