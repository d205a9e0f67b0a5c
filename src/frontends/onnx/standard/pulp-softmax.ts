import type { StandardForm } from './form.js';
import { Doubles, numberOf } from './pulp-numbers.js';

/** I-BERT's softmax: powers (coeffA·(p + coeffB)² + coeffC) >> z of the distance from the greatest, and their quotients. */
export const integerSoftmax: StandardForm = (node, to) => {
  const d = new Doubles(to);
  const x = d.of(node.inputs[0]!);
  const distance = d.do('Sub', d.over('ReduceMax', x), x);
  const log2 = numberOf(node, 'log2');
  const z = d.do('Min', d.floor(d.do('Div', distance, log2)), 31);
  const p = d.do('Add', d.do('Sub', d.do('Mul', z, log2), distance), numberOf(node, 'coeffB'));
  const squared = d.do('Mul', d.do('Mul', p, p), numberOf(node, 'coeffA'));
  const power = d.floor(d.do('Div', d.do('Add', squared, numberOf(node, 'coeffC')), powerOfTwo(d, z)));
  const share = d.do('Div', d.do('Mul', power, numberOf(node, 'n_levels') - 1), d.over('ReduceSum', power));
  d.write(d.floor(share), node);
};

/** ITA's softmax: powers of two of the distance from the greatest in steps of 32. */
export const itaMax: StandardForm = (node, to) => {
  const d = new Doubles(to);
  const x = d.of(node.inputs[0]!);
  const scale = scaleOf(d, d.do('Sub', d.over('ReduceMax', x), x));
  const sum = d.over('ReduceSum', d.floor(d.do('Div', 256, scale)));
  const inverse = d.floor(d.do('Div', (numberOf(node, 'n_levels') - 1) * 256, sum));
  d.write(d.floor(d.do('Div', inverse, scale)), node);
};

/** The same with the sum of one pass over groups of columns; the file must say how many columns there are. */
export const itaPartialMax: StandardForm = (node, to, model) => {
  const { graph } = model;
  const known = [...(graph?.valueInfo ?? []), ...(graph?.inputs ?? [])].find(({ name }) => name === node.inputs[0]);
  const size = known?.dims?.at(-1);
  if (typeof size !== 'number') return to.keep();
  const d = new Doubles(to);
  const x = d.of(node.inputs[0]!);
  const width = numberOf(node, 'group_width', 1);
  const columns = (from: number): string =>
    to.opset >= 10
      ? to.node('Slice', [x, to.ints([from]), to.ints([from + width]), to.ints([-1])])
      : to.node('Slice', [x], { starts: [from], ends: [from + width], axes: [-1] });
  let [most, sum] = ['', ''];
  for (let from = 0; from < size; from += width) {
    const group = columns(from);
    const own = d.over('ReduceMax', group);
    const next = from === 0 ? own : d.do('Max', most, own);
    const added = d.over('ReduceSum', d.floor(d.do('Div', 256, scaleOf(d, d.do('Sub', next, group)))));
    sum = from === 0 ? added : d.do('Add', d.floor(d.do('Div', sum, scaleOf(d, d.do('Sub', next, most)))), added);
    most = next;
  }
  const inverse = d.floor(d.do('Div', (Math.floor(numberOf(node, 'n_levels') / 2) - 1) * 256, sum));
  d.write(d.floor(d.do('Div', inverse, scaleOf(d, d.do('Sub', most, x)))), node);
};

/** 2^⌊(distance + 16)/32⌋. */
function scaleOf(d: Doubles, distance: string): string {
  return powerOfTwo(d, d.floor(d.do('Div', d.do('Add', distance, 16), 32)));
}

function powerOfTwo(d: Doubles, exponent: string): string {
  return d.do('Pow', 2, exponent);
}
