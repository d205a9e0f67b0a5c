import { present } from '../../base/invariant.js';
import type { Sums } from '../../frontends/nir/index.js';
import type { Op } from '../../network/index.js';

interface Written {
  readonly byId: ReadonlyMap<string, Op>;
  /** Ops that have no node: what reads them reads what they read. */
  readonly passes: ReadonlySet<string>;
  /** Ops → nodes. */
  readonly names: ReadonlyMap<string, string>;
}

/** What a value is made of: a node, or ops without one behind what they read, the value itself last. */
interface Made {
  readonly id: string;
  readonly isSum: boolean;
  /** Places in the list, or nodes. */
  readonly of: readonly (number | string)[];
}

/** A value as the sums and nodes that it is made of. What closes a cycle of ops without nodes adds nothing. */
export function sumsOf(id: string, { byId, passes, names }: Written): readonly Made[] {
  const nodeOf = (one: string): string => present(names.get(one), `nir: %${one} has no node`);
  if (!passes.has(id)) return [{ id, isSum: false, of: [nodeOf(id)] }];
  const made: Made[] = [];
  const at = new Map<string, number | 'open'>();
  const path = [id];
  while (path.length > 0) {
    const top = path.at(-1)!;
    const { kind, inputs } = byId.get(top)!;
    const left = at.has(top) ? undefined : inputs.filter((one) => passes.has(one) && !at.has(one));
    if (at.get(top) === undefined) {
      at.set(top, 'open');
      path.push(...left!.reverse());
      continue;
    }
    path.pop();
    if (at.get(top) !== 'open') continue;
    const of = inputs.flatMap((one): (number | string)[] => {
      if (!passes.has(one)) return [nodeOf(one)];
      const place = at.get(one);
      return typeof place === 'number' ? [place] : [];
    });
    at.set(top, made.length);
    made.push({ id: top, isSum: kind === 'add', of });
  }
  return made;
}

/** The nodes that a value adds up, in order; up to the first that it adds twice. */
export function nodesOf(made: readonly Made[]): readonly string[] {
  const nodes = new Set<string>();
  const path: (number | string)[] = [made.length - 1];
  while (path.length > 0) {
    const top = path.pop()!;
    if (typeof top !== 'string') path.push(...made[top]!.of.toReversed());
    else if (nodes.has(top)) return [...nodes, top];
    else nodes.add(top);
  }
  return [...nodes];
}

/** The sums alone, as metadata say them. */
export function addedUp(made: readonly Made[]): Sums {
  const sums: [string, ...(number | string)[]][] = [];
  const values = new Map<number, number | string>();
  for (const [i, { id, isSum, of }] of made.entries()) {
    const read = of.map((one) => (typeof one === 'number' ? values.get(one)! : one));
    if (isSum && read.length > 1) {
      values.set(i, sums.length);
      sums.push([id, ...read]);
    } else if (read[0] !== undefined) values.set(i, read[0]);
  }
  return sums;
}
