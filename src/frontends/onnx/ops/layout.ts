import type { NodeContext } from '../context.js';
import { type RealValue, inOrder, onGridOf } from '../values.js';

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

/** Values one behind the other along an ONNX axis. The network's concatenation is along the channels: others are moved there and back. */
export function along(
  context: NodeContext,
  given: readonly RealValue[],
  axis: number,
  origin: string | undefined,
): RealValue {
  const perms = given.map(({ perm }) => (perm ?? []).join());
  const values = perms.every((perm) => perm === perms[0]) ? given : given.map((value) => context.inOwnLayout(value));
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
