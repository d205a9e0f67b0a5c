import { type Network, type Op, consumersOf, isNeuronLayer } from '../../network/index.js';

/** A silent period that a layer of neurons may have, and the error it brings. */
export interface SilentChoice {
  readonly silent: number;
  readonly error: number;
}

/** Silent periods of all layers with the latency they give and the sum of their errors. */
export interface SilentPeriods {
  readonly latency: number;
  readonly error: number;
  readonly silent: ReadonlyMap<string, number>;
  /** Whether no other periods with this latency have a smaller sum. */
  readonly exact: boolean;
}

/** Start times of the values that layers still ahead read, kept at once; beyond, the least promising are dropped. */
const mostStates = 5000;

/** Where the layers before a point in the network have left the values that are still read. */
interface State {
  /** Silent steps before each live value, in the order of the live values. */
  readonly times: readonly number[];
  readonly error: number;
  readonly pick: number;
  readonly before: State | undefined;
}

/**
 * The best silent periods for every latency up to the greatest: Tc + the longest path of the sum of the periods (SWS
 * eq. 6 with periods of its own for each layer, SPEC's schedule), so that layers on parallel branches share theirs. A
 * layer on a shorter branch waits for free.
 *
 * Exact by dynamic programming through the network in its order: a state holds the start times of the values that are
 * still to be read, of two states with nowhere later times the one with the smaller error remains. For each latency
 * that is worth it one result, by rising latency and falling error.
 */
export function silentFront(
  network: Network,
  choices: ReadonlyMap<string, readonly SilentChoice[]>,
  steps: number,
  most = Infinity,
  limit = mostStates,
): readonly SilentPeriods[] {
  const ops = network.ops.filter((op) => op.type.time !== undefined || op.kind === 'decode');
  const lastReader = readersEnd(network);
  const neurons: string[] = [];
  let live: readonly string[] = [];
  let states: readonly State[] = [{ times: [], error: 0, pick: -1, before: undefined }];
  let exact = true;
  for (const op of ops) {
    const options = op.kind === 'neuron' ? choices.get(op.id) : undefined;
    const inputs = op.inputs.map((id) => live.indexOf(id)).filter((n) => n >= 0);
    const kept = [...live.keys()].filter((n) => lastReader.get(live[n]!) !== op.id);
    const next: State[] = [];
    for (const state of states) {
      const start = Math.max(0, ...inputs.map((n) => state.times[n]!));
      const others = kept.map((n) => state.times[n]!);
      if (options === undefined) next.push({ ...state, times: [...others, start + ownSilence(op)] });
      else {
        for (const [pick, { silent, error }] of options.entries()) {
          if (steps + start + silent > most) continue;
          next.push({ times: [...others, start + silent], error: state.error + error, pick, before: state });
        }
      }
    }
    if (options !== undefined) neurons.push(op.id);
    live = [...kept.map((n) => live[n]!), op.id];
    const front = undominated(next);
    exact &&= front.length <= limit;
    states = front.slice(0, limit);
  }
  return byLatency(states, neurons, choices, steps, exact);
}

/** A layer of neurons without choices keeps its period. */
function ownSilence(op: Op): number {
  return isNeuronLayer(op) ? (op.attrs.silent ?? 0) : 0;
}

/** Value → the last op that reads it; outputs are never done. */
function readersEnd(network: Network): ReadonlyMap<string, string> {
  const outputs = new Set(network.outputs);
  return new Map(
    [...consumersOf(network)].flatMap(([id, readers]) =>
      outputs.has(id) || readers.length === 0 ? [] : [[id, readers.at(-1)!.id] as const],
    ),
  );
}

/** States that no other beats or equals in error and every time, by rising error. */
function undominated(states: State[]): readonly State[] {
  states.sort((a, b) => a.error - b.error || sum(a.times) - sum(b.times));
  const front: State[] = [];
  for (const state of states) {
    if (!front.some((better) => better.times.every((time, n) => time <= state.times[n]!))) front.push(state);
  }
  return front;
}

function sum(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0);
}

function byLatency(
  states: readonly State[],
  neurons: readonly string[],
  choices: ReadonlyMap<string, readonly SilentChoice[]>,
  steps: number,
  exact: boolean,
): readonly SilentPeriods[] {
  const front: SilentPeriods[] = [];
  const latencyOf = ({ times }: State): number => steps + Math.max(0, ...times);
  for (const state of [...states].sort((a, b) => latencyOf(a) - latencyOf(b) || a.error - b.error)) {
    if (front.length > 0 && state.error >= front.at(-1)!.error) continue;
    const picks: number[] = [];
    for (let s: State | undefined = state; s?.before !== undefined; s = s.before) picks.push(s.pick);
    picks.reverse();
    const silent = new Map(neurons.map((id, n) => [id, choices.get(id)![picks[n]!]!.silent] as const));
    front.push({ latency: latencyOf(state), error: state.error, silent, exact });
  }
  return front;
}
