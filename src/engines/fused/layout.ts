import type { Tensor } from '../../base/dtype.js';
import { gather, stridesOf, wrap } from '../../tensor/arrays.js';
import { isBatch } from '../../tensor/dims.js';
import type { Dim, Program, TensorOp, ValueInfo } from '../../tensor/types.js';
import { dotChannelsLast } from './dots.js';
import type { IntegerSegment, KernelSegment, Partition, Segment, SessionSegment } from './segments.js';
import { type Scope, rootOf } from './stages.js';

/**
 * Which kernels keep their values with channels last, [N, H, W, C]: products of bytes read and
 * write matrices whose columns are channels. Everything else has channels first, as programs say.
 */
export interface Layouts {
  readonly channelsLast: ReadonlySet<KernelSegment>;
  /** Integer synapses that would need a value in both orders. */
  readonly conflicts: readonly IntegerSegment[];
}

/** The name of a value in channels-last order where that isn't how it is made. */
export const lastName = (id: string): string => `${id}::last`;

/** Whether both orders are the same memory, or there are no channels. */
export function isNeutral(shape: readonly Dim[]): boolean {
  const [, channels, height, width] = shape;
  return shape.length !== 4 || !isBatch(shape[0]!) || channels === 1 || (height === 1 && width === 1);
}

/** What the choice of orders looks at. */
export interface LayoutScope {
  readonly segments: readonly Segment[];
  /** Roots of the program's outputs. */
  readonly returned: ReadonlySet<string>;
  readonly rootOf: (id: string) => string;
  readonly infoOf: (id: string) => ValueInfo;
  readonly isConstant: (id: string) => boolean;
}

/** Starts from channels last everywhere and takes it back until nothing contradicts. */
export function chooseLayouts(scope: LayoutScope): Layouts {
  const { segments, rootOf, infoOf } = scope;
  const producers = new Map<string, Segment>();
  for (const segment of segments) for (const id of segment.outputs) producers.set(id, segment);
  const readers = new Map<string, { readonly segment: Segment; readonly id: string }[]>();
  for (const segment of segments) {
    for (const id of segment.inputs) readers.set(rootOf(id), [...(readers.get(rootOf(id)) ?? []), { segment, id }]);
  }
  const kernels = segments.filter((segment) => segment.kind === 'kernel');
  const last = new Set(kernels.filter((kernel) => !isNeutral(kernelShape(kernel))));
  const isLast = (segment: Segment): boolean =>
    segment.kind === 'kernel' ? last.has(segment) : segment.kind !== 'loop';
  const fits = (kernel: KernelSegment): boolean => {
    const sources = kernel.region.sources.every(({ id, batched }) => {
      if (!batched) return scope.isConstant(id);
      const producer = producers.get(id);
      return producer !== undefined && isLast(producer);
    });
    return (
      sources &&
      kernel.outputs.every(
        (id) =>
          !scope.returned.has(id) &&
          (readers.get(id) ?? []).every(
            ({ segment, id: read }) =>
              isLast(segment) && (segment.kind !== 'kernel' || read === id) && readsFlat(segment),
          ),
      )
    );
  };
  const touchesBytes = (kernel: KernelSegment): boolean =>
    kernel.inputs.some((id) => producers.get(id)?.kind === 'integer') ||
    kernel.outputs.some((id) => (readers.get(id) ?? []).some(({ segment }) => segment.kind === 'integer'));
  for (let changed = true; changed;) {
    changed = false;
    for (const kernel of last) {
      if (fits(kernel) && touchesBytes(kernel)) continue;
      last.delete(kernel);
      changed = true;
    }
  }
  const conflicts = segments.filter((segment): segment is IntegerSegment => {
    if (segment.kind !== 'integer') return false;
    const [input, output] = [segment.inputs[0]!, segment.outputs[0]!];
    const producer = producers.get(rootOf(input));
    const madeLast =
      isNeutral(infoOf(input).shape) || (producer?.kind === 'kernel' && rootOf(input) === input && last.has(producer));
    return (
      !madeLast || (!isNeutral(infoOf(output).shape) && (readers.get(output) ?? []).some((r) => !isLast(r.segment)))
    );
  });
  return { channelsLast: last, conflicts };
}

/** A dot product takes either order, if it knows the image that its rows are. */
function readsFlat(segment: Segment): boolean {
  return segment.kind !== 'dot' || segment.dot.image !== undefined;
}

function kernelShape({ region }: KernelSegment): readonly Dim[] {
  const { batched, inner } = region.space;
  return batched ? [{ batch: 1 }, ...inner] : inner;
}

/** [N,C,H,W] → [N,H,W,C]. */
export function lastShape([batch, channels, height, width]: readonly Dim[]): Dim[] {
  return [batch!, height!, width!, channels!];
}

/** A constant that broadcasts to [C,H,W], for [H,W,C]. */
export function lastConstant({ dtype, shape, data }: Tensor): Tensor {
  const wide = [...new Array<number>(4).fill(1), ...shape].slice(-3) as [number, number, number];
  const strides = stridesOf(wide) as [number, number, number];
  const [c, h, w] = wide;
  return wrap(dtype, [h, w, c], gather(dtype, data, [h, w, c], [strides[1], strides[2], strides[0]]));
}

