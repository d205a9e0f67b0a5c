import { type CProgram, type CTarget, emitC } from '../../backends/c-program/index.js';
import { type Tensor, elementCount } from '../../base/dtype.js';
import { type Program, type TensorOp, type ValueInfo, isBatch } from '../../tensor/index.js';
import { broadcastData } from '../../tensor/arrays.js';
import { findIntegerSynapses } from '../bytes/synapses.js';
import { findDotProducts } from '../fused/dots.js';
import { prepare } from '../fused/stages.js';

/** A program without states as C: what depends on constants alone is computed now, products of small integers in bytes. */
export function emitInference(program: Program, target: CTarget): CProgram {
  const { ops, constants } = prepare(program);
  const known = new Map(constants);
  const summed = withSums({ ...program, ops }, known);
  const { program: laidOut, channelsLast } = withChannelsLast(summed, known, target.lanes);
  const used = new Set([...laidOut.ops.flatMap(({ inputs }) => inputs), ...Object.values(program.outputs)]);
  const values = [...known].filter(([id]) => used.has(id));
  const given = new Set(program.params.map(({ id }) => id));
  const isNumber = ([id, { shape }]: readonly [string, Tensor]): boolean =>
    !given.has(id) && !channelsLast.has(id) && elementCount(shape) === 1;
  const folded: Program = {
    ...program,
    params: values
      .filter((value) => !isNumber(value))
      .map(([id, data]) => ({ id, dtype: data.dtype, shape: data.shape, data })),
    ops: [
      ...values.filter(isNumber).map(([id, value]): TensorOp => {
        const { dtype, shape } = value;
        return { id, kind: 'const', inputs: [], attrs: { value }, dtype, shape };
      }),
      ...laidOut.ops,
    ],
  };
  const chosen = findIntegerSynapses(folded, known, true);
  return emitC(folded, target, { bytes: new Map([...chosen].map(([id, { zero }]) => [id, zero])), channelsLast });
}

/** Weighted counts of an image, which are products with few columns, as sums: they are taken where the image is made. */
function withSums(program: Program, constants: Map<string, Tensor>): Program {
  const dots = findDotProducts(program, constants);
  const makers = new Map(program.ops.map((op) => [op.id, op]));
  const ops = program.ops.flatMap((op): readonly TensorOp[] => {
    const dot = dots.get(op.id);
    const flat = makers.get(op.inputs[0]!);
    if (dot?.image === undefined || flat?.kind !== 'reshape') return [op];
    const [image] = flat.inputs as [string];
    const { shape } = makers.get(image) ?? program.inputs.find(({ id }) => id === image)!;
    const [outputs, length] = dot.weights.shape as [number, number];
    const [batch] = op.shape;
    const made: TensorOp[] = [];
    const add = (what: Omit<TensorOp, 'dtype'>): string => {
      made.push({ ...what, dtype: 'f32' });
      return what.id;
    };
    const columns = Array.from({ length: outputs }, (_, o) => {
      const data = dot.weights.data.slice(o * length, (o + 1) * length);
      const id = `${op.id}::${o}`;
      const weight = `${id}.weight`;
      const plain = data.every((w) => w === 1);
      if (!plain) constants.set(weight, { dtype: 'f32', shape: [1, ...dot.image!], data });
      const weighted = plain ? image : add({ id: `${id}.mul`, kind: 'mul', inputs: [image, weight], attrs: {}, shape });
      const attrs = { axes: [1, 2, 3], keepdims: false };
      const sum = add({ id: `${id}.sum`, kind: 'sum', inputs: [weighted], attrs, shape: [batch!] });
      const column = [batch!, 1];
      return add({ id, kind: 'reshape', inputs: [sum], attrs: { shape: column }, shape: column });
    });
    add({ id: op.id, kind: 'concat', inputs: columns, attrs: { axis: 1 }, shape: op.shape });
    return made;
  });
  const live = new Set([...ops.flatMap(({ inputs }) => inputs), ...Object.values(program.outputs)]);
  return { ...program, ops: ops.filter(({ id }) => live.has(id)) };
}

const elementwise = new Set(['add', 'sub', 'mul', 'div', 'min', 'max', 'eq', 'ne', 'lt', 'le', 'gt', 'ge', 'select']);

/** Constants as large as images lie as these do; those of a channel too, where channels don't fill vectors. */
function withChannelsLast(program: Program, constants: Map<string, Tensor>, lanes: number) {
  const channelsLast = new Set<string>();
  const turned = (id: string, { shape: to }: ValueInfo): string => {
    const value = constants.get(id);
    const [batch, ...image] = to;
    if (value === undefined || to.length !== 4 || !isBatch(batch!) || elementCount(value.shape) === 1) return id;
    const own = value.shape.length === 4 ? value.shape.slice(1) : value.shape;
    const [channels, height, width] = image as [number, number, number];
    if (own.length !== 3 || height * width === 1 || channels === 1 || own[0] !== channels) return id;
    if (own[1] === 1 && own[2] === 1 && channels % lanes === 0) return id;
    const name = `${id}::${channels}x${height}x${width}`;
    if (!channelsLast.has(name)) {
      const full = broadcastData({ ...value, shape: own } as Tensor, [channels, height, width]);
      const data = full.slice();
      const area = height * width;
      for (let c = 0; c < channels; c++) for (let p = 0; p < area; p++) data[p * channels + c] = full[c * area + p]!;
      constants.set(name, { dtype: value.dtype, shape: [1, channels, height, width], data } as Tensor);
      channelsLast.add(name);
    }
    return name;
  };
  const ops = program.ops.map((op) =>
    elementwise.has(op.kind) ? { ...op, inputs: op.inputs.map((id) => turned(id, op)) } : op,
  );
  return { program: { ...program, ops }, channelsLast };
}
