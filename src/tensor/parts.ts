import { byteWidth } from '../base/dtype.js';
import { slicedTensor } from '../base/lazy-tensor.js';
import { bytesOf } from './peak.js';
import { type Program, type ProgramParam, type TensorOp, type ValueInfo, attrsOf } from './types.js';

/** A piece of a program that can be run by itself, given what the pieces before it made. */
export interface ProgramPart {
  /** Inputs are the whole program's and values of earlier parts, under their ids. */
  readonly program: Program;
  /** Output of the part → id of the value, for those that later parts read. */
  readonly kept: Readonly<Record<string, string>>;
  /** Ids of values of earlier parts that no later part reads. */
  readonly last: readonly string[];
}

/**
 * A program in consecutive parts with params of about `mostBytes` each, so that they need not be in memory at once. Parts
 * end where few values are alive; a matrix of params that is larger by itself is multiplied with in blocks of its rows. All
 * parts' outputs together are the program's.
 */
export function programParts(whole: Program, mostBytes: number): readonly ProgramPart[] {
  const program = withoutWideMatrices(whole, mostBytes);
  const types = new Map<string, ValueInfo>();
  for (const value of [...program.inputs, ...program.params, ...program.ops]) types.set(value.id, value);
  const ends = endsOf(program, mostBytes, types);
  const partOf = new Map<string, number>();
  ends.forEach((end, part) => {
    for (let i = ends[part - 1] ?? 0; i < end; i++) partOf.set(program.ops[i]!.id, part);
  });
  const lastRead = new Map<string, number>();
  for (const op of program.ops) {
    for (const id of op.inputs) lastRead.set(id, Math.max(lastRead.get(id) ?? 0, partOf.get(op.id)!));
  }
  const params = new Map(program.params.map((param) => [param.id, param]));
  // what no op makes is given out at the end
  const partOfOutput = (id: string): number => partOf.get(id) ?? ends.length - 1;
  return ends.map((end, part): ProgramPart => {
    const ops = program.ops.slice(ends[part - 1] ?? 0, end);
    const own = Object.entries(program.outputs).filter(([, id]) => partOfOutput(id) === part);
    const read = new Set([...ops.flatMap(({ inputs }) => inputs), ...own.map(([, id]) => id)]);
    const given = [...read].filter((id) => !params.has(id) && partOf.get(id) !== part);
    const kept = Object.fromEntries(
      ops.flatMap(({ id }) => ((lastRead.get(id) ?? part) > part ? [[`kept ${id}`, id] as const] : [])),
    );
    return {
      program: {
        name: `${program.name}, part ${part + 1}`,
        inputs: given.map((id) => ({ id, dtype: types.get(id)!.dtype, shape: types.get(id)!.shape })),
        params: [...read].flatMap((id) => params.get(id) ?? []),
        ops,
        outputs: { ...Object.fromEntries(own), ...kept },
      },
      kept,
      last: given.filter((id) => partOf.has(id) && lastRead.get(id) === part),
    };
  });
}

/** Where parts end: each with as many params as fit, or from half as many on where fewest bytes are alive. */
function endsOf(program: Program, mostBytes: number, types: ReadonlyMap<string, ValueInfo>): readonly number[] {
  const alive = bytesAlive(program, types);
  const weights = new Map(program.params.map((param) => [param.id, bytesOf(param, 1)]));
  const ends: number[] = [];
  let held = 0;
  let best: number | undefined;
  let seen = new Set<string>();
  for (let i = 0; i < program.ops.length; i++) {
    const fresh = [...new Set(program.ops[i]!.inputs)].filter((id) => weights.has(id) && !seen.has(id));
    const more = fresh.reduce((sum, id) => sum + weights.get(id)!, 0);
    if (held + more > mostBytes && best !== undefined) {
      ends.push(best);
      i = best - 1;
      [held, best, seen] = [0, undefined, new Set()];
      continue;
    }
    held += more;
    for (const id of fresh) seen.add(id);
    const fits = held >= mostBytes / 2 && Number.isFinite(alive[i]!);
    if (fits && (best === undefined || alive[i]! <= alive[best - 1]!)) best = i + 1;
  }
  return ends.at(-1) === program.ops.length ? ends : [...ends, program.ops.length];
}

