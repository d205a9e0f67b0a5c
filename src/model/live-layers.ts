import type { Layer } from './types.js';

/**
 * The layers that reach `output` (inputs stay in any case), with biases decided: a convolution or
 * linear layer whose only reader is a batch norm has none unless it was asked for, since the norm
 * takes any constant away again.
 */
export function liveLayers(layers: readonly Layer[], output: string): Layer[] {
  const live = new Set([output]);
  const readers = new Map<string, Layer[]>();
  for (const layer of [...layers].reverse()) {
    if (!live.has(layer.id)) continue;
    for (const input of layer.inputs) {
      live.add(input);
      readers.set(input, [...(readers.get(input) ?? []), layer]);
    }
  }
  return layers
    .filter((layer) => live.has(layer.id) || layer.kind === 'input')
    .map((layer) => {
      if (layer.weight === undefined || layer.attrs['bias'] !== undefined) return layer;
      const by = readers.get(layer.id) ?? [];
      const normed = by.length > 0 && layer.id !== output && by.every((reader) => reader.kind === 'batchnorm');
      return { ...layer, attrs: { ...layer.attrs, bias: !normed } };
    });
}
