import { present } from '../../base/invariant.js';
import type { Network, Op } from '../../network/index.js';
import type { Value } from '../../tensor/index.js';
import { type Carried, type Carrier, carrierOf } from './carriers/index.js';
import { Lowering, type LoweringOptions, type Precision } from './context.js';
import { loweringOrder } from './loops.js';
import { type Outputs, type ProbeKind, type Probes, type Runnable, outputNames, probeKinds } from './runnable.js';

export interface LowerOptions {
  readonly probes?: Probes;
  /** Of membranes and of values without time; the carrier's own where missing. */
  readonly precision?: Precision;
  /** Parameters stay parameters under their own names, so that they can be trained or fed. */
  readonly trainable?: boolean;
  /** What carries the values, where it isn't what the network's coding says. */
  readonly carrier?: Carrier;
  /** Whether layers of neurons are unrolled over their time steps; where missing a measured rule says. */
  readonly unroll?: boolean | undefined;
}

/**
 * Network → Tensor IR, whatever its coding: the forward pass of inference. Inputs are f32 images under the id of their
 * op; outputs the network's as `0`, `1`, … and the probes asked for. Each layer runs in its local time, so delay lines
 * cost nothing; synapses act on all time steps at once.
 */
export function lower(network: Network, options: LowerOptions = {}): Runnable {
  const begun = begin(network, options);
  const { carried, outputs } = begun;
  const { early = [], expose = [] } = options.probes ?? {};
  if (early.length > 0 && begun.carrier.trains !== 'means') {
    throw new TypeError('lower: only trains that carry means are read out early');
  }
  network.outputs.forEach((id, n) => outputs.output(outputNames.output(n), carried.output(id)));
  const [first] = network.outputs as [string];
  for (const steps of early) outputs.early(steps, carried.output(first, steps));
  for (const id of expose) outputs.exposed(id, carried.real(id));
  return finished(begun, { logits: outputNames.output(0) });
}

/** A network whose ops have been lowered, without outputs but its probes'. */
export interface Begun {
  readonly lowering: Lowering;
  readonly carrier: Carrier;
  readonly carried: Carried;
  readonly outputs: OutputsInMaking;
}

export function begin(
  network: Network,
  { probes = {}, precision, trainable = false, carrier = carrierOf(network), unroll }: LowerOptions,
  mode: LoweringOptions['mode'] = 'infer',
): Begun {
  const traced = new Set([...(probes.membranes ?? []), ...readMembranes(network)]);
  const lowering = new Lowering(network, {
    precision: precision ?? carrier.precision,
    mode,
    trainable,
    traced,
    unroll,
  });
  const carried = carrier.begin(lowering);
  const outputs = new OutputsInMaking(lowering);
  for (const item of loweringOrder(network)) {
    const ops = 'id' in item ? [item] : item;
    if ('id' in item) carried.lower(item);
    else if (carried.loop === undefined) throw new TypeError(`lower: a cycle has no form in this coding`);
    else carried.loop(item);
    for (const op of ops) probe(carried, op, probes, outputs);
  }
  return { lowering, carrier, carried, outputs };
}

export function finished(
  { carrier, outputs, lowering }: Begun,
  named: Pick<Outputs, 'logits' | 'loss' | 'correct'>,
): Runnable {
  const { network, steps, randoms, builder } = lowering;
  const input = present(
    network.ops.find(({ kind }) => kind === 'input'),
    `lower: ${network.name} has no input`,
  );
  return {
    program: builder.build(),
    feeds: {
      image: { id: input.id, shape: input.type.shape, steps: carrier.frames === true ? steps : 1 },
      randoms,
      ...(named.loss === undefined ? {} : { labels: outputNames.labels }),
    },
    outputs: { ...outputs.named(), ...named },
    steps,
  };
}

/** Outputs of a program under their names, and which of them is what. */
export class OutputsInMaking {
  readonly #probes = Object.fromEntries(probeKinds.map((kind) => [kind, new Map<string, string>()])) as Record<
    ProbeKind,
    Map<string, string>
  >;
  readonly #early = new Map<number, string>();
  readonly #exposed = new Map<string, string>();

  constructor(readonly lowering: Lowering) {}

  output(name: string, value: Value): void {
    this.lowering.builder.output(name, value);
  }

  probe(kind: ProbeKind, id: string, value: Value | undefined): void {
    if (value === undefined) return;
    const name = outputNames[kind](id);
    this.#probes[kind].set(id, name);
    this.output(name, value);
  }

  early(steps: number, value: Value): void {
    const name = outputNames.early(steps);
    this.#early.set(steps, name);
    this.output(name, value);
  }

  exposed(id: string, value: Value): void {
    this.#exposed.set(id, outputNames.exposed(id));
    this.output(outputNames.exposed(id), value);
  }

  named(): Pick<Outputs, 'probes' | 'early' | 'exposed'> {
    return { probes: this.#probes, early: this.#early, exposed: this.#exposed };
  }
}

/** Layers of neurons whose membranes are read out. */
function readMembranes({ ops }: Network): readonly string[] {
  return ops.flatMap((op) => (op.kind === 'decode' && op.attrs.readout === 'membrane' ? op.inputs : []));
}

/** What one op gives out, in one order for all carriers. */
function probe(carried: Carried, op: Op, probes: Probes, outputs: OutputsInMaking): void {
  if (probes.trains?.(op.id) === true) outputs.probe('train', op.id, carried.train(op));
  const traced = carried.trace(op);
  if (probes.membranes?.includes(op.id) === true) {
    outputs.probe('membranes', op.id, traced?.membranes);
    outputs.probe('thresholds', op.id, traced?.thresholds);
  }
  const fanOut = probes.counts?.(op.id) ?? [];
  if (fanOut.length > 0) outputs.probe('counts', op.id, carried.counts(op, fanOut, probes.ones === true));
  if (probes.currents?.(op.id) === true) outputs.probe('current', op.id, carried.current(op));
  const codes = probes.codes === true ? carried.codes(op) : undefined;
  outputs.probe('codes', op.id, codes?.codes);
  if (probes.ties === true) outputs.probe('tie', op.id, codes?.tie);
  if (probes.membrane !== false) outputs.probe('membrane', op.id, codes?.membrane);
}
