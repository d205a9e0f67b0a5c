import { elementCount } from '../../../base/dtype.js';
import type { NodeContext } from '../context.js';
import { type RealValue, batchPlace, inOrder, onGridOf, withBatchAt, withBatchFirst } from '../values.js';

/** The value without a view of its axes, where that is the identity. */
export function plain(value: RealValue): RealValue {
  return value.grid === undefined ? { kind: 'real', op: value.op } : { kind: 'real', op: value.op, grid: value.grid };
}

/** The value in another shape (behind the batch), row-major in the file's order of axes. */
export function reshaped(
  context: NodeContext,
  given: RealValue,
  shape: readonly number[],
  origin: string | undefined,
): RealValue {
  const ordered = given.perm === undefined || inOrder(given.perm, context.shapeOf(given));
  const value = ordered ? given : context.inOwnLayout(given);
  if (shape.join() === context.shapeOf(value).join()) return plain(value);
  const op =
    shape.length === 1 ? ({ kind: 'flatten' } as const) : ({ kind: 'reshape', attrs: { shape: [...shape] } } as const);
  const result = context.emit({ ...op, inputs: [value], origin });
  return onGridOf(value, result);
}

/**
 * The value in another ONNX shape, row-major in the file's order of axes: NaN is the batch, which may stand elsewhere than
 * before, or be left out or put back where the file has one sample.
 */
export function inShape(
  context: NodeContext,
  given: RealValue,
  target: readonly number[],
  origin: string | undefined,
): RealValue {
  const from = context.onnxShape(given);
  const place = target.findIndex(Number.isNaN);
  const before = from.findIndex(Number.isNaN);
  const one = context.graph.fixedBatch === 1;
  const count = (shape: readonly number[], end: number): number => elementCount(shape.slice(0, Math.max(0, end)));
  const stays = place >= 0 && before >= 0 && count(from, before) === count(target, place);
  if (!stays && !one) {
    context.badForm(
      place < 0 ? 'the batch would be no axis of its own' : 'the batch would not stay apart',
      'the batch must stay an axis; with a batch of one sample in the file (export it so) it may move',
    );
  }
  const shape = target.filter((n) => !Number.isNaN(n));
  const ordered = one || (place === 0 && before === 0);
  // one number a sample, [N]: an op has an axis of size 1 for it
  if (shape.length === 0) {
    const value = reshaped(context, withBatchFirst(given), [1], ordered ? origin : undefined);
    return { ...value, perm: place < 0 ? [] : [0] };
  }
  const value = reshaped(context, withBatchFirst(given), shape, ordered ? origin : undefined);
  return withBatchAt(value, shape.length + 1, place);
}

/** Values one behind the other along an ONNX axis. The network's concatenation is along the channels: others are moved there and back. */
export function along(
  context: NodeContext,
  given: readonly RealValue[],
  axis: number,
  origin: string | undefined,
): RealValue {
  const perms = given.map(({ perm }) => (perm ?? []).join());
  const places = given.map(batchPlace);
  const alike = perms.every((perm) => perm === perms[0]);
  if (!alike && places.some((place) => place !== places[0]))
    context.badForm('its operands have the batch at different axes');
  const values = alike
    ? given
    : given.map((value) => {
        const own = context.inOwnLayout(withBatchFirst(value));
        return withBatchAt(own, context.shapeOf(own).length + 1, places[0]!);
      });
  const [first, ...rest] = values.map((value) => context.shapeOf(value));
  const { perm } = values[0]!;
  const own = (perm?.[axis] ?? axis) - 1;
  for (const [i, shape] of rest.entries()) {
    if (shape.length !== first!.length || shape.some((n, at) => at !== own && n !== first![at])) {
      const text = (n: number, s: readonly number[]): string =>
        `"${context.node.inputs[n]}" is [${['N', ...s].join(', ')}]`;
      context.shapeMismatch(`its operands differ beside axis ${axis}: ${text(0, first!)}, ${text(i + 1, shape)}`);
    }
  }
  const axes = first!.map((_, i) => i);
  const front = [own, ...axes.filter((i) => i !== own)];
  const moved = (value: RealValue, to: readonly number[], last: { origin?: string | undefined; suffix?: string }) =>
    context.emit({ kind: 'transpose', inputs: [value], attrs: { perm: [...to] }, ...last });
  const parts = own === 0 ? values : values.map((value) => moved(plain(value), front, { suffix: 'front' }));
  const joined = context.emit({ kind: 'concat', inputs: parts, ...(own === 0 ? { origin } : { suffix: 'joined' }) });
  const result =
    own === 0
      ? joined
      : moved(
          joined,
          axes.map((i) => front.indexOf(i)),
          { origin },
        );
  const grid = values[0]!.grid;
  const same = grid !== undefined && values.every((value) => JSON.stringify(value.grid) === JSON.stringify(grid));
  return { ...result, ...(perm === undefined ? {} : { perm }), ...(same ? { grid } : {}) };
}
