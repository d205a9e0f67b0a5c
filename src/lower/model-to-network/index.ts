import { type Outcome, hasErrors } from '../../base/diagnostics/index.js';
import { elementCount } from '../../base/dtype.js';
import { type LearnScope, type NeuronDef, expandUnits, spikeLevels, withoutSpread } from '../../equations/index.js';
import { InvariantError, present } from '../../base/invariant.js';
import {
  type CodingChoice,
  type Config,
  type Layer,
  type NetworkOutput,
  type NeuronUse,
  type OwnNetwork,
  stepsOf,
} from '../../model/index.js';
import {
  type Attrs,
  type Coding,
  type Network,
  NetworkBuilder,
  countProblems,
  scheduled,
} from '../../network/index.js';
import { type CodingNumbers, conversionOf } from '../program/carriers/index.js';
import { BitPlan, bitAttrs, initialBits, mostBits, neuronWithBits } from './bits.js';
import { Blank, Initialiser, filled, spread } from './initialise.js';
import { type LayerContext, lowerLayer } from './layers.js';
import { configProblems } from './rules.js';
import { sharedSteps } from './shared-steps.js';
import { thresholdValue } from './tdbn.js';
import { unreachedSurrogates } from './unreached.js';

export { type BitKind, BitPlan, type LearnedBits, bitKinds } from './bits.js';
export { configProblems } from './rules.js';
export { mayBeUnreached } from './unreached.js';

export interface ModelLoweringOptions {
  /** Of the initial weights; without it `seed` of the config's `train`, or 1. */
  readonly seed?: number;
  /** Weights are zeros: for what depends on shapes and types alone. */
  readonly blank?: boolean;
  /** {@link configProblems} has been asked, and knows of no error: it isn't asked again. */
  readonly checked?: boolean;
}

/**
 * The network of a config as Network IR with initial weights: the encoder, one op per layer under
 * the layer's id, the read-out. A network without spiking layers, in a config without a coding, is
 * lowered as it is, without time. What can't be lowered is refused by {@link configProblems}.
 */
export function lowerModel(config: Config, options: ModelLoweringOptions = {}): Outcome<Network> {
  const { network } = config;
  if (network.kind !== 'network') throw new TypeError(`lowerModel: ${config.name} imports ${network.path}`);
  const bits = new BitPlan(config.bits, config.coding);
  const diagnostics = options.checked === true ? [] : configProblems(config);
  if (hasErrors(diagnostics)) return { diagnostics };
  const seed = options.seed ?? config.train?.settings.seed ?? 1;
  const initialiser = options.blank === true ? new Blank(seed) : new Initialiser(seed);
  const value = new ModelLowering(config, network, initialiser, bits).run();
  return { value, diagnostics: [...diagnostics, ...countProblems(value, config.place), ...unreachedSurrogates(value)] };
}

class ModelLowering {
  readonly #config: Config;
  readonly #network: OwnNetwork;
  readonly #builder: NetworkBuilder;
  readonly #context: LayerContext;
  readonly #layers: ReadonlyMap<string, Layer>;
  /** Ids of ops that stand for a layer's result under another id: encoded inputs. */
  readonly #encoded = new Map<string, string>();
  /** Neurons by the name their ops use. */
  readonly #neurons = new Map<string, NeuronDef>();
  readonly #expanded = new Map<NeuronUse, NeuronUse>();
  /** Layers of neurons → the one whose steps they have. */
  readonly #shared: ReadonlyMap<string, string>;
  /** Parameters of steps that there are. */
  readonly #steps = new Set<string>();
  readonly #bitted = new Map<NeuronUse, Map<string, NeuronUse>>();

