import { present } from '../base/invariant.js';
import { type KindsOf, attrsOf, roleOf } from './ops/index.js';
import type { Network, Op } from './types.js';

/** What was asked of lists of ops before; they don't change once they are a network's. */
const knownOps = new WeakMap<readonly Op[], ReadonlyMap<string, Op>>();
const knownPlaces = new WeakMap<readonly Op[], ReadonlyMap<string, number>>();
const knownSqueezes = new WeakMap<readonly Op[], ReadonlyMap<string, Op>>();

/** Ops by id. */
export function opsById({ ops }: Pick<Network, 'ops'>): ReadonlyMap<string, Op> {
  return once(knownOps, ops, () => new Map(ops.map((op) => [op.id, op])));
}

function once<V>(known: WeakMap<readonly Op[], V>, ops: readonly Op[], make: () => V): V {
  const done = known.get(ops);
  if (done !== undefined) return done;
  const made = make();
  known.set(ops, made);
  return made;
}

/** Some of a network's ops in the network's order: without looking at all of them. */
export function inOrder({ ops }: Pick<Network, 'ops'>, some: readonly Op[]): readonly Op[] {
  const places = once(knownPlaces, ops, () => new Map(ops.map(({ id }, place) => [id, place])));
  return [...some].sort((a, b) => places.get(a.id)! - places.get(b.id)!);
}

/** For each id, the ops that read it. */
export function consumersOf(network: Network): ReadonlyMap<string, readonly Op[]> {
  const consumers = new Map<string, Op[]>(network.ops.map((op) => [op.id, []]));
  for (const op of network.ops) {
    for (const input of op.inputs) present(consumers.get(input), `graph: ${op.id} reads unknown ${input}`).push(op);
  }
  return consumers;
}

/** Layers of neurons: those with equations, and those that decide on their whole input. */
export function isNeuronLayer(op: Op): op is Op<KindsOf<'neurons' | 'whole-input'>> {
  const role = roleOf(op);
  return role === 'neurons' || role === 'whole-input';
}

/** Layers of neurons that fire: of the others the output is real, a current. */
export function isFiringLayer(op: Op): op is Op<KindsOf<'neurons' | 'whole-input'>> {
  return isNeuronLayer(op) && op.type.code.kind !== 'psp';
}

/** The squeeze that reads a layer of neurons, if there is one. */
export function squeezeBehind({ ops }: Pick<Network, 'ops'>, neuron: Op): Op | undefined {
  const squeezes = once(knownSqueezes, ops, () => {
    const all = ops.filter(({ kind }) => kind === 'squeeze');
    // the first that reads a layer stands for it
    return new Map(all.reverse().map((op) => [op.inputs[0]!, op]));
  });
  return squeezes.get(neuron.id);
}

/** The network without ops and parameters that no output needs. */
export function withoutDeadOps(network: Network): Network {
  const byId = opsById(network);
  const live = new Set<string>();
  const pending = [...network.outputs];
  for (let id = pending.pop(); id !== undefined; id = pending.pop()) {
    if (live.has(id)) continue;
    live.add(id);
    pending.push(...present(byId.get(id), `graph: unknown output ${id}`).inputs);
  }
  const ops = network.ops.filter((op) => live.has(op.id) || op.kind === 'input');
  const used = new Set(ops.flatMap((op) => Object.values(op.params)));
  const neurons = new Set(ops.map((op) => attrsOf(op)['neuron']));
  return {
    ...network,
    ops,
    params: new Map([...network.params].filter(([name]) => used.has(name))),
    neurons: new Map([...network.neurons].filter(([name]) => neurons.has(name))),
  };
}

/**
 * The last global time step at which an output is complete; 0 for a network without time. Squeezed trains are read when
 * they have ended: there it is the longest path's sum of steps.
 */
export function latencyOf(network: Network): number {
  if (network.ops.some((op) => op.kind === 'squeeze')) return longestPath(network);
  let latest = 0;
  for (const op of network.ops) {
    if (op.type.time !== undefined) latest = Math.max(latest, op.type.time.start + op.type.time.steps - 1);
  }
  return latest;
}

/**
 * The step at which the answer is complete where every layer waits for what it needs: the latency, but that a neuron fires when all binary
 * planes of its input are in, and its own planes follow one another, of every time step behind those of the one before. `latencyOf` counts
 * planes as IBRA does, T·B steps, as if layers answered at once. On a chain of L layers of B bits it is (T + L − 1)·B.
 */
export function criticalPathOf(network: Network): number {
  if (!network.ops.some((op) => op.kind === 'planes')) return latencyOf(network);
  const steps = Math.max(...network.ops.filter((op) => op.kind === 'gather').map((op) => op.type.time?.steps ?? 1));
  const ends = new Map<string, number>();
  for (let t = 0; t < steps; t++) {
    for (const op of network.ops) {
      const whole = Math.max(0, ...op.inputs.map((id) => present(ends.get(id), `graph: ${op.id} reads unknown ${id}`)));
      ends.set(op.id, op.kind === 'planes' ? Math.max(whole, ends.get(op.id) ?? 0) + op.attrs.bits : whole);
    }
  }
  return Math.max(0, ...ends.values());
}

/** The greatest sum of the steps of neurons on a path. */
function longestPath(network: Network): number {
  const ends = new Map<string, number>();
  for (const op of network.ops) {
    const before = Math.max(0, ...op.inputs.map((id) => present(ends.get(id), `graph: ${op.id} reads unknown ${id}`)));
    ends.set(op.id, before + (op.kind === 'neuron' ? (op.type.time?.steps ?? 0) : 0));
  }
  return Math.max(0, ...ends.values());
}
