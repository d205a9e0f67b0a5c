import { type Network, type Op, realValues } from '../../network/index.js';
import { html } from '../page/html.js';
import { short } from '../plots/text.js';
import { type Section, tableHtml } from './section.js';

/** What the neurons learned beside weights: leaks, thresholds, feedback. */
export const learned: Section = {
  id: 'learned',
  title: 'Learned parameters of neurons',
  of: 'target',
  render: ({ network }) => {
    const rows = network.ops.flatMap((op) => (op.kind === 'neuron' ? rowsOf(network, op) : []));
    return Promise.resolve(
      rows.length === 0
        ? undefined
        : html`<p>One number a layer, or where there is one for each channel, neuron or step, their mean and range.</p>
            ${tableHtml(['layer', 'neuron', 'parameter', 'starts at', 'value'], rows)}`,
    );
  },
};

function rowsOf(network: Network, op: Op<'neuron'>): readonly string[][] {
  const name = op.attrs.neuron;
  const params = network.neurons.get(name)?.params.filter(({ learn }) => learn !== undefined) ?? [];
  return params.map((param) => {
    const own = network.params.get(op.params[param.name] ?? '');
    // once a pass has made a constant of it, it is an attribute
    const values = own === undefined ? [op.attrs[param.name]] : [...realValues(own)];
    const start = param.default === undefined ? '–' : short(param.default);
    return [op.id, name, param.name, start, valueText(values)];
  });
}

function valueText(values: readonly unknown[]): string {
  const numbers = values.filter((value) => typeof value === 'number');
  if (numbers.length <= 1) return numbers.length === 0 ? '–' : short(numbers[0]!);
  const mean = numbers.reduce((sum, value) => sum + value / numbers.length, 0);
  const [least, most] = [Math.min(...numbers), Math.max(...numbers)];
  return `${short(mean)} (${short(least)} … ${short(most)})`;
}
