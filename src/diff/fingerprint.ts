import type { Tensor } from '../base/dtype.js';
import { type Network, type Op, consumersOf, opsById } from '../network/index.js';

/** Numbers for texts: equal texts, equal numbers. Shared by both networks, so that numbers compare across them. */
export class Interner {
  readonly #known = new Map<string, number>();

  of(text: string): number {
    const found = this.#known.get(text);
    if (found !== undefined) return found;
    this.#known.set(text, this.#known.size);
    return this.#known.size - 1;
  }
}

/** What alignment compares of one op. */
export interface Fingerprint {
  /** Kind, attributes and parameters. */
  readonly content: number;
  /** The largest parameter's values, where they tell layers apart; undefined for constants and single numbers. */
  readonly weight: number | undefined;
  /** Kinds and parameter shapes of everything the op depends on. */
  readonly above: number;
  /** The same of everything that depends on it. */
  readonly below: number;
}

/** A network with what alignment asks of it. */
export interface Graph {
  readonly network: Network;
  readonly byId: ReadonlyMap<string, Op>;
  readonly consumers: ReadonlyMap<string, readonly Op[]>;
  readonly outputs: ReadonlySet<string>;
  readonly prints: ReadonlyMap<string, Fingerprint>;
}

export function graphOf(network: Network, interner: Interner): Graph {
  const consumers = consumersOf(network);
  const outputs = new Set(network.outputs);
  const local = new Map<string, number>();
  const above = new Map<string, number>();
  const below = new Map<string, number>();
  for (const op of network.ops) {
    const shapes = roles(op).map(([role, name]) => `${role}[${network.params.get(name)?.tensor.shape.join() ?? ''}]`);
    local.set(op.id, interner.of(`${op.kind} ${shapes.join(' ')}`));
    above.set(op.id, interner.of(`above ${local.get(op.id)} ${op.inputs.map((id) => above.get(id)).join()}`));
  }
  for (const op of network.ops.toReversed()) {
    const readers = consumers.get(op.id)!.map((reader) => below.get(reader.id)!);
    const last = outputs.has(op.id) ? 'output' : '';
    below.set(op.id, interner.of(`below ${local.get(op.id)} ${last} ${readers.sort((a, b) => a - b).join()}`));
  }
  const values = new Map([...network.params].map(([name, { tensor }]) => [name, valuesPrint(tensor)]));
  const prints = network.ops.map((op): [string, Fingerprint] => [
    op.id,
    {
      content: interner.of(contentText(op, values)),
      weight: weightPrint(op, network, values, interner),
      above: above.get(op.id)!,
      below: below.get(op.id)!,
    },
  ]);
  return { network, byId: opsById(network), consumers, outputs, prints: new Map(prints) };
}

function roles(op: Op): readonly (readonly [string, string])[] {
  return Object.entries(op.params).sort(([a], [b]) => (a < b ? -1 : 1));
}

interface ValuesPrint {
  readonly text: string;
  readonly constant: boolean;
}

function contentText(op: Op, values: ReadonlyMap<string, ValuesPrint>): string {
  const attrs = Object.entries(op.attrs).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([op.kind, attrs, roles(op).map(([role, name]) => [role, values.get(name)?.text])]);
}

function weightPrint(
  op: Op,
  network: Network,
  values: ReadonlyMap<string, ValuesPrint>,
  interner: Interner,
): number | undefined {
  const names = roles(op).map(([, name]) => name);
  const size = (name: string): number => network.params.get(name)?.tensor.data.length ?? 0;
  const [largest] = names.sort((a, b) => size(b) - size(a));
  const print = largest === undefined ? undefined : values.get(largest);
  return print === undefined || print.constant ? undefined : interner.of(`${op.kind} ${print.text}`);
}

const mostSamples = 4096;

/** A hash of values (of so many of them, evenly spread, where there are more): FNV-1a on their float64 bits. */
function valuesPrint({ dtype, shape, data }: Tensor): ValuesPrint {
  const stride = Math.max(1, Math.floor(data.length / mostSamples));
  const bits = new Uint32Array(new Float64Array(1).buffer);
  const value = new Float64Array(bits.buffer);
  let hash = 0x811c9dc5;
  let constant = true;
  for (let i = 0; i < data.length; i += stride) {
    value[0] = data[i]!;
    if (data[i] !== data[0]) constant = false;
    hash = Math.imul(hash ^ bits[0]!, 0x01000193);
    hash = Math.imul(hash ^ bits[1]! ^ (hash >>> 15), 0x01000193);
  }
  return { text: `${dtype}[${shape.join()}] ${hash >>> 0}`, constant };
}
