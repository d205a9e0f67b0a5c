import { elementCount } from '../../base/dtype.js';
import { bitsFor } from '../../base/quantiser.js';
import { printNeuron } from '../../equations/index.js';
import type { Param } from '../../network/index.js';
import { type Op, optionalParam, printType } from '../../network/index.js';
import { count, percent } from '../../base/figures.js';
import { short } from '../plots/text.js';
import type { ReportTarget } from '../types.js';
import { kindName } from './groups.js';

/** A block of a layer's details: rows of name and value, or a text as it is. */
export type DetailBlock =
  | { readonly title: string; readonly rows: readonly (readonly [string, string])[] }
  | { readonly title: string; readonly text: string };

/** Everything the page shows of a layer when it is clicked. */
export interface OpDetails {
  readonly id: string;
  readonly kind: string;
  readonly blocks: readonly DetailBlock[];
}

const shownItems = 12;

/** Type, attributes, parameters, bits and cost of a layer, its equations, and what it does on the data. */
export function detailsOf(target: ReportTarget, op: Op): OpDetails {
  const blocks: DetailBlock[] = [{ title: 'Type', rows: typeRows(op) }];
  const attrs = Object.entries(op.attrs).filter(([name]) => name !== 'neuron');
  if (attrs.length > 0)
    blocks.push({ title: 'Attributes', rows: attrs.map(([name, value]) => [name, valueText(value)]) });
  const params = Object.keys(op.params);
  if (params.length > 0) {
    blocks.push({
      title: 'Parameters',
      rows: params.map((role) => [role, paramText(optionalParam(target.network, op, role))]),
    });
  }
  const cost = target.cost.layers.find(({ id }) => id === op.id);
  if (cost !== undefined) {
    blocks.push({
      title: 'Cost',
      rows: [
        ['MACs per step', count(cost.macs)],
        ['parameters', count(cost.params)],
        ['bits W / S / T', `${cost.weight_bits} / ${cost.spike_bits} / ${cost.steps}`],
        ['bit budget', String(cost.bit_budget)],
        ['S-ACE', short(cost.s_ace)],
        ['size', `${short(cost.size_bytes)}B`],
      ],
    });
  }
  const activity = target.measured?.activity.find(({ id }) => id === op.id);
  if (activity !== undefined) {
    blocks.push({
      title: 'On the data',
      rows: [
        ['fires', percent(activity.firing_rate)],
        ['entropy', `${activity.entropy.toFixed(3)} bit`],
        [
          'levels',
          activity.levels
            .slice(0, shownItems)
            .map(
              ({ value, probability }) =>
                `${Number(value.toPrecision(4))}: ${percent(probability, 1).replace(' ', '\u00a0')}`,
            )
            .join(' · '),
        ],
      ],
    });
  }
  const neuron = op.kind === 'neuron' ? target.network.neurons.get(op.attrs.neuron) : undefined;
  if (neuron !== undefined) blocks.push({ title: 'Equations', text: outdented(printNeuron(neuron)) });
  return { id: op.id, kind: kindName(op), blocks };
}

/** Without the indentation that all lines share. */
function outdented(text: string): string {
  const lines = text.replace(/\n$/, '').split('\n');
  const shared = Math.min(...lines.filter((line) => line.trim() !== '').map((line) => line.search(/\S/)));
  return lines.map((line) => line.slice(shared)).join('\n');
}

function typeRows(op: Op): (readonly [string, string])[] {
  const { shape, time, code } = op.type;
  const rows: (readonly [string, string])[] = [
    ['type', printType(op.type)],
    ['values', `${count(elementCount(shape))}${time === undefined ? '' : ' a step'}`],
  ];
  if (time !== undefined) rows.push(['time', `steps ${time.start}…${time.start + time.steps - 1}`]);
  if (code.kind === 'spike') {
    const levels = code.max - code.min + 1;
    rows.push(['levels', `${levels} (${bitsFor(levels)} bit)`]);
  }
  if (op.inputs.length > 0) rows.push(['reads', op.inputs.join(', ')]);
  if (op.origin !== undefined) rows.push(['stands for', op.origin]);
  return rows;
}

function valueText(value: unknown): string {
  return Array.isArray(value) ? `[${value.join(', ')}]` : String(value);
}

/** `f32 [16,3,3,3], −0.41 … 0.39` */
function paramText(param: Param | undefined): string {
  if (param === undefined) return 'missing';
  const { tensor, quant } = param;
  let [least, most] = [Infinity, -Infinity];
  for (let i = 0; i < tensor.data.length; i++) {
    least = Math.min(least, tensor.data[i]!);
    most = Math.max(most, tensor.data[i]!);
  }
  const number = (n: number): string => String(Number(n.toPrecision(4)));
  const range = tensor.data.length === 1 ? number(least) : `${number(least)} … ${number(most)}`;
  const scale =
    quant === undefined
      ? ''
      : `, scale ${quant.scale.length === 1 ? number(quant.scale[0]!) : `per channel (${quant.scale.length})`}`;
  return `${tensor.dtype} [${tensor.shape.join(',')}], ${tensor.data.length === 0 ? 'empty' : range}${scale}`;
}
