import type { Layer } from './types.js';

/**
 * The layers that reach one of `outputs` (inputs stay in any case), with biases decided: a convolution or
 * linear layer whose only reader is a batch norm has none unless it was asked for, since the norm
 * takes any constant away again.
 */
export function liveLayers(layers: readonly Layer[], outputs: readonly string[]): Layer[] {
  const byId = new Map(layers.map((layer) => [layer.id, layer]));
  const live = new Set<string>();
  const readers = new Map<string, Layer[]>();
  const pending = [...outputs];
  for (let id = pending.pop(); id !== undefined; id = pending.pop()) {
    const layer = byId.get(id);
    if (layer === undefined || live.has(id)) continue;
    live.add(id);
    for (const input of layer.inputs) readers.set(input, [...(readers.get(input) ?? []), layer]);
    pending.push(...layer.inputs);
  }
  return layers
    .filter((layer) => live.has(layer.id) || layer.kind === 'input')
    .map((layer) => {
      if (layer.weight === undefined || layer.attrs['bias'] !== undefined) return layer;
      const by = readers.get(layer.id) ?? [];
      const normed = by.length > 0 && !outputs.includes(layer.id) && by.every((reader) => reader.kind === 'batchnorm');
      return { ...layer, attrs: { ...layer.attrs, bias: !normed } };
    });
}