/** Bytes that are needed behind each op for a batch of one; infinite between a loop and what is read of its results. */
function bytesAlive(program: Program, types: ReadonlyMap<string, ValueInfo>): readonly number[] {
  const last = new Map<string, number>();
  program.ops.forEach((op, i) => {
    for (const id of op.inputs) last.set(id, i);
  });
  const gone = new Map<number, string[]>();
  for (const [id, at] of last) gone.set(at, [...(gone.get(at) ?? []), id]);
  const made = new Set(program.ops.map(({ id }) => id));
  const size = (id: string): number => (types.get(id)!.parts === undefined ? bytesOf(types.get(id)!, 1) : Infinity);
  const alive = new Set<string>();
  let bytes = 0;
  let tuples = 0;
  const count = (id: string, sign: 1 | -1): void => {
    const own = size(id);
    if (own === Infinity) tuples += sign;
    else bytes += sign * own;
  };
  return program.ops.map(({ id }, i) => {
    if (last.has(id)) {
      alive.add(id);
      count(id, 1);
    }
    for (const done of gone.get(i) ?? []) {
      if (made.has(done) && alive.delete(done)) count(done, -1);
    }
    return tuples > 0 ? Infinity : bytes;
  });
}

/** Products with matrices of params of more than so many bytes, in blocks of rows: what they give is joined again. */
function withoutWideMatrices(program: Program, mostBytes: number): Program {
  const wide = new Map(
    program.params.filter((param) => param.shape.length === 2 && bytesOf(param, 1) > mostBytes).map((p) => [p.id, p]),
  );
  if (wide.size === 0) return program;
  const cut = new Map<string, readonly ProgramParam[]>();
  const isCut = (op: TensorOp): boolean =>
    op.kind === 'matmul' && attrsOf(op, 'matmul').transB && wide.has(op.inputs[1]!) && op.inputs[0] !== op.inputs[1];
  for (const op of program.ops) if (isCut(op)) cut.set(op.inputs[1]!, blocksOf(wide.get(op.inputs[1]!)!, mostBytes));
  const readElsewhere = (id: string): boolean =>
    program.ops.some((op) => op.inputs.includes(id) && !isCut(op)) || Object.values(program.outputs).includes(id);
  return {
    ...program,
    params: program.params.flatMap((param) => {
      const blocks = cut.get(param.id);
      if (blocks === undefined) return [param];
      return readElsewhere(param.id) ? [param, ...blocks] : blocks;
    }),
    ops: program.ops.flatMap((op): readonly TensorOp[] => {
      const blocks = isCut(op) ? cut.get(op.inputs[1]!)! : undefined;
      if (blocks === undefined) return [op];
      const [x] = op.inputs as [string];
      const products = blocks.map((block, i): TensorOp => {
        const shape = [...op.shape.slice(0, -1), block.shape[0]!];
        return { ...op, id: `${op.id}, block ${i}`, inputs: [x, block.id], shape };
      });
      const inputs = products.map(({ id }) => id);
      return [...products, { ...op, kind: 'concat', inputs, attrs: { axis: op.shape.length - 1 } }];
    }),
  };
}

function blocksOf({ id, dtype, shape, data }: ProgramParam, mostBytes: number): readonly ProgramParam[] {
  const [rows, columns] = shape as readonly [number, number];
  const each = Math.max(1, Math.floor(mostBytes / (columns * byteWidth[dtype])));
  return Array.from({ length: Math.ceil(rows / each) }, (_, i) => {
    const [from, to] = [i * each, Math.min(rows, (i + 1) * each)];
    const part = slicedTensor(data, [from * columns, to * columns], [to - from, columns]);
    return { id: `${id}, rows ${from}`, dtype, shape: part.shape, data: part };
  });
}
