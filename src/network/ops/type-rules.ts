import type { Code, Time, ValueType } from '../value-types.js';
import { asImage } from './geometry.js';
import type { TypeAnswer, TypeRequest } from './define.js';

const real: Code = { kind: 'real' };
const psp: Code = { kind: 'psp' };

/** The type of a linear op's result: a postsynaptic potential where there is time, else a real. */
export function linearResult(input: ValueType, shape: readonly number[]): ValueType {
  return withTime({ shape, code: input.time === undefined ? real : psp }, input.time);
}

/** Element by element, of real values. */
export function realResult({ inputs }: TypeRequest): TypeAnswer {
  return withTime({ shape: inputs[0]!.shape, code: real }, inputs[0]!.time);
}

/** Sums of codes beyond this are no exact integers in float32, nor trains. */
const greatestCode = 2 ** 24;

/**
 * What a sum of two trains carries: more levels of the same step, {0, 1} + {0, 1} → {0, 1, 2}. Undefined where their
 * steps differ (it then counts in no unit), and for anything but trains.
 */
export function summedCode(a: Code, b: Code): Code | undefined {
  if (a.kind !== 'spike' || b.kind !== 'spike' || a.step !== b.step) return undefined;
  const [min, max] = [a.min + b.min, a.max + b.max];
  return Math.max(-min, max) > greatestCode ? undefined : { kind: 'spike', min, max, step: a.step };
}

/** The levels of values that are of one train or another of the same step. */
export function joinedCode(a: Code, b: Code): Code | undefined {
  if (a.kind !== 'spike' || b.kind !== 'spike') return JSON.stringify(a) === JSON.stringify(b) ? a : undefined;
  if (a.step !== b.step) return undefined;
  return { kind: 'spike', min: Math.min(a.min, b.min), max: Math.max(a.max, b.max), step: a.step };
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

/** [..., m, k] by [..., k, n] (or [..., n, k] where `transpose`) gives [..., m, n]; or what is wrong. */
export function matrixProductShape(
  a: readonly number[],
  b: readonly number[],
  transpose: boolean,
): readonly number[] | string {
  const [inner, outer] = transpose ? [b.at(-1), b.at(-2)] : [b.at(-2), b.at(-1)];
  const fits =
    a.length >= 2 && a.length === b.length && a.at(-1) === inner && sameShape(a.slice(0, -2), b.slice(0, -2));
  if (fits) return [...a.slice(0, -1), outer!];
  return `can't multiply ${shapeText(a)} with ${transpose ? 'the transposed ' : ''}${shapeText(b)}`;
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
  dilation: number,
): number | undefined {
  const span = dilation * (kernel - 1) + 1;
  const out = Math.floor((length + padBefore + padAfter - span) / stride) + 1;
  return out >= 1 ? out : undefined;
}

/** The attributes of a window over H×W. */
export interface WindowAttrs {
  readonly kernel: readonly [number, number];
  readonly stride: readonly [number, number];
  /** top, left, bottom, right */
  readonly pads: readonly [number, number, number, number];
  readonly dilation?: readonly [number, number];
}

/** [C, H, W] → [C', H', W'] of a window op, or what is wrong. */
export function windowShape({ inputs, attrs }: TypeRequest<WindowAttrs>, channels: number): readonly number[] | string {
  const shape = asImage(inputs[0]!.shape);
  if (shape.length !== 3) return `needs a [C,H,W] or [C,L] input, has ${shapeText(shape)}`;
  const [kh, kw] = attrs.kernel;
  const [sh, sw] = attrs.stride;
  const [top, left, bottom, right] = attrs.pads;
  const [dh, dw] = attrs.dilation ?? [1, 1];
  const height = windowLength(shape[1]!, kh, sh, top, bottom, dh);
  const width = windowLength(shape[2]!, kw, sw, left, right, dw);
  if (height === undefined || width === undefined) {
    return `a ${kh}x${kw} window doesn't fit into ${shapeText(shape)} with pads ${[top, left, bottom, right].join(',')}`;
  }
  if (inputs[0]!.shape.length === 3) return [channels, height, width];
  return height === 1 ? [channels, width] : `pads a row of its [C,L] input above or below`;
}

/** The same of a pool, whose padding is smaller than its window: none may see the border alone. */
export function poolShape(request: TypeRequest<WindowAttrs>): readonly number[] | string {
  const { kernel, pads } = request.attrs;
  if (pads.some((n, i) => n >= kernel[i % 2]!)) {
    return `pads ${pads.join(',')} must be smaller than its window ${kernel.join('x')}`;
  }
  return windowShape(request, request.inputs[0]!.shape[0]!);
}

/** Without a gain, the average of spikes stays a train of graded spikes: n·levels at 1/n of the step. */
export function pooled(request: TypeRequest, shape: readonly number[], size: number): ValueType {
  const from = request.inputs[0]!;
  if (from.code.kind !== 'spike' || request.param('gain') !== undefined) return linearResult(from, shape);
  const { min, max, step } = from.code;
  return withTime({ shape, code: { kind: 'spike', min: min * size, max: max * size, step: step / size } }, from.time);
}

type Spikes = Extract<Code, { kind: 'spike' }>;

/** Between which whole numbers a sum of `terms` products of two spikes lies. */
export function productRange(a: Spikes, b: Spikes, terms: number): Pick<Spikes, 'min' | 'max'> {
  const ends = [a.min * b.min, a.min * b.max, a.max * b.min, a.max * b.max];
  return { min: Math.min(...ends) * terms, max: Math.max(...ends) * terms };
}

/**
 * Levels of a sum of `terms` products of two spikes: exact integers, times the product of their steps; a potential where they
 * would be none in float32.
 */
export function productLevels(a: Spikes, b: Spikes, terms: number): Code {
  const { min, max } = productRange(a, b, terms);
  if (Math.max(-min, max) > greatestCode) return psp;
  return { kind: 'spike', min: min === 0 ? 0 : min, max: max === 0 ? 0 : max, step: a.step * b.step };
}

/** Joins need their operands at the same time; the verifier asks this. */
export function joinProblem(inputs: readonly ValueType[]): string | undefined {
  const [first, ...rest] = inputs;
  const late = rest.find((other) => !sameTime(first!.time, other.time));
  if (late === undefined) return undefined;
  const text = (t: typeof first): string =>
    t?.time === undefined ? 'no time' : `@${t.time.start}..${t.time.start + t.time.steps - 1}`;
  return `operands arrive at different times: ${text(first)} and ${text(late)}`;
}
