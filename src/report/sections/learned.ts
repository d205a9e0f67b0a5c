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
        : html`<p>One number a layer.</p>
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
    const value = own === undefined ? op.attrs[param.name] : realValues(own)[0];
    const start = param.default === undefined ? '–' : short(param.default);
    return [op.id, name, param.name, start, typeof value === 'number' ? short(value) : '–'];
  });
}
