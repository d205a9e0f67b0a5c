import type { Spec } from 'vega';
import type { TopLevelSpec } from 'vega-lite';
import { sha256 } from '../../base/sha256.js';
import { hex } from '../../base/text-bytes.js';
import { plotConfig } from './theme.js';

/** A plot as vega-lite says it, without its configuration. */
export type Plot = Omit<TopLevelSpec, '$schema' | 'config'> & Readonly<Record<string, unknown>>;

/** A plot as an SVG document; nothing is loaded, the data stand in the plot. Vega is, when the first plot is drawn. */
export async function renderPlot(plot: Plot): Promise<string> {
  const [{ compile }, { Error: ErrorLevel, View, parse }] = await Promise.all([import('vega-lite'), import('vega')]);
  const full = { ...harmless(plot as object), config: plotConfig } as unknown as TopLevelSpec;
  const { spec } = compile(full, { logger: silent });
  const view = new View(parse(spec as Spec), { renderer: 'none', logLevel: ErrorLevel, loader: noLoader });
  try {
    return lean(await view.toSVG());
  } finally {
    view.finalize();
  }
}

/**
 * The plot with texts that neither vega nor XML trips over: vega keeps values as keys of plain objects, which already
 * have a `constructor` and a `toString`; those get an invisible character (a word joiner) in front.
 */
function harmless<T extends object>(plot: T): T {
  const text = (value: string): string =>
    (value in Object.prototype ? `\u2060${value}` : value).replaceAll(
      /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\ufffe\uffff]/g,
      '\ufffd',
    );
  const of = (value: unknown): unknown => {
    if (typeof value === 'string') return text(value);
    if (Array.isArray(value)) return value.map(of);
    if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value;
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, of(inner)]));
  };
  return of(plot) as T;
}

/** Without vega's empty frames and accessibility markers, and with coordinates to a hundredth of a pixel. */
function lean(svg: string): string {
  return renamedIds(svg)
    .replaceAll(
      /<path class="(?:background|foreground)" aria-hidden="true" d="(?:M0,0h-?[\d.]*v-?[\d.]*h-?[\d.]*Z)?"[^>]*\/>/g,
      '',
    )
    .replaceAll(/ (?:role|aria-[a-z]+|class)="[a-z -]*"/g, '')
    .replaceAll(/ (d|transform)="([^"]*)"/g, (_, name: string, value: string) => {
      const rounded = value.replaceAll(/-?\d+\.\d{3,}/g, (number) => String(Math.round(Number(number) * 100) / 100));
      return ` ${name}="${rounded}"`;
    });
}

/**
 * Ids of clips and gradients named by the drawing they are in: vega counts them over the whole process, and a page
 * with several drawings must not mix them up.
 */
function renamedIds(svg: string): string {
  const ids = [...new Set(svg.match(/\bid="(?:clip|gradient_)\d+"/g) ?? [])].map((id) => id.slice(4, -1));
  if (ids.length === 0) return svg;
  const plain = ids.reduce((text, id, n) => text.replaceAll(new RegExp(`\\b${id}\\b`, 'g'), `id-${n}`), svg);
  const drawing = hex(sha256(new TextEncoder().encode(plain))).slice(0, 8);
  return plain.replaceAll(/\bid-(\d+)\b/g, `d${drawing}-$1`);
}

/** Pictures in a plot are data URIs; anything else isn't followed. */
const noLoader = {
  load: (): Promise<string> => Promise.reject(new Error('a plot loads nothing')),
  sanitize: (uri: string): Promise<{ href: string }> =>
    uri.startsWith('data:image/png;base64,')
      ? Promise.resolve({ href: uri })
      : Promise.reject(new Error('a plot shows PNG data only')),
  http: (): Promise<string> => Promise.reject(new Error('a plot loads nothing')),
  file: (): Promise<string> => Promise.reject(new Error('a plot loads nothing')),
};

const silent = {
  level: () => silent,
  error: () => silent,
  warn: () => silent,
  info: () => silent,
  debug: () => silent,
} as never;
