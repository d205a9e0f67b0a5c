import { type Diagnostic, diagnostic } from '../../base/diagnostics/index.js';
import { type NeuronDef, type Range, anything, exactly, unreachedSurrogate } from '../../equations/index.js';
import { type Config, type Layer, stepsOf } from '../../model/index.js';
import { type Interval, type Network, type Op, intervalSource, resultBounds } from '../../network/index.js';

/**
 * Layers whose membranes can't come near to their surrogates, whatever is trained: a warning each. What a layer with parameters gives
 * has no bounds here, as training moves it; spikes have their levels.
 */
export function unreachedSurrogates(network: Network): readonly Diagnostic[] {
  const layers = network.ops.filter((op): op is Op<'neuron'> => op.kind === 'neuron');
  if (layers.length === 0) return [];
  const bounds = boundsOf(network);
  return layers.flatMap((op) => {
    const def = network.neurons.get(op.attrs.neuron);
    if (def === undefined) return [];
    const ranges = new Map<string, Range>();
    for (const { name, default: usual } of def.params) {
      const value = op.attrs[name] ?? usual;
      const learns = op.params[name] !== undefined || typeof value !== 'number';
      ranges.set(name, learns ? anything : exactly(value));
    }
    ['x', ...(def.currents ?? [])].forEach((name, i) => {
      const found = bounds.get(op.inputs[i]!);
      ranges.set(name, found === undefined ? anything : { lo: found.min, hi: found.max, step: 0 });
    });
    const unreached = unreachedSurrogate(def, ranges, op.type.time?.steps ?? 1);
    if (unreached === undefined) return [];
    const { lo, hi, distance, support } = unreached;
    const args = { layer: op.id, neuron: def.name, surrogate: def.surrogate!.name, distance, lo, hi, support };
    const help =
      'widen the surrogate, lower what the membrane is compared with, or scale what comes in; `sigmoid` and `atan` end nowhere';
    return [diagnostic('model/surrogate-unreached', args, op.place, { help })];
  });
}

/** Bounds of what ops give that hold whatever is trained. */
function boundsOf(network: Network): ReadonlyMap<string, Interval | undefined> {
  const source = intervalSource(network);
  const bounds = new Map<string, Interval | undefined>();
  for (const op of network.ops) {
    const { code } = op.type;
    const trained = Object.keys(op.params).length > 0;
    bounds.set(
      op.id,
      code.kind === 'spike'
        ? { min: code.min * code.step, max: code.max * code.step }
        : trained
          ? undefined
          : resultBounds(
              op,
              op.inputs.map((id) => bounds.get(id)),
              source,
            ),
    );
  }
  return bounds;
}

/** Whether a config is worth lowering for {@link unreachedSurrogates}: something bounds what its neurons read, or their membranes. */
export function mayBeUnreached(config: Config): boolean {
  const { network, neuron, coding } = config;
  if (network.kind !== 'network' || coding === undefined) return false;
  const layers = new Map(network.layers.map((layer) => [layer.id, layer]));
  const known = new Map<string, boolean>();
  // no weights between it and a layer of neurons
  const isBounded = (id: string): boolean => {
    const found = known.get(id);
    if (found !== undefined) return found;
    known.set(id, false);
    const { kind, inputs, weight } = layers.get(id)!;
    const bounded = kind === 'spike' || (weight === undefined && inputs.length > 0 && inputs.every(isBounded));
    known.set(id, bounded);
    return bounded;
  };
  // layers with the same neuron and parameters are alike
  const alike = new Map<NeuronDef, Map<string, boolean>>();
  const holdsItself = ({ neuron: own = neuron }: Layer): boolean => {
    if (own === undefined) return false;
    const { def, args } = own;
    const of = alike.get(def) ?? new Map<string, boolean>();
    alike.set(def, of);
    const key = def.params.map(({ name }) => args[name]).join();
    const found = of.get(key);
    if (found !== undefined) return found;
    const ranges = new Map<string, Range>(['x', ...(def.currents ?? [])].map((name) => [name, anything]));
    for (const { name, learn } of def.params)
      ranges.set(name, learn === undefined ? exactly(args[name] ?? NaN) : anything);
    const holds = unreachedSurrogate(def, ranges, stepsOf(coding) ?? 1) !== undefined;
    of.set(key, holds);
    return holds;
  };
  return network.layers.some(
    (layer) => layer.kind === 'spike' && (layer.inputs.every(isBounded) || holdsItself(layer)),
  );
}
