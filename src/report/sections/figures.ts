import { bitsOf } from '../bits.js';
import { html } from '../page/html.js';
import {
  bitsPlot,
  boxesPlot,
  configsPlot,
  costPlot,
  firingPlot,
  levelsPlot,
  membranesPlot,
  pixelsPlot,
  rasterPlot,
  spikesPlot,
  trainingPlot,
} from '../plots/index.js';
import { count, percent } from '../../base/figures.js';
import { short } from '../plots/text.js';
import type { Measured } from '../types.js';
import { type Section, plotHtml, tableHtml } from './section.js';

/** Histograms of a layer beyond this many are left to the table of rates. */
const mostHistograms = 40;
/** Beyond, plots of bars give way to the table. */
const mostBars = 120;

/** Several networks measured on data, as points. */
export const configs: Section = {
  id: 'configs',
  title: 'Accuracy, latency and energy',
  of: 'all',
  render: async ({ targets }) => {
    const measured = targets.flatMap(({ name, measured: m }): (readonly [string, Measured])[] =>
      m?.accuracy === undefined ? [] : [[name, m]],
    );
    return measured.length < 2 ? undefined : plotHtml(configsPlot(measured));
  },
};

export const bits: Section = {
  id: 'bits',
  title: 'Bits per layer',
  of: 'target',
  render: async ({ network, cost }) => {
    const layers = bitsOf(network, cost);
    if (layers.length === 0 || layers.length > mostBars) return undefined;
    return html`<p>
        Bits of the weights and of the spikes that a layer reads, and time steps, fixed or learned. Below: its part of
        all values read and of all weights.
      </p>
      ${await plotHtml(bitsPlot(layers))}`;
  },
};

export const cost: Section = {
  id: 'cost',
  title: 'Cost',
  of: 'target',
  render: async ({ cost: { layers, total } }) => {
    if (layers.length === 0) return undefined;
    const head = ['layer', 'MACs', 'parameters', 'W', 'S', 'T', 'bit budget', 'S-ACE', 'bytes'];
    const rows = layers.map((l) => [
      l.id,
      count(l.macs),
      count(l.params),
      String(l.weight_bits),
      String(l.spike_bits),
      String(l.steps),
      String(l.bit_budget),
      count(l.s_ace),
      count(l.size_bytes),
    ]);
    const foot = ['total', count(total.macs), count(total.params), '', '', ''];
    foot.push(String(Number(total.bit_budget.toPrecision(4))), short(total.s_ace), count(total.size_bytes));
    return html`${layers.length <= mostBars && (await plotHtml(costPlot({ layers, total })))}
      <details>
        <summary>Table</summary>
        ${tableHtml(head, rows, foot)}
      </details>`;
  },
};

export const activity: Section = {
  id: 'activity',
  title: 'Firing rates and levels',
  of: 'target',
  render: async ({ measured }) => {
    if (measured === undefined || measured.activity.length === 0) return undefined;
    const layers = measured.activity;
    const rows = layers.map((l) => [l.id, percent(l.firing_rate), l.entropy.toFixed(3), String(l.levels.length)]);
    return html`<p>
        Over ${count(measured.samples)} images of ${measured.data}: how many outputs aren’t 0, and how often each level
        is fired (0 in grey).
      </p>
      ${layers.length <= mostBars && (await plotHtml(firingPlot(layers)))}
      ${layers.length <= mostHistograms && (await plotHtml(levelsPlot(layers)))}
      <details>
        <summary>Table</summary>
        ${tableHtml(['layer', 'firing rate', 'entropy, bit', 'levels'], rows)}
      </details>`;
  },
};

export const neurons: Section = {
  id: 'neurons',
  title: 'Spikes and membranes of an image',
  of: 'target',
  render: async ({ trace, measured }) => {
    if (trace === undefined || trace.layers.length === 0) return undefined;
    const image = trace.layers.find(
      ({ train, silent }) => train.shape.length === 4 && silent === 0 && train.data.every((s) => s >= 0),
    );
    const overTime = trace.layers.some(({ membranes }) => membranes.shape[0]! > 1);
    const right = trace.label === trace.predicted ? 'rightly' : `wrongly (it is of class ${trace.label})`;
    // labels that are numbers tell no classes
    const taken = measured?.accuracy === undefined ? '' : `, taken for class ${trace.predicted}, ${right}`;
    return html`<p>Image ${trace.sample} of ${trace.data}${taken}.</p>
      ${image !== undefined && (await plotHtml(spikesPlot(trace, image)))}
      ${
        overTime &&
        html`<h3>Spikes</h3>
          ${await plotHtml(rasterPlot(trace.layers, { most: 24 }))}`
      }
      ${
        overTime &&
        html`<h3>Membranes</h3>
          ${await Promise.all(trace.layers.slice(0, 2).map((layer) => plotHtml(membranesPlot(layer))))}`
      }`;
  },
};

export const boxes: Section = {
  id: 'boxes',
  title: 'Boxes',
  of: 'target',
  render: async ({ detected }) => {
    const [first] = detected ?? [];
    if (detected === undefined || first === undefined) return undefined;
    return html`<p>
        Images of ${first.data}: dashed what is there, and with a score of at least ${String(first.least)} what was
        found.
      </p>
      ${await plotHtml(boxesPlot(detected))}`;
  },
};

export const pixels: Section = {
  id: 'pixels',
  title: 'Pixels',
  of: 'target',
  render: async ({ pixels: samples }) => {
    const [first] = samples ?? [];
    if (samples === undefined || first === undefined) return undefined;
    return html`<p>Images of ${first.data}, beside them what is wanted of each pixel and what the network gives.</p>
      ${await plotHtml(pixelsPlot(samples))}`;
  },
};

export const training: Section = {
  id: 'training',
  title: 'Training',
  of: 'target',
  render: async ({ training: records }) =>
    records === undefined || records.length === 0 ? undefined : plotHtml(trainingPlot(records)),
};