  constructor(
    config: Config,
    network: OwnNetwork,
    initialiser: Initialiser,
    readonly bits: BitPlan,
  ) {
    this.#config = config;
    this.#network = network;
    this.#builder = new NetworkBuilder(network.name);
    this.#shared = sharedSteps(network.layers);
    this.#layers = new Map(network.layers.map((layer) => [layer.id, layer]));
    this.#context = {
      builder: this.#builder,
      bits,
      initialiser,
      steps: stepsOf(config.coding) ?? 1,
      idOf: (id) => this.#encoded.get(id) ?? id,
    };
  }

  run(): Network {
    const { coding } = this.#config;
    this.#inputs(coding);
    for (const layer of this.#network.layers) {
      if (layer.kind === 'input') continue;
      if (layer.kind === 'spike') this.#spike(layer);
      else if (layer.kind === 'readout') this.#encoded.set(layer.id, this.#context.idOf(layer.inputs[0]!));
      else lowerLayer(this.#prepared(layer), this.#context);
    }
    const outputs = this.#network.outputs.map((output) => this.#output(output, coding));
    if (coding === undefined) return this.#builder.finish(outputs);
    const network = this.#builder.finish(outputs, codingOf(coding));
    // layers that read whole trains fire behind them
    const silent = conversionOf(coding.name)?.silent?.(coding.args as CodingNumbers);
    return silent === undefined ? network : scheduled(network, () => silent);
  }

  /** An output read out of its steps; of several, each has its name as its id. */
  #output({ name, layer }: NetworkOutput, coding: CodingChoice | undefined): string {
    const last = this.#context.idOf(layer);
    const several = this.#network.outputs.length > 1;
    if (coding === undefined)
      return several ? this.#builder.add({ id: name, kind: 'identity', inputs: [last], attrs: {} }) : last;
    const { kind, attrs: said } = present(this.#layers.get(layer), 'lower: no output');
    const readout = kind === 'readout' ? said['of'] : 'mean';
    const attrs = { coding: coding.name, ...(typeof readout === 'string' && readout !== 'mean' ? { readout } : {}) };
    const id = several ? name : this.#unused('decode');
    return this.#builder.add({ id, kind: 'decode', inputs: [last], attrs });
  }

  /** The input, or the parts of a row that several are, each under its name. */
  #inputs(coding: CodingChoice | undefined): void {
    const inputs = this.#network.layers.filter(({ kind }) => kind === 'input');
    const [first, ...others] = inputs;
    if (first === undefined) return;
    if (others.length === 0) {
      const { id, place, shape } = first;
      this.#builder.add({ id, kind: 'input', attrs: { shape }, place });
      if (coding !== undefined) this.#encoded.set(id, this.#encode(id, coding));
      return;
    }
    const shape = [inputs.reduce((sum, input) => sum + elementCount(input.shape), 0)];
    const row = this.#builder.add({ id: this.#unused('inputs'), kind: 'input', attrs: { shape } });
    const train = coding === undefined ? row : this.#encode(row, coding);
    let start = 0;
    for (const { id, place, shape: own } of inputs) {
      const end = start + elementCount(own);
      const isRow = own.length === 1;
      const attrs = { axis: 0, start, end, step: 1 };
      const part = { id: isRow ? id : this.#unused(`${id}.row`), kind: 'slice', inputs: [train], attrs } as const;
      const flat = this.#builder.add({ ...part, place, origin: id });
      if (!isRow) this.#builder.add({ id, kind: 'reshape', inputs: [flat], attrs: { shape: own }, place });
      start = end;
    }
  }

  #encode(id: string, coding: CodingChoice): string {
    // squeezed trains meet a constant input that enters once
    const steps = this.bits.squeezes ? 1 : present(stepsOf(coding), 'lower: a train without steps');
    const attrs: Attrs = { coding: coding.name, steps, ...(coding.name === 'rate' ? firing(coding.args) : {}) };
    return this.#builder.add({ id: this.#unused('encode'), kind: 'encode', inputs: [id], attrs, place: coding.place });
  }

  #spike(layer: Layer): void {
    const written = present(layer.neuron ?? this.#config.neuron, `lower: ${layer.id} has no neuron`);
    const use = this.#withBits(this.#withoutUnits(written, layer), layer);
    const name = this.#neuronName(use.def);
    const params: Record<string, string> = {};
    for (const { name: param, learn } of use.def.params) {
      if (learn === undefined) continue;
      const shape = this.#learnedShape(learn.per, layer);
      params[param] = this.#builder.param(`${layer.id}.${param}`, {
        tensor: spread(shape, use.args[param]!, learn.to),
      });
    }
    const spikes = this.bits.of('spikes', layer.id);
    const learned = typeof spikes === 'object' && 'bits' in use.args;
    if (learned) params['bits'] = this.#builder.param(`${layer.id}.bits`, { tensor: filled([1], spikes.init) });
    const { bits: _bits, ...others } = use.args;
    const attrs: Attrs = {
      neuron: name,
      ...(this.bits.squeezes ? { hold: mostBits(this.bits.stepsOf(layer.id)) } : {}),
      ...(learned ? { ...others, ...bitAttrs('bits', spikes) } : use.args),
    };
    const inputs = layer.inputs.map(this.#context.idOf);
    this.#builder.add({ id: layer.id, kind: 'neuron', inputs, attrs, params, place: layer.place });
    if (this.bits.squeezes) this.#squeeze(layer);
  }

  /** The shape of a learned parameter of a layer of neurons. */
  #learnedShape(per: LearnScope | undefined, layer: Layer): readonly number[] {
    const { shape, time } = this.#builder.typeOf(this.#context.idOf(layer.inputs[0]!));
    switch (per) {
      case undefined:
        return [1];
      case 'channel':
        return [shape[0]!];
      case 'neuron':
        return shape;
      case 'step':
        return [this.bits.squeezes ? mostBits(this.bits.stepsOf(layer.id)) : (time?.steps ?? 1)];
    }
  }

  /** What reads the layer reads the mean of its train. */
  #squeeze(layer: Layer): void {
    const setting = this.bits.stepsOf(layer.id);
    const id = `${layer.id}.squeeze`;
    const params: Record<string, string> = {};
    if (typeof setting === 'object') {
      // their settings may differ by patterns: then each has its own
      const first = this.#shared.get(layer.id) ?? layer.id;
      const alike = JSON.stringify(this.bits.stepsOf(first)) === JSON.stringify(setting);
      const name = `${alike ? first : layer.id}.steps`;
      const known = this.#steps.has(name);
      this.#steps.add(name);
      params['steps'] = known ? name : this.#builder.param(name, { tensor: filled([1], initialBits(setting)) });
    }
    const attrs = bitAttrs('steps', setting);
    this.#builder.add({ id, kind: 'squeeze', inputs: [layer.id], attrs, params, place: layer.place });
    this.#encoded.set(layer.id, id);
  }

  /** The neuron with the bits that the config's `bits` gives it; the same object for the same use and bits. */
  #withBits(use: NeuronUse, layer: Layer): NeuronUse {
    const setting = this.bits.of('spikes', layer.id);
    if (setting === undefined) return use;
    const known = this.#bitted.get(use)?.get(JSON.stringify(setting));
    if (known !== undefined) return known;
    const levels = spikeLevels(use.def, use.args, { steps: this.bits.localSteps(layer.id) });
    const count = levels === undefined ? Infinity : levels.max - levels.min + 1;
    const found = neuronWithBits(use, setting, count, present(this.bits.bits, 'lower: no bits').place);
    if (!('def' in found)) throw new InvariantError(`lower: ${layer.id}: ${found.message}`);
    if (!this.#bitted.has(use)) this.#bitted.set(use, new Map());
    this.#bitted.get(use)!.set(JSON.stringify(setting), found);
    return found;
  }

  /** The neuron with a state for each unit; the same object for the same use, so that its name stays. */
  #withoutUnits(use: NeuronUse, layer: Layer): NeuronUse {
    const expanded = this.#expanded.get(use) ?? present(expandUnits(use), `lower: ${layer.id} has no number of units`);
    this.#expanded.set(use, expanded);
    return expanded;
  }

  /** The neuron's name, told apart from a different neuron of the same name. */
  #neuronName(used: NeuronDef): string {
    const spreads = used.params.some(({ learn }) => learn?.to !== undefined);
    const def = spreads ? { ...used, params: used.params.map(withoutSpread) } : used;
    for (let i = 1; ; i++) {
      const name = i === 1 ? def.name : `${def.name}_${i}`;
      const known = this.#neurons.get(name);
      if (known === def) return name;
      if (known !== undefined && JSON.stringify(known) !== JSON.stringify(def)) continue;
      if (known === undefined) this.#builder.neuron({ ...def, name });
      this.#neurons.set(name, def);
      return name;
    }
  }

  /** Threshold-dependent batch norm scales by the neuron's threshold (tdBN). */
  #prepared(layer: Layer): Layer {
    if (layer.kind !== 'batchnorm' || this.#config.train?.settings.batchnorm !== 'tdbn') return layer;
    const { neuron } = this.#config;
    const threshold = neuron && thresholdValue(neuron);
    return threshold === undefined ? layer : { ...layer, attrs: { ...layer.attrs, threshold } };
  }

  #unused(id: string): string {
    let name = id;
    const { outputs } = this.#network;
    const taken = (one: string): boolean =>
      this.#layers.has(one) || (outputs.length > 1 && outputs.some((output) => output.name === one));
    for (let i = 2; taken(name); i++) name = `${id}_${i}`;
    return name;
  }
}

/** How an input of `rate` fires. */
function firing({ seed, encoder, input }: Extract<CodingChoice, { readonly name: 'rate' }>['args']): Attrs {
  return { seed, ...(encoder === 'regular' ? { encoder } : {}), ...(input > 0 ? { scale: input } : {}) };
}

function codingOf({ name, args }: CodingChoice): Coding {
  const plain = Object.entries(args).filter(([, value]) => ['number', 'boolean', 'string'].includes(typeof value));
  return { name, args: Object.fromEntries(plain) as Attrs };
}
