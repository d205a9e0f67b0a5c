import { detailsOf } from '../graph/details.js';
import { boxLines, drawGraph } from '../graph/draw.js';
import { groupNames, groupOf } from '../graph/groups.js';
import { layOut } from '../graph/layout.js';
import { html, jsonElement } from '../page/html.js';
import type { Section } from './section.js';

/** The network as a graph: drag, zoom, click a layer. */
export const networkGraph: Section = {
  id: 'network',
  title: 'Network',
  of: 'target',
  render: async (target, { targets }) => {
    const { network, name } = target;
    const placed = await layOut(network, boxLines);
    const details = network.ops.map((op) => detailsOf(target, op));
    const used = new Set(network.ops.map(groupOf));
    const n = targets.indexOf(target);
    return html`<div class="network" data-network="${n}">
      <div class="tools">
        <input type="search" placeholder="Find a layer" aria-label="Find a layer" autocomplete="off" />
        <button type="button" data-zoom="in" aria-label="Zoom in">+</button
        ><button type="button" data-zoom="out" aria-label="Zoom out">−</button
        ><button type="button" data-zoom="fit">Whole</button>
        <span class="keys"
          >${[...used].map((group) => html`<span class="key ${group}"><i></i>${groupNames[group]}</span>`)}<span
            class="key line spikes"
            ><i></i>spikes</span
          ><span class="key line"><i></i>currents, real values</span></span
        >
      </div>
      <div class="split">
        <div class="canvas">${drawGraph(placed, `the network ${name}`)}</div>
        <aside class="details" aria-live="polite" aria-label="The chosen layer" tabindex="0">
          <p class="hint">Click a layer for its type, bits, cost and equations. Drag to move, scroll to zoom.</p>
        </aside>
      </div>
      ${jsonElement('ops', details)}
    </div>`;
  },
};
