import { type Op, windowOf } from '../../../network/index.js';
import type { ProgramBuilder, Value } from '../../../tensor/index.js';
import type { Lowering } from '../context.js';
import { MappedTrain, PrefixTrain, type Timed, type Train } from '../trains.js';

/** A potential; `every` gives it at all steps, [Tc·N, …], where that is less work than step by step. */
export interface Potential extends Timed {
  readonly every?: () => Value;
}

/** A potential computed once per way of taking it. */
export function potential(
  steps: number,
  make: (m: number, ratio: number) => readonly Value[],
  every?: () => Value,
): Potential {
  const known = new Map<string, readonly Value[]>();
  return {
    steps,
    ...(every === undefined ? {} : { every }),
    take(m, ratio) {
      const key = `${m}/${m === 1 ? 1 : ratio}`;
      const made = known.get(key) ?? make(m, ratio);
      known.set(key, made);
      return made;
    },
  };
}

/** M_k = max over the window of the prefixes P_k, all steps in one pooling (docs/sws.md). */
export function maxTrain({ builder }: Lowering, op: Op<'maxprefix'>, from: Train): Train {
  const pooled = new Map<number, { first: number; whole: Value }>();
  const prefix = (k: number): Value => {
    let group = pooled.get(k);
    if (group === undefined) {
      // the first request names the earliest step wanted: pool it and all later ones together
      const last = Math.min(from.steps, ...[...pooled.keys()].filter((other) => other > k).map((other) => other - 1));
      const parts = Array.from({ length: last - k + 1 }, (_, i) => from.prefix(k + i));
      builder.at(op.id);
      group = { first: k, whole: builder.as(`prefixes${k}`).maxpool(builder.concat(parts, 0), windowOf(op.attrs)) };
      for (let j = k; j <= last; j++) pooled.set(j, group);
    }
    return builder.at(op.id).step(group.whole, k - group.first);
  };
  return new PrefixTrain(builder, op.id, from.steps, op.attrs.beta, prefix);
}

/** Trains side by side: what a join makes of their steps. */
export function joinedTrain(
  builder: ProgramBuilder,
  id: string,
  trains: readonly Train[],
  join: (steps: readonly Value[]) => Value,
): Train {
  return new (class extends MappedTrain {
    override grouped(m: number): Value {
      return join(trains.map((train) => train.grouped(m)));
    }
  })(builder, id, trains[0]!, (x) => x);
}
