import { present } from '../../../base/invariant.js';
import {
  type Interval,
  type Network,
  type Op,
  type OpRole,
  consumersOf,
  hasWeightMatrix,
  intervalOf,
  intervalSource,
  opsById,
  rewrite,
  roleOf,
} from '../../../network/index.js';
import type { Rewriter } from '../../../network/rewrite.js';
import { defaulted, real, whole } from '../../options/index.js';
import { definePass } from '../../pass.js';
import { readOutTail } from '../read-out.js';

/** Bits with which a value is carried that the file leaves in float: what is beyond is far below a code behind it. */
const leastBits = 32;

/**
 * A value that the file leaves in float, but that has bounds (a relu in front of a mean or a sum, a product of codes, what
 * stands between two weighted layers), is carried by several trains: its digits, of as many bits each as a train has steps.
 */
export const digits = definePass({
  name: 'digits',
  doc: 'Carries values that no quantiser follows as several trains, each one digit of the value on a grid of 2⁻³² of its bounds (products of codes: exactly).',
  options: {
    steps: defaulted(whole(1, 24), 'Coding steps Tc: bits of a digit.', 8),
    beta: defaulted(real(1, 3), 'Amplification β: only for 2 are there digits.', 2),
  },
  run: (network, { steps, beta }) => {
    if (beta !== 2 || steps < 4) return network;
    const tail = readOutOf(network);
    const sites = floatValues(network, tail);
    if (sites.size === 0) return network;
    const rewritten = rewrite(network, (op, inputs, to) => {
      // products are quantised as they are; what is read out is quantised then
      if (op.kind === 'quantize' && sites.has(op.inputs[0]!) && !tail.has(op.id)) return to.copy(op, op.inputs);
      const made = to.copy(op, inputs);
      const site = sites.get(op.id);
      return site === undefined ? made : sumOfDigits(op, made, gridOf(op, site, network, 2 ** steps), to);
    });
    const count = sites.size === 1 ? '1 value that is left in float' : `${sites.size} values that are left in float`;
    return { ...rewritten, notes: [...rewritten.notes, `several trains carry ${count}, ${steps} bits each`] };
  },
});

/** Bounds of the values that no quantiser follows, by the ids of the ops that give them. */
function floatValues(network: Network, tail: ReadonlySet<string>): ReadonlyMap<string, Interval> {
  const candidates = leftInFloat(network, tail);
  const sites = new Map<string, Interval>();
  if (candidates.size === 0 || !network.ops.some(({ kind }) => kind === 'quantize')) return sites;
  const known = new Map<string, Interval | undefined>();
  const source = intervalSource(network);
  for (const op of network.ops) {
    const bounds = intervalOf(source, op.id, known);
    if (bounds === undefined || !candidates.has(op.id)) continue;
    // what the encoder reads has no bounds
    const held = op.inputs.every((id) => known.get(id) !== undefined);
    if (held && bounds.max > bounds.min) sites.set(op.id, bounds);
  }
  return sites;
}

/** What acts on decoded values, once. */
function readOutOf(network: Network): ReadonlySet<string> {
  const consumers = consumersOf(network);
  const isReadOut = (op: Op): boolean => network.outputs.includes(op.id) && consumers.get(op.id)!.length === 0;
  return readOutTail(network, (op) => op.kind === 'quantize' && !isReadOut(op));
}

/** Nonlinear values that others read than quantisers, and linear ones that a weighted layer reads. */
function leftInFloat(network: Network, tail: ReadonlySet<string>): ReadonlySet<string> {
  const byId = opsById(network);
  const consumers = consumersOf(network);
  const found = new Set<string>();
  for (const op of network.ops) {
    if (!isNonlinear(op) || tail.has(op.id)) continue;
    const fires = (reader: Op): boolean => roleOf(reader) === 'quantiser' && !tail.has(reader.id);
    const quantised = consumers.get(op.id)!.every(fires);
    if (!quantised || network.outputs.includes(op.id)) found.add(op.id);
  }
  /** what a weighted layer would have to read through */
  const pending = network.ops.filter(hasWeightMatrix).flatMap(({ inputs }) => inputs);
  const seen = new Set<string>();
  for (let id = pending.pop(); id !== undefined; id = pending.pop()) {
    const op = byId.get(id)!;
    if (seen.has(id) || found.has(id)) continue;
    seen.add(id);
    if (hasWeightMatrix(op) || isScaled(op, byId) || isUneven(op, byId)) found.add(id);
    else if (readThrough.has(roleOf(op))) pending.push(...op.inputs);
  }
  return found;
}

/** A value times factors, or a sum of such (an interpolation): carried as the sum that it is. */
function isScaled(op: Op, byId: ReadonlyMap<string, Op>): boolean {
  const role = roleOf(op);
  return role === 'scaling' || (role === 'sum' && op.inputs.some((id) => isScaled(byId.get(id)!, byId)));
}

/** An average whose windows at the border aren't spikes of one amplitude: fewer values, or zeros that are no spikes. */
function isUneven(op: Op, byId: ReadonlyMap<string, Op>): boolean {
  if (op.kind !== 'avgpool' || op.attrs.pads.every((n) => n === 0)) return false;
  const { code } = byId.get(op.inputs[0]!)!.type;
  return !op.attrs.include_pad || code.kind !== 'quant' || code.min !== code.zero;
}

const readThrough: ReadonlySet<OpRole> = new Set(['sum', 'concatenation', 'average', 'reshape']);

/** Values that are no sums of spikes. */
export function isNonlinear(op: Op): boolean {
  return ['bound', 'function', 'group-function', 'product'].includes(roleOf(op));
}

interface Grid {
  readonly scale: number;
  readonly zero: number;
  readonly max: number;
  readonly base: number;
}

/** The grid of a value: of a product of codes its own. */
function gridOf(op: Op, { min, max }: Interval, network: Network, base: number): Grid {
  const count = Math.ceil(leastBits / Math.log2(base));
  const byId = opsById(network);
  const codes = op.kind === 'mul' ? op.inputs.map((id) => byId.get(id)!.type.code) : [];
  const exact = codes.reduce((scale, code) => (code.kind === 'quant' ? scale * code.scale : NaN), 1);
  const span = Math.max(max, 0) - Math.min(min, 0);
  const own = op.kind === 'mul' && span / exact < base ** count;
  // a power of two: values on a coarser grid of that kind stay exact
  const scale = own ? exact : 2 ** Math.ceil(Math.log2(span / (base ** count - 2)));
  const zero = Math.max(0, Math.ceil(-min / scale - 1e-6));
  return { scale, zero, max: zero + Math.max(1, Math.round(max / scale)), base };
}

function sumOfDigits(op: Op, value: string, grid: Grid, to: Rewriter): string {
  const { builder } = to;
  const count = Math.max(1, Math.ceil(Math.log2(grid.max + 1) / Math.log2(grid.base)));
  let sum: string | undefined;
  for (let place = count - 1; place >= 0; place--) {
    const attrs = { ...grid, place };
    const id = builder.add({ id: `${op.id}.digit${place}`, kind: 'digit', inputs: [value], attrs, place: op.place });
    sum = sum === undefined ? id : builder.add({ id: `${op.id}.from${place}`, kind: 'add', inputs: [sum, id] });
  }
  return present(sum, `digits: ${op.id} has none`);
}
