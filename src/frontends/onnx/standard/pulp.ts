import { reducedAxes } from './pulp-axes.js';
import { besideChannels } from './pulp-channels.js';
import type { StandardForm, StandardForms } from './form.js';
import { itaMax, integerSoftmax, itaPartialMax } from './pulp-softmax.js';
import { Doubles, numberOf } from './pulp-numbers.js';

/** Operators of PULP's tools as Deeploy's kernels compute them, in double precision: products exceed 2²⁴. */
export const pulpForms: StandardForms = {
  RequantShift: (node, to, model) => {
    const d = new Doubles(to);
    const beside = besideChannels(to, model, node.inputs);
    const [x, mul, add] = [beside.x, ...beside.factors].map((input) => d.of(input)) as [string, string, string];
    const quotient = d.do('Div', d.do('Add', d.do('Mul', x, mul), add), numberOf(node, 'div'));
    const rounds = numberOf(node, 'rounding', 1) !== 0;
    const levels = numberOf(node, node.attributes.has('n_levels_out') ? 'n_levels_out' : 'n_levels');
    const half = Math.round(levels / 2 + 0.001);
    const [min, max] = numberOf(node, 'signed') === 0 ? [0, levels - 1] : [-half, half - 1];
    const held = d.held(d.floor(rounds ? d.do('Add', quotient, 0.5) : quotient), min, max);
    const [given] = node.inputs as [string];
    d.write(beside.x === given ? held : to.node('Reshape', [held, to.node('Shape', [given])]), node);
  },
  iGELU: (node, to) => {
    const d = new Doubles(to);
    const x = d.of(node.inputs[0]!);
    const [b, one] = [numberOf(node, 'b'), numberOf(node, 'one')];
    const q = d.do('Add', d.do('Min', d.do('Abs', x), -b), b);
    const erf = d.do('Mul', d.do('Sign', x), d.do('Sub', one, d.do('Mul', q, q)));
    d.write(d.do('Mul', x, d.floor(d.do('Div', d.do('Add', erf, one), 2))), node);
  },
  iHardswish: (node, to) => {
    const d = new Doubles(to);
    const x = d.of(node.inputs[0]!);
    const gate = d.held(d.do('Add', x, numberOf(node, 'three')), 0, numberOf(node, 'six'));
    d.write(d.do('Mul', x, d.do('Mul', gate, numberOf(node, 'one_over_six'))), node);
  },
  iLeakyReLU: (node, to) => {
    const d = new Doubles(to);
    const x = d.of(node.inputs[0]!);
    const below = d.do('Mul', d.do('Min', x, 0), numberOf(node, 'mul'));
    const shifted = d.floor(d.do('Div', below, 2 ** numberOf(node, 'shift')));
    d.write(d.do('Add', d.do('Max', x, 0), shifted), node);
  },
  TrueIntegerDiv: (node, to) => {
    const d = new Doubles(to);
    const [delta, eta] = [numberOf(node, 'Delta'), numberOf(node, 'eta')];
    const by = numberOf(node, 'y') * eta + numberOf(node, 'eps');
    const product = d.do('Mul', d.do('Mul', d.of(node.inputs[0]!), delta), eta);
    d.write(d.floor(d.do('Div', product, by)), node);
  },
  iSoftmax: integerSoftmax,
  ITAMax: itaMax,
  ITAPartialMax: itaPartialMax,
  iLayerNorm: norm(true),
  iRMSNorm: norm(false),
  iNoNorm: (node, to) => {
    const d = new Doubles(to);
    const [x, weight, bias] = node.inputs.map((input) => d.of(input)) as [string, string, string];
    const moved = d.do('Mul', d.do('Add', d.do('Mul', x, weight), bias), numberOf(node, 'mul'));
    const half = numberOf(node, 'n_levels') / 2;
    d.write(d.held(d.floor(d.do('Div', moved, numberOf(node, 'D'))), -Math.floor(half), Math.ceil(half) - 1), node);
  },
  IntegerMean: (node, to) => {
    const d = new Doubles(to);
    const { axes, keepdims } = reducedAxes(node);
    const x = d.of(node.inputs[0]!);
    const mean =
      to.opset >= 18
        ? to.node('ReduceMean', [x, to.ints(axes)], { keepdims })
        : to.node('ReduceMean', [x], { axes, keepdims });
    d.write(d.floor(d.do('Add', mean, 0.5)), node);
  },
};

function norm(centred: boolean): StandardForm {
  return (node, to) => {
    const d = new Doubles(to);
    const [x, weight, bias] = node.inputs.map((input) => d.of(input)) as [string, string, string | undefined];
    const c = centred ? d.do('Sub', x, d.truncated(d.over('ReduceMean', x))) : x;
    const squares = d.floor(d.over('ReduceMean', d.do('Mul', c, c)));
    const deviation = d.floor(d.do('Sqrt', d.do('Add', squares, 1)));
    const normal = d.truncated(d.do('Div', d.do('Mul', c, weight), deviation));
    const moved = bias === undefined ? normal : d.do('Add', normal, bias);
    const half = numberOf(node, 'n_levels') / 2;
    d.write(d.held(d.floor(d.do('Div', moved, numberOf(node, 'D'))), -Math.floor(half), Math.ceil(half) - 1), node);
  };
}
