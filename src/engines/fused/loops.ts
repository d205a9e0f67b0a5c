import type { Lifetime } from './arena.js';
import { aligned, placeBuffers } from './arena.js';
import { present } from '../../base/invariant.js';
import { bytesOf } from '../../tensor/peak.js';
import type { Place } from './kernel.js';
import type { Loop } from './segments.js';
import { rootOf } from './stages.js';

/**
 * A loop in the memory. A state has two places: a step reads one and writes the other. Trains are read and written where
 * they lie whole. What a step makes besides lies in a block that all steps share.
 */
export const stateName = (loop: string, i: number): string => `${loop}::state${i}`;
const blockName = (loop: string): string => `${loop}::body`;
const unwantedName = (loop: string, k: number): string => `${loop}::unwanted${k}`;

/** The numbers that a step is given, which places move by. */
const [time, now, next] = [0, 1, 2] as const;

/** Buffers of a loop besides what it reads and gives out. */
export function loopBuffers(loop: Loop, n: number): readonly Pick<Lifetime, 'id' | 'bytes'>[] {
  const size = sizeIn(loop, n);
  const states = loop.states.map((state, i) => ({
    id: stateName(loop.id, i),
    bytes: 2 * stateStride(size(state.now)),
  }));
  const unwanted = loop.stacked.flatMap(({ step, whole }, k) =>
    whole.length === 0 ? [{ id: unwantedName(loop.id, k), bytes: size(step) }] : [],
  );
  return [...states, ...unwanted, { id: blockName(loop.id), bytes: Math.max(1, block(loop, n).end) + 16 }];
}

/** A value that lies elsewhere than where it is wanted as a result of a step. */
interface Moved {
  readonly from: string;
  readonly to: Place;
  readonly bytes: number;
}

/** Where the values of a loop's body lie, given where the program's do, and what is copied after each step. */
export function bodyPlaces(
  loop: Loop,
  n: number,
  outer: (id: string) => Place,
): { readonly place: (root: string) => Place; readonly after: readonly Moved[] } {
  const size = sizeIn(loop, n);
  const places = new Map<string, Place>();
  loop.states.forEach((state, i) => {
    places.set(state.now, stateAt(outer(stateName(loop.id, i)), size(state.now), now));
  });
  for (const { step, whole } of loop.trains)
    places.set(step, { ...outer(whole), moves: { by: time, bytes: size(step) } });
  for (const { inner, outer: id } of loop.invariants) places.set(inner, outer(id));
  const made = new Set(loop.body.segments.flatMap(({ outputs }) => outputs));
  const after: Moved[] = [];
  const result = (id: string, to: Place): void => {
    if (made.delete(id)) places.set(id, to);
    else after.push({ from: id, to, bytes: size(id) });
  };
  loop.states.forEach((state, i) => result(state.next, stateAt(outer(stateName(loop.id, i)), size(state.now), next)));
  loop.stacked.forEach(({ step, whole: [first] }, k) => {
    const to = outer(first ?? unwantedName(loop.id, k));
    result(step, first === undefined ? to : { ...to, moves: { by: time, bytes: size(step) } });
  });
  const { offset } = outer(blockName(loop.id));
  for (const [id, at] of block(loop, n).offsets) places.set(id, { offset: offset + at });
  return { place: (root) => present(places.get(root), `fused: ${root} of loop ${loop.id} has no place`), after };
}

function stateAt({ offset }: Place, bytes: number, by: typeof now | typeof next): Place {
  return { offset, moves: { by, bytes: stateStride(bytes) } };
}

/** A vector may be read past a state's end. */
function stateStride(bytes: number): number {
  return aligned(bytes + 16);
}

/** Values that only the body's own segments read. */
function block(loop: Loop, n: number): ReturnType<typeof placeBuffers> {
  const { segments, aliases } = loop.body;
  const size = sizeIn(loop, n);
  const results = new Set([...loop.states.map((state) => state.next), ...loop.stacked.map(({ step }) => step)]);
  const last = new Map<string, number>();
  segments.forEach((segment, step) => segment.inputs.forEach((id) => last.set(rootOf(aliases, id), step)));
  for (const id of results) last.set(rootOf(aliases, id), segments.length);
  const lifetimes = segments.flatMap((segment, step) =>
    segment.outputs.flatMap((id): Lifetime[] => {
      if (results.has(id)) return [];
      return [{ id, bytes: size(id) + 16, first: step, last: last.get(id) ?? step }];
    }),
  );
  return placeBuffers(lifetimes, 0);
}

function sizeIn({ body }: Loop, n: number): (id: string) => number {
  return (id) => bytesOf(body.infoOf(id), n);
}
