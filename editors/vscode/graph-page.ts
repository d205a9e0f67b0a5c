import { boxLines, drawGraph } from '../../src/report/graph/draw.js';
import { layOut } from '../../src/report/graph/layout.js';
import { style } from '../../src/report/page/style.js';
import type { FromGraphPage, ToGraphPage } from './graph-messages.js';

declare function acquireVsCodeApi(): { postMessage(message: FromGraphPage): void };

const editor = acquireVsCodeApi();
const box = document.getElementById('graph')!;
const said = document.getElementById('said')!;
const sheet = document.createElement('style');
sheet.textContent = `${style}
body{padding:8px}#graph .graph{width:auto;height:auto;max-width:100%}`;
document.head.append(sheet);

/** Ids of the boxes in the order of their numbers. */
let ids: readonly string[] = [];
let here: readonly string[] = [];
let latest = 0;

async function draw({ config, ops }: Extract<ToGraphPage, { kind: 'graph' }>): Promise<void> {
  const mine = ++latest;
  const placed = await layOut({ ops }, boxLines);
  if (mine !== latest) return;
  said.textContent = `The network of ${config}. A click on a layer goes to its line.`;
  box.innerHTML = drawGraph(placed, `the network of ${config}`).text;
  const svg = box.querySelector('svg')!;
  svg.setAttribute('width', svg.dataset['width']!);
  // its two lines are its name
  ids = placed.ops.map(({ op }) => op.id);
  mark();
}

function mark(): void {
  const boxes = [...box.querySelectorAll<SVGGElement>('[data-op]')];
  for (const one of boxes) {
    const isHere = here.includes(ids[Number(one.dataset['op'])]!);
    one.classList.toggle('chosen', isHere);
    if (isHere) one.setAttribute('aria-current', 'true');
    else one.removeAttribute('aria-current');
  }
  boxes.find((one) => one.classList.contains('chosen'))?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
}

function choose(target: EventTarget | null): void {
  const one = target instanceof Element ? target.closest<SVGGElement>('[data-op]') : null;
  const id = one === null ? undefined : ids[Number(one.dataset['op'])];
  if (id !== undefined) editor.postMessage({ kind: 'chosen', id });
}

box.addEventListener('click', ({ target }) => choose(target));
box.addEventListener('keydown', (event) => {
  if (event.key !== 'Enter' && event.key !== ' ') return;
  event.preventDefault();
  choose(event.target);
});

window.addEventListener('message', ({ data }: MessageEvent<ToGraphPage>) => {
  switch (data.kind) {
    case 'graph':
      void draw(data);
      break;
    case 'here':
      here = data.ids;
      mark();
      break;
    case 'nothing':
      said.textContent = 'No config here has a network that can be drawn.';
  }
});
editor.postMessage({ kind: 'ready' });
