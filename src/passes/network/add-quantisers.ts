import {
  type Network,
  type Op,
  type OpRole,
  consumersOf,
  hasWeightMatrix,
  isMaximum,
  opsById,
  rewrite,
  roleOf,
  traitsOf,
} from '../../network/index.js';
import { defaulted, optional, perLayer, real, whole } from '../options/index.js';
import { definePass } from '../pass.js';
import { readOutTail } from './read-out.js';

/** Values that lack a quantiser: what weighted layers read, and what comes out of nonlinearities. */
export interface MissingQuantiser {
  /** The value that has to be quantised. */
  readonly op: Op;
  /** The id that its quantiser will have. */
  readonly id: string;
}

/**
 * Where `sws` needs a quantiser and the network has none: behind relus and clips, behind rows of tables that are added up, and
 * before weighted layers, in front of what only moves or averages values.
 */
export function missingQuantisers(network: Network): readonly MissingQuantiser[] {
  const byId = opsById(network);
  const consumers = consumersOf(network);
  const tail = readOutTail(network);
  const sites = new Set<string>();
  const require = (id: string): void => {
    const op = byId.get(id)!;
    if (op.type.code.kind === 'quant') return;
    if (movesValues(op)) for (const input of op.inputs) require(input);
    else sites.add(id);
  };
  /** whether a quantiser is all that reads it, perhaps behind other monotone ops */
  const isQuantised = (op: Op): boolean =>
    consumers.get(op.id)!.length > 0 &&
    !network.outputs.includes(op.id) &&
    consumers
      .get(op.id)!
      .every((reader) => roleOf(reader) === 'quantiser' || (traitsOf(reader).monotone && isQuantised(reader)));
  for (const op of network.ops) {
    if (hasWeightMatrix(op)) require(op.inputs[0]!);
    // rows of tables that are added up: each train comes from an encoder of its own
    const isAdded = op.kind === 'embedding' && consumers.get(op.id)!.some((reader) => roleOf(reader) === 'sum');
    if (isAdded) require(op.id);
    if (roleOf(op) === 'bound' && !tail.has(op.id) && !isQuantised(op)) {
      const [reader, ...others] = consumers.get(op.id)!;
      // of a chain of bounds the last is quantised
      const chained = others.length === 0 && reader !== undefined && roleOf(reader) === 'bound';
      if (!chained) sites.add(op.id);
    }
  }
  return network.ops.filter(({ id }) => sites.has(id)).map((op) => ({ op, id: `${op.id}.quant` }));
}

function movesValues(op: Op): boolean {
  return isMaximum(op) || moving.has(roleOf(op));
}

const moving: ReadonlySet<OpRole> = new Set(['reshape', 'average', 'border', 'same', 'concatenation']);

/**
 * Static quantisers for a network, or parts of one, that has none: codes 0 … 2^B − 1 that cover [from, range], 0 exactly
 * among them. Where no value has a range the network stays as it is.
 */
export const addQuantisers = definePass({
  name: 'add-quantisers',
  doc: 'Gives activations that have no quantiser one, with the range that is said of it (by calibration); others stay as they are.',
  options: {
    range: optional(perLayer(real(0)), 'The greatest value of an activation, by the id of its quantiser.'),
    from: optional(perLayer(real(-Infinity)), 'The least one, where that isn’t 0.'),
    bits: defaulted(whole(1, 16), 'Bits of the codes.', 8),
  },
  run: (network, { range, from, bits }) => {
    if (range === undefined) return network;
    const codes = new Map<string, ReturnType<typeof codeOf>>();
    for (const { op, id } of missingQuantisers(network)) {
      const greatest = range.of(id);
      if (greatest !== undefined) codes.set(op.id, codeOf(Math.min(0, from?.of(id) ?? 0), greatest, bits));
    }
    if (codes.size === 0) return network;
    return rewrite(network, (op, inputs, to) => {
      const made = to.copy(op, inputs);
      const attrs = codes.get(op.id);
      if (attrs === undefined) return made;
      return to.builder.add({ id: `${op.id}.quant`, kind: 'quantize', inputs: [made], attrs, place: op.place });
    });
  },
});

/** QuantizeLinear's usual parameters for a range: the zero point is a code. */
function codeOf(
  least: number,
  greatest: number,
  bits: number,
): { readonly scale: number; readonly zero: number; readonly min: number; readonly max: number } {
  const max = 2 ** bits - 1;
  const scale = (greatest - least) / max;
  return { scale, zero: Math.round(-least / scale) + 0, min: 0, max };
}
