import { elementCount } from '../../base/dtype.js';
import type { LayerTrace, SampleTrace } from '../../run/sample-trace.js';
import { greyUri, imageUri } from '../png.js';
import type { Plot } from './render.js';

/** Integer and fraction bits of a spike. */
export type Format = readonly [integer: number, fraction: number];

/** What MBM Fig. 7 shows, and one format further. */
export const shownFormats: readonly Format[] = [
  [1, 0],
  [2, 0],
  [1, 1],
  [2, 1],
  [2, 2],
];

/** 2⁻ⁿ·clip(⌊2ⁿ·u/θ⌋, 0, 2^(m+n) − 1) for every membrane (MBM eq. 8). */
export function spikesOf(membranes: ArrayLike<number>, threshold: number, [integer, fraction]: Format): Float64Array {
  const scale = 2 ** fraction;
  const top = 2 ** (integer + fraction) - 1;
  return Float64Array.from(membranes, (u) => Math.min(top, Math.max(0, Math.floor((scale * u) / threshold))) / scale);
}

/** −Σ p·log₂ p over the values that occur, in bits. */
export function entropyOf(values: ArrayLike<number>): number {
  const counts = new Map<number, number>();
  for (let i = 0; i < values.length; i++) counts.set(values[i]!, (counts.get(values[i]!) ?? 0) + 1);
  let entropy = 0;
  for (const n of counts.values()) entropy -= (n / values.length) * Math.log2(n / values.length);
  return entropy;
}

/** Channels whose membranes vary most, in their order. */
export function variedChannels(membranes: ArrayLike<number>, plane: number, most: number): readonly number[] {
  const variance = (channel: number): number => {
    let sum = 0;
    let squares = 0;
    for (let i = channel * plane; i < (channel + 1) * plane; i++) {
      sum += membranes[i]!;
      squares += membranes[i]! ** 2;
    }
    return squares / plane - (sum / plane) ** 2;
  };
  const channels = Array.from({ length: membranes.length / plane }, (_, c) => [c, variance(c)] as const);
  return channels
    .sort((a, b) => b[1] - a[1] || a[0] - b[0])
    .slice(0, most)
    .map(([c]) => c)
    .sort((a, b) => a - b);
}

/** Membranes of one step of a layer. */
export function membranesAt({ membranes }: LayerTrace, step: number): { shape: readonly number[]; data: Float64Array } {
  const shape = membranes.shape.slice(1);
  const size = elementCount(shape);
  return { shape, data: Float64Array.from(membranes.data.subarray((step - 1) * size, step * size)) };
}

const side = 92;

/**
 * A layer's membranes on an image, and what spikes of several bit widths keep of them, as grey images (MBM Fig. 7);
 * above each width the entropy of the whole layer's spikes.
 */
export function spikesPlot(trace: SampleTrace, layer: LayerTrace, step = layer.membranes.shape[0]!): Plot {
  const { shape, data } = membranesAt(layer, step);
  const [, height = 1, width = 1] = shape.length === 3 ? shape : [1, 1, shape[0]];
  const plane = height * width;
  const threshold = layer.threshold ?? 1;
  const channels = variedChannels(data, plane, 4);
  const images: { row: string; column: string; url: string }[] = [];
  const columns = ['image', `membrane ${layer.state}`];
  const rowName = (channel: number): string => `channel ${channel}`;
  for (const channel of channels) {
    const part = data.subarray(channel * plane, (channel + 1) * plane);
    const bounds = extent(part);
    images.push({ row: rowName(channel), column: columns[1]!, url: greyUri(part, width, height, ...bounds) });
  }
  images.push({ row: rowName(channels[0]!), column: columns[0]!, url: imageUri(trace.image) });
  for (const format of shownFormats) {
    const spikes = spikesOf(data, threshold, format);
    const column = `${format[0]}+${format[1]} bits|${entropyOf(spikes).toFixed(2)} bit`;
    columns.push(column);
    const [, white] = extent(spikes);
    for (const channel of channels) {
      const part = spikes.subarray(channel * plane, (channel + 1) * plane);
      images.push({ row: rowName(channel), column, url: greyUri(part, width, height, 0, white) });
    }
  }
  return {
    title: {
      text: `${layer.id}, step ${step} of ${trace.data} image ${trace.sample}`,
      subtitle: `its membranes as spikes of m+n bits with threshold ${Number(threshold.toPrecision(4))}, and the entropy of the layer`,
      offset: 10,
    },
    data: { values: images },
    width: { step: side + 8 },
    height: { step: side + 8 },
    mark: { type: 'image', width: side, height: side, smooth: false },
    encoding: {
      url: { field: 'url', type: 'nominal' },
      x: {
        field: 'column',
        type: 'ordinal',
        title: null,
        scale: { domain: columns },
        axis: {
          orient: 'top',
          domain: false,
          ticks: false,
          labelAngle: 0,
          labelPadding: 20,
          labelFontSize: 12,
          labelLimit: side + 8,
          labelExpr: "split(datum.label, '|')",
          grid: false,
        },
      },
      y: {
        field: 'row',
        type: 'ordinal',
        title: null,
        scale: { domain: channels.map(rowName) },
        axis: { domain: false, ticks: false, grid: false },
      },
    },
  };
}

function extent(values: ArrayLike<number>): [least: number, most: number] {
  let [least, most] = [Infinity, -Infinity];
  for (let i = 0; i < values.length; i++) {
    least = Math.min(least, values[i]!);
    most = Math.max(most, values[i]!);
  }
  return [least, most];
}
