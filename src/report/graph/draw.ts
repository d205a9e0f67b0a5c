import { type Html, html, trusted } from '../page/html.js';
import { tail } from '../plots/text.js';
import { type Op, shapeText } from '../../network/index.js';
import { groupOf, kindName } from './groups.js';
import { type PlacedEdge, type PlacedGraph, mostCharacters } from './layout.js';

/** The two lines of a layer's box. */
export function boxLines(op: Op): readonly [string, string] {
  const { shape, time } = op.type;
  const steps = time === undefined || time.steps === 1 ? '' : ` ×${time.steps}`;
  return [tail(op.id, mostCharacters), tail(`${kindName(op)} ${shapeText(shape)}${steps}`, mostCharacters)];
}

/** A placed network as SVG. Boxes carry the number of their op in `data-op`. */
export function drawGraph({ ops, edges, width, height }: PlacedGraph, label: string): Html {
  const boxes = ops.map(({ op, x, y, width: w, height: h }, n) => {
    const [first, second] = boxLines(op);
    return html`<g
      class="op ${groupOf(op)}"
      data-op="${n}"
      tabindex="0"
      role="button"
      transform="translate(${round(x)},${round(y)})"
      ><rect width="${round(w)}" height="${round(h)}" rx="7" /><text x="12" y="18" class="id">${first}</text
      ><text x="12" y="34" class="kind">${second}</text></g
    > `;
  });
  return html`<svg
    class="graph"
    xmlns="http://www.w3.org/2000/svg"
    viewBox="0 0 ${round(width)} ${round(height)}"
    data-width="${round(width)}"
    data-height="${round(height)}"
    role="group"
    aria-label="${label}"
  >
    <g class="edges">${edges.map(drawEdge)}</g>
    ${boxes}
  </svg>`;
}

function round(n: number): number {
  return Math.round(n * 10) / 10;
}

const carries: Readonly<Record<string, string>> = { spike: 'spikes', quant: 'codes', psp: 'currents', real: 'reals' };

function drawEdge({ from, points }: PlacedEdge): Html {
  if (points.length < 2) return trusted('');
  const path = roundedPath(points);
  const end = points.at(-1)!;
  return html`<path class="edge ${carries[from.type.code.kind] ?? ''}" d="${path}" /><path
      class="tip ${carries[from.type.code.kind] ?? ''}"
      d="M${round(end.x - 3.5)} ${round(end.y - 6)}L${round(end.x)} ${round(end.y)}L${round(end.x + 3.5)} ${round(end.y - 6)}Z"
    /> `;
}

const radius = 6;

/** Straight pieces with rounded corners. */
function roundedPath(points: readonly { readonly x: number; readonly y: number }[]): string {
  let path = `M${round(points[0]!.x)} ${round(points[0]!.y)}`;
  for (let i = 1; i < points.length - 1; i++) {
    const [before, corner, after] = [points[i - 1]!, points[i]!, points[i + 1]!];
    const into = towards(corner, before);
    const out = towards(corner, after);
    path += `L${round(into.x)} ${round(into.y)}Q${round(corner.x)} ${round(corner.y)} ${round(out.x)} ${round(out.y)}`;
  }
  const last = points.at(-1)!;
  return `${path}L${round(last.x)} ${round(last.y)}`;
}

/** The point a corner's radius away from it, at most half of the way. */
function towards(from: { x: number; y: number }, to: { x: number; y: number }): { x: number; y: number } {
  const length = Math.hypot(to.x - from.x, to.y - from.y) || 1;
  const part = Math.min(radius, length / 2) / length;
  return { x: from.x + (to.x - from.x) * part, y: from.y + (to.y - from.y) * part };
}
