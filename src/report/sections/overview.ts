import { type Html, html } from '../page/html.js';
import { percent } from '../../base/figures.js';
import { decibels, digits, short } from '../plots/text.js';
import type { ReportTarget } from '../types.js';
import { type Section, tableHtml } from './section.js';

/** The figures of every network in one table. */
export const overview: Section = {
  id: 'overview',
  title: 'Overview',
  of: 'all',
  render: ({ targets }) => {
    const columns = allColumns.filter(({ of }) => targets.some((target) => of(target) !== undefined));
    const rows = targets.map((target) => [target.name, ...columns.map(({ of }) => of(target) ?? '–')]);
    const notes = targets.flatMap(({ name, network, remark }) =>
      [...network.notes, ...(remark === undefined ? [] : [remark])].map((note) => ({ name, note })),
    );
    return Promise.resolve(
      html`${targets.length === 1 ? tiles(columns, targets[0]!) : tableHtml(['network', ...columns.map(({ head }) => head)], rows)}
      ${
        notes.length > 0 &&
        html`<ul class="notes">
          ${notes.map(({ name, note }) => html`<li>${targets.length > 1 && `${name}: `}${note}</li>`)}
        </ul>`
      }`,
    );
  },
};

function tiles(columns: readonly Column[], target: ReportTarget): Html {
  return html`<dl class="tiles">
    ${columns.map(
      ({ head, of }) =>
        html`<div>
          <dt>${head}</dt>
          <dd>${of(target) ?? '–'}</dd>
        </div>`,
    )}
  </dl>`;
}

interface Column {
  readonly head: string;
  readonly of: (target: ReportTarget) => string | undefined;
}

const allColumns: readonly Column[] = [
  { head: 'coding', of: ({ network }) => network.coding?.name },
  { head: 'neurons', of: ({ network }) => [...network.neurons.keys()].join(', ') || undefined },
  { head: 'layers', of: ({ network }) => String(network.ops.length) },
  { head: 'parameters', of: ({ cost }) => short(cost.total.params) },
  { head: 'MACs per step', of: ({ cost }) => short(cost.total.macs) },
  { head: 'S-ACE', of: ({ cost }) => short(cost.total.s_ace) },
  { head: 'size', of: ({ cost }) => `${short(cost.total.size_bytes)}B` },
  {
    head: 'latency, steps',
    of: ({ cost }) => (cost.total.latency_steps === 0 ? undefined : String(cost.total.latency_steps)),
  },
  { head: 'images', of: ({ measured }) => measured && String(measured.samples) },
  {
    head: 'accuracy',
    of: ({ measured }) => (measured?.accuracy === undefined ? undefined : percent(measured.accuracy)),
  },
  { head: 'mAP@50', of: ({ measured }) => (measured?.map50 === undefined ? undefined : percent(measured.map50)) },
  { head: 'mAP@50:95', of: ({ measured }) => (measured?.map === undefined ? undefined : percent(measured.map)) },
  {
    head: 'first spike',
    of: ({ measured: { first_spike } = {} }) =>
      first_spike?.step === undefined
        ? undefined
        : `step ${first_spike.step.toFixed(2)}, ${percent(first_spike.share)}`,
  },
  { head: 'mean absolute error', of: ({ measured }) => measured?.regression && digits(measured.regression.mae) },
  { head: 'PSNR', of: ({ measured }) => decibels(measured?.regression?.psnr) },
  { head: "source's accuracy", of: ({ measured }) => measured?.source && percent(measured.source.accuracy) },
  { head: 'agreement', of: ({ measured }) => measured?.source && percent(measured.source.agreement) },
  { head: 'spikes per neuron', of: ({ measured }) => measured && measured.spikes_per_neuron.toFixed(3) },
  { head: 'operations per image', of: ({ measured }) => measured && short(measured.opf) },
  { head: 'energy per image', of: ({ measured }) => joules(measured?.energy_joules) },
];

function joules(value: number | undefined): string | undefined {
  if (value === undefined) return undefined;
  for (const [unit, name] of [
    [1, 'J'],
    [1e-3, 'mJ'],
    [1e-6, 'µJ'],
    [1e-9, 'nJ'],
  ] as const) {
    if (value >= unit) return `${Number((value / unit).toPrecision(3))} ${name}`;
  }
  return `${Number((value / 1e-12).toPrecision(3))} pJ`;
}
