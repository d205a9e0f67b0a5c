import { tensorConstant } from '../tensor-data.js';
import type { OnnxModel, OnnxNode } from '../wire.js';
import type { StandardForms } from './form.js';
import { typesOf } from './integers.js';
import type { StandardNodes } from './nodes.js';

/** QONNX's quantisers as qonnx's own executor computes them, step by step in float32. */
export const qonnxForms: StandardForms = {
  Quant: intQuant,
  IntQuant: intQuant,
  FloatQuant: floatQuant,
  BipolarQuant: (node, to) => {
    const [x, scale] = node.inputs as [string, string];
    to.node('Mul', [signOf(to, x), scale], {}, node.outputs[0]);
  },
  MultiThreshold: multiThreshold,
  Trunc: (node, to) => (node.inputs.length > 5 ? truncToScale(node, to) : trunc(node, to)),
};

const flag = (node: OnnxNode, name: string, fallback: number): boolean =>
  (node.attributes.get(name)?.i ?? fallback) !== 0;

/** y = round(clip(x/scale + zero)), (y − zero)·scale; a signed bit is the sign. */
function intQuant(node: OnnxNode, to: StandardNodes, model: OnnxModel): void {
  const [x, given, point, bits] = node.inputs as [string, string, string, string];
  const scale = doubles(model, given) && typesOf(model).get(x) !== double ? to.node('Cast', [given], { to: 1 }) : given;
  const signed = flag(node, 'signed', 1);
  // some exporters write zero points and bit widths as integers
  const zero = to.node('Cast', [point], { to: 1 });
  const codes = to.node('Add', [to.node('Div', [x, scale]), zero]);
  const rounded =
    signed && valueOf(model, bits) === 1
      ? signOf(to, codes)
      : rounding(
          to,
          node,
          'ROUND',
          clipped(to, codes, to.node('Cast', [bits], { to: 1 }), signed, flag(node, 'narrow', 1)),
        );
  to.node('Mul', [to.node('Sub', [rounded, zero]), scale], {}, node.outputs[0]);
}

/** x/scale in steps of 2^max(⌊log₂|x/scale|⌋ − m, 1 − bias − m), held within the largest value, times scale. */
function floatQuant(node: OnnxNode, to: StandardNodes): void {
  const [x, scale, exponent, mantissa, bias, largest] = node.inputs as string[];
  const [one, two] = [to.float(1), to.float(2)];
  const v = to.node('Div', [x!, scale!]);
  const magnitude = to.node('Add', [to.node('Abs', [v]), to.float(2 ** -126)]);
  const octave = to.node('Floor', [to.node('Div', [to.node('Log', [magnitude]), to.float(Math.LN2)])]);
  const least = to.node('Sub', [to.node('Sub', [one, bias!]), mantissa!]);
  const step = to.node('Pow', [two, to.node('Max', [to.node('Sub', [octave, mantissa!]), least])]);
  const values = to.node('Mul', [rounding(to, node, 'ROUND', to.node('Div', [v, step])), step]);
  const fraction = to.node('Sub', [two, to.node('Pow', [two, to.node('Neg', [mantissa!])])]);
  const highest = to.node('Sub', [to.node('Sub', [to.node('Pow', [two, exponent!]), one]), bias!]);
  const most = to.node('Min', [to.node('Mul', [fraction, to.node('Pow', [two, highest])]), largest!]);
  const held = to.node('Max', [to.node('Min', [values, most]), to.node('Neg', [most])]);
  to.node('Mul', [held, scale!], {}, node.outputs[0]);
}

/** How many thresholds each value reaches, by channel, times out_scale, plus out_bias. */
function multiThreshold(node: OnnxNode, to: StandardNodes, model: OnnxModel): void {
  const [x, thresholds] = node.inputs as [string, string];
  const channelsLast = (node.attributes.get('data_layout')?.s ?? 'NCHW').endsWith('C');
  const rows = model.graph?.initializers.find(({ name }) => name === thresholds)?.dims[0] ?? 1;
  const shape = channelsLast && rows > 1 ? [-1, 1, rows, 1] : [0, 0, -1, 1];
  // [N, C, M, 1] beside [C, 1, B], or [M, 1, C, 1] beside [C, B]
  const values = to.node('Reshape', [x, to.ints(shape)]);
  const beside = channelsLast && rows > 1 ? thresholds : to.node('Reshape', [thresholds, to.ints([0, 1, -1])]);
  const reached = to.node('Cast', [to.node('Not', [to.node('Less', [values, beside])])], { to: 1 });
  const counts =
    to.opset >= 13
      ? to.node('ReduceSum', [reached, to.ints([-1])], { keepdims: 0 })
      : to.node('ReduceSum', [reached], { axes: [-1], keepdims: 0 });
  const scaled = to.node('Mul', [counts, to.float(node.attributes.get('out_scale')?.f ?? 1)]);
  const moved = to.node('Add', [scaled, to.float(node.attributes.get('out_bias')?.f ?? 0)]);
  to.node('Reshape', [moved, to.node('Shape', [x])], {}, node.outputs[0]);
}