/** A kernel's loops and operands in channels-last order. `inLast` names a value made in the other order. */
export function toChannelsLast(
  kernel: KernelSegment,
  inLast: (id: string) => string,
  addConstant: (id: string) => void,
): KernelSegment {
  const { region } = kernel;
  const [c, h, w] = region.space.inner as [number, number, number];
  const sources = region.sources.map((source) => {
    if (source.batched) return { ...source, id: inLast(source.id) };
    addConstant(source.id);
    const wide: Dim[] = [1, 1, 1, ...source.shape].slice(-3);
    return { ...source, id: lastName(source.id), shape: [wide[1]!, wide[2]!, wide[0]!] };
  });
  return {
    ...kernel,
    inputs: kernel.inputs.map(inLast),
    region: { ...region, space: { batched: true, inner: [h, w, c] }, sources },
  };
}

/**
 * Puts transposes into a session's program: where it reads values that lie channels last, and
 * where `wanted` asks for its results so (`plain`: in the program's order as well).
 */
export function withTransposes(
  session: SessionSegment,
  rootOf: (id: string) => string,
  infoOf: (id: string) => ValueInfo,
  isLast: (root: string) => boolean,
  wanted: (id: string) => { readonly last: boolean; readonly plain: boolean },
): SessionSegment {
  const { program } = session;
  const before: TensorOp[] = [];
  const inputs = new Map<string, Program['inputs'][number]>();
  for (const input of program.inputs) {
    const root = rootOf(input.id);
    if (!isLast(root)) {
      inputs.set(input.id, input);
      continue;
    }
    const { dtype, shape } = infoOf(root);
    if (!inputs.has(lastName(root))) {
      inputs.set(lastName(root), { id: lastName(root), dtype, shape: lastShape(shape) });
      const perm = [0, 3, 1, 2];
      before.push({ id: root, kind: 'transpose', inputs: [lastName(root)], attrs: { perm }, dtype, shape });
    }
    if (root === input.id) continue;
    const attrs = { shape: input.shape };
    before.push({ id: input.id, kind: 'reshape', inputs: [root], attrs, dtype, shape: input.shape });
  }
  const after: TensorOp[] = [];
  const outputs: string[] = [];
  for (const id of session.outputs) {
    const { last, plain } = wanted(id);
    if (plain) outputs.push(id);
    if (!last) continue;
    outputs.push(lastName(id));
    const { dtype, shape } = infoOf(id);
    const attrs = { perm: [0, 2, 3, 1] };
    after.push({ id: lastName(id), kind: 'transpose', inputs: [id], attrs, dtype, shape: lastShape(shape) });
  }
  return {
    kind: 'session',
    inputs: [...inputs.keys()],
    outputs,
    program: {
      ...program,
      inputs: [...inputs.values()],
      ops: [...before, ...program.ops, ...after],
      outputs: Object.fromEntries(outputs.map((id) => [id, id])),
    },
  };
}

/** Reorders what is kept channels last, and turns values where the two orders meet. */
export function laidOut(
  scope: Scope,
  segments: readonly Segment[],
  channelsLast: ReadonlySet<KernelSegment>,
): Partition {
  const aliases = new Map(scope.aliases);
  const constants = new Map(scope.constants);
  const named = new Map<string, ValueInfo>();
  const infoOf = (id: string) => named.get(id) ?? scope.infoOf(id);
  const madeLast = new Set<string>();
  const readLast = new Set<string>();
  const readPlain = new Set(Object.values(scope.program.outputs).map((id) => rootOf(aliases, id)));
  for (const segment of segments) {
    const last = segment.kind === 'integer' || (segment.kind === 'kernel' && channelsLast.has(segment));
    if (last) for (const id of segment.outputs) if (!isNeutral(infoOf(id).shape)) madeLast.add(id);
    for (const id of segment.inputs) (last ? readLast : readPlain).add(rootOf(aliases, id));
  }
  const declareLast = (id: string) => {
    const { dtype, shape } = scope.infoOf(id);
    named.set(lastName(id), { dtype, shape: lastShape(shape) });
  };
  for (const id of madeLast) {
    aliases.set(lastName(id), id);
    declareLast(id);
  }
  const result = segments.map((segment): Segment => {
    if (segment.kind === 'integer' || segment.kind === 'loop') return segment;
    if (segment.kind === 'dot') {
      const isLast = madeLast.has(rootOf(scope.aliases, segment.inputs[0]));
      return isLast ? { ...segment, dot: dotChannelsLast(segment.dot) } : segment;
    }
    if (segment.kind === 'kernel') {
      if (!channelsLast.has(segment)) return segment;
      return toChannelsLast(
        segment,
        (id) => (madeLast.has(id) ? id : lastName(id)),
        (id) => constants.set(lastName(id), lastConstant(scope.constants.get(id)!)),
      );
    }
    for (const id of segment.outputs) if (readLast.has(id) && !isNeutral(infoOf(id).shape)) declareLast(id);
    return withTransposes(
      segment,
      (id) => rootOf(scope.aliases, id),
      scope.infoOf,
      (id) => madeLast.has(id),
      (id) => ({
        last: named.has(lastName(id)),
        plain: readPlain.has(id) || !named.has(lastName(id)),
      }),
    );
  });
  return { segments: result, aliases, constants, infoOf };
}
