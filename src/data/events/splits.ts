import { basename } from 'node:path';
import { fail } from '../../base/diagnostics/index.js';
import { seededRandom } from '../../base/random.js';
import type { Labelled } from '../class-folders.js';

export type Part = 'train' | 'test';

/** Which samples of each class are tested: ways to cut sets that come without a split, by name. */
const splitForms = ['first90', 'tebn', 'random'] as const;

export interface Split {
  readonly kind: (typeof splitForms)[number];
  readonly seed: number;
}

/** `first90`, `tebn`, `random7`; nothing where it is none. */
export function parseSplit(text: string): Split | undefined {
  const [, form, seed = ''] = /^(first90|tebn|random)(\d{0,9})$/.exec(text) ?? [];
  const kind = splitForms.find((one) => one === form);
  if (kind === undefined || (kind !== 'random' && seed !== '')) return undefined;
  return { kind, seed: Number(seed || 0) };
}

/**
 * The files of a part, class by class, in their order:
 *
 *     first90   the first ⌈0.9·n⌉ of each class train (SpikingJelly's split_to_train_test_set(0.9)), in the order of their names
 *     tebn      the samples whose names end in the numbers 0 … 99 test (TEBN)
 *     random7   as first90, of an order drawn with the seed 7
 */
export function partOfSet(files: readonly Labelled[], split: Split, part: Part): readonly Labelled[] {
  const byClass = new Map<number, Labelled[]>();
  for (const file of files) byClass.set(file.label, [...(byClass.get(file.label) ?? []), file]);
  const random = seededRandom(split.seed);
  return [...byClass.values()].flatMap((own) => {
    if (split.kind === 'tebn') return own.filter(({ path }) => numberOf(path) < 100 === (part === 'test'));
    const train = Math.ceil(0.9 * own.length);
    const order = split.kind === 'first90' ? own : drawn(own, random);
    const chosen = new Set(part === 'train' ? order.slice(0, train) : order.slice(train));
    return own.filter((one) => chosen.has(one));
  });
}

/** `cifar10_airplane_12.aedat` → 12 */
function numberOf(path: string): number {
  const [, digits] = /(\d+)\.\w+$/.exec(basename(path)) ?? [];
  if (digits !== undefined) return Number(digits);
  const reason = 'its name ends in no number, by which the split `tebn` goes';
  return fail('data/bad-events', { file: path, offset: 0, reason }, undefined, { help: 'name another split' });
}

function drawn<T>(list: readonly T[], random: () => number): readonly T[] {
  const order = [...list];
  for (let i = order.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}
