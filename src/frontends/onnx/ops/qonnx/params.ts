import { fail } from '../../../../base/diagnostics/index.js';
import type { CodeRounding } from '../../code-rounding.js';
import type { Constant } from '../../constant.js';
import type { NodeContext } from '../../context.js';
import { isFloatType } from '../../element-type.js';
import { leastScale } from '../../quantisation.js';

/** QONNX's names of rounding modes. UP and DOWN are by magnitude; ties of HALF_UP and HALF_DOWN too. */
const modes: Readonly<Record<string, CodeRounding>> = {
  ROUND: 'half_even',
  HALF_EVEN: 'half_even',
  CEIL: 'ceil',
  FLOOR: 'floor',
  UP: 'away',
  DOWN: 'towards_zero',
  HALF_UP: 'half_away',
  HALF_DOWN: 'half_towards_zero',
};

export function roundingMode(context: NodeContext, fallback: string): CodeRounding {
  const name = context.string('rounding_mode', fallback).toUpperCase();
  if (!Object.hasOwn(modes, name)) context.badAttribute('rounding_mode', name);
  return modes[name]!;
}

/** A constant input of floats, all finite. */
export function floatConstant(context: NodeContext, index: number, what: string): Constant {
  const constant = context.constant(index, what);
  if (!isFloatType(constant.type) && constant.type !== 'int32' && constant.type !== 'int64')
    fail('onnx/data-type', { what: `${what} "${constant.name}"`, type: constant.type }, context.place);
  const values = constant.data();
  if (values.length === 0) context.shapeMismatch(`${what} "${constant.name}" is empty`);
  const bad = values.findIndex((value: number) => !Number.isFinite(value));
  if (bad >= 0) fail('onnx/not-finite', { name: constant.name, index: bad, value: String(values[bad]) }, context.place);
  return constant;
}

/** A scale: finite, positive and no denormal number, with which quotients overflow. */
export function scaleInput(context: NodeContext, index: number, what = 'the scale'): Constant {
  const constant = context.constant(index, what);
  for (const [at, value] of Array.from(constant.data()).entries()) {
    if (value >= leastScale && Number.isFinite(value)) continue;
    fail('onnx/bad-scale', { name: constant.name, index: at, value: String(value) }, context.place);
  }
  return floatConstant(context, index, what);
}

/** The one value of a constant. */
export function singleValue(context: NodeContext, constant: Constant, what: string): number {
  const values = Array.from(constant.data());
  const [first] = values;
  if (values.some((value) => value !== first))
    context.badForm(`an activation is quantised with ${values.length} ${what}`, 'one is supported');
  return first!;
}

/** The least and the greatest integer of so many bits; no integers where the width isn't one. */
export function integerRange(
  bits: number,
  signed: boolean,
  narrow: boolean,
): { readonly min: number; readonly max: number } {
  const power = 2 ** (signed ? bits - 1 : bits);
  const cut = narrow ? 1 : 0;
  return signed ? { min: -power + cut, max: power - 1 } : { min: 0, max: power - 1 - cut };
}