/** Trunc of version 1: the scale is not raised. */
function trunc(node: OnnxNode, to: StandardNodes): void {
  const [x, scale, zero, bits, bitsLeft] = node.inputs as [string, string, string, string, string];
  const codes = round(to, to.node('Add', [to.node('Div', [x, scale]), zero]));
  const unit = to.node('Pow', [to.float(2), to.node('Sub', [bits, bitsLeft])]);
  const cut = rounding(to, node, 'FLOOR', to.node('Div', [codes, unit]));
  to.node('Mul', [to.node('Sub', [cut, zero]), scale], {}, node.outputs[0]);
}

/** Trunc of version 2: to a coarser scale, in a range of its own. */
function truncToScale(node: OnnxNode, to: StandardNodes): void {
  const [x, scale, zero, , scaleLeft, bits] = node.inputs as [string, string, string, string, string, string];
  const codes = round(to, to.node('Add', [to.node('Div', [x, scale]), zero]));
  const octaves = to.node('Div', [to.node('Log', [to.node('Div', [scaleLeft, scale])]), to.float(Math.LN2)]);
  const unit = to.node('Pow', [to.float(2), round(to, octaves)]);
  const wide = to.node('Div', [codes, unit]);
  const range = clipped(to, wide, bits, flag(node, 'signed', 1), flag(node, 'narrow', 0));
  const cut = rounding(to, node, 'FLOOR', range);
  const shifted = to.node('Sub', [cut, to.node('Div', [zero, unit])]);
  to.node('Mul', [shifted, scaleLeft], {}, node.outputs[0]);
}

function clipped(to: StandardNodes, x: string, bits: string, signed: boolean, narrow: boolean): string {
  const [one, two] = [to.float(1), to.float(2)];
  const power = to.node('Pow', [two, signed ? to.node('Sub', [bits, one]) : bits]);
  const most = to.node('Sub', [power, !signed && narrow ? two : one]);
  const lowest = signed ? to.node('Neg', [power]) : to.float(0);
  const least = signed && narrow ? to.node('Add', [lowest, one]) : lowest;
  return to.node('Max', [to.node('Min', [x, most]), least]);
}

/** 1 where x ≥ 0, else −1. */
function signOf(to: StandardNodes, x: string): string {
  return to.node('Where', [to.node('Less', [x, to.float(0)]), to.float(-1), to.float(1)]);
}

/** Half to even; before opset 11, which has no Round, by adding 1.5·2²³, behind which a float32 has no fraction. */
function round(to: StandardNodes, x: string): string {
  if (to.opset >= 11) return to.node('Round', [x]);
  const magic = to.float(1.5 * 2 ** 23);
  return to.node('Sub', [to.node('Add', [x, magic]), magic]);
}

function rounding(to: StandardNodes, node: OnnxNode, fallback: string, x: string): string {
  const ofMagnitude = (f: (magnitude: string) => string): string =>
    to.node('Mul', [to.node('Sign', [x]), f(to.node('Abs', [x]))]);
  switch ((node.attributes.get('rounding_mode')?.s ?? fallback).toUpperCase()) {
    case 'CEIL':
      return to.node('Ceil', [x]);
    case 'FLOOR':
      return to.node('Floor', [x]);
    case 'UP':
      return ofMagnitude((m) => to.node('Ceil', [m]));
    case 'DOWN':
      return ofMagnitude((m) => to.node('Floor', [m]));
    case 'HALF_UP':
      return ofMagnitude((m) => to.node('Floor', [to.node('Add', [m, to.float(0.5)])]));
    case 'HALF_DOWN':
      return ofMagnitude((m) => to.node('Ceil', [to.node('Sub', [m, to.float(0.5)])]));
    default:
      return round(to, x);
  }
}

/** ONNX's number of float64. */
const double = 11;

/** Whether a constant is of float64, as some exporters write scales beside float32. */
function doubles(model: OnnxModel, tensor: string): boolean {
  const made = model.graph?.nodes.find((node) => node.opType === 'Constant' && node.outputs[0] === tensor);
  const stored = model.graph?.initializers.find(({ name }) => name === tensor);
  return (stored ?? made?.attributes.get('value')?.t)?.dataType === double;
}

/** The value of a constant of one element. */
function valueOf(model: OnnxModel, tensor: string): number | undefined {
  const made = model.graph?.nodes.find((node) => node.opType === 'Constant' && node.outputs[0] === tensor);
  const single = made?.attributes.get('value_float')?.f ?? made?.attributes.get('value_int')?.i;
  const data = made?.attributes.get('value')?.t ?? model.graph?.initializers.find(({ name }) => name === tensor);
  if (data === undefined) return single;
  return tensorConstant(data, { file: '' }, undefined).data()[0];
}
