import { type Backend, type Info, type LoopMaker, type Tf, addressOf, replace, withBytes } from './backend.js';
import { type ElementwiseOp, type LoopValue, elementwiseLoop } from './elementwise.js';

/** An operand: an earlier operation, what lies in memory (whole, or as rows' numbers), or a number. */
type Operand =
  | { readonly kind: 'pending'; readonly of: Pending }
  | { readonly kind: 'array' | 'row'; readonly dataId: object }
  | { readonly kind: 'number'; readonly value: number };

/** An operation that hasn't run yet. */
interface Pending {
  readonly op: ElementwiseOp;
  readonly operands: readonly Operand[];
  /** Whose values these become; nobody's where it is only a part of an operation. */
  readonly dataId: object;
  readonly shape: readonly number[];
  readonly group: Group;
  /** How many tensors share the values. */
  uses: number;
}

/** Operations on arrays of one length, in order, that run in one loop. */
interface Group {
  readonly length: number;
  period: number | undefined;
  readonly nodes: Pending[];
}

/** The parts of the backend that see to tensors' memory. */
interface Storage extends Backend {
  dataIdNextNumber: number;
  readonly dataIdMap: {
    get(id: object): { readonly memoryOffset: number; refCount: number };
  };
  move(id: object, values: null, shape: readonly number[], dtype: 'float32', uses: number): void;
  refCount(id: object): number;
  incRef(id: object): void;
  disposeData(id: object, force?: boolean): boolean;
}

/** Smaller arrays aren't worth a loop of their own; longer loops wouldn't be compiled as fast as they run. */
const [shortest, mostNodes] = [4096, 64];

/**
 * Lets element-wise operations wait until somebody asks for values, and then runs all that wait in one pass over memory: what is
 * disposed of by then is never written. The numbers are those of the backend's own kernels, each operation rounded by itself.
 * Tensors that are waited for stay in memory as long as somebody waits.
 */
export function waitWithElementwise(tf: Tf, loopFor: LoopMaker): void {
  const backend = tf.backend() as unknown as Storage;
  const groups = new Map<number, Group>();
  const waiting = new Map<object, Pending>();
  /** How often arrays in memory are waited for, and which of them their owners have disposed of. */
  const held = new Map<object, number>();
  const disposed = new Set<object>();
  const own = {
    get: backend.dataIdMap.get.bind(backend.dataIdMap),
    refCount: backend.refCount.bind(backend),
    incRef: backend.incRef.bind(backend),
    disposeData: backend.disposeData.bind(backend),
  };

  const release = ({ nodes }: Group): void => {
    for (const operand of nodes.flatMap(({ operands }) => operands)) {
      if (operand.kind !== 'array' && operand.kind !== 'row') continue;
      const left = held.get(operand.dataId)! - 1;
      if (left > 0) held.set(operand.dataId, left);
      else {
        held.delete(operand.dataId);
        if (disposed.delete(operand.dataId)) own.disposeData(operand.dataId, true);
      }
    }
  };

  const run = (group: Group): void => {
    groups.delete(group.length);
    for (const { dataId } of group.nodes) waiting.delete(dataId);
    const needed = new Set<Pending>();
    for (const node of group.nodes.toReversed()) {
      if (node.uses === 0 && !needed.has(node)) continue;
      needed.add(node);
      for (const operand of node.operands) if (operand.kind === 'pending') needed.add(operand.of);
    }
    const values: LoopValue[] = [];
    const stores: { value: number; slot: number }[] = [];
    const table: ((address: number) => void)[] = [];
    const slots = new Map<unknown, number>();
    const places = new Map<Pending, number>();
    const input = (kind: 'array' | 'row' | 'number', key: unknown, write: (at: number) => void): number => {
      const known = slots.get(key);
      if (known !== undefined) return known;
      values.push({ kind, slot: table.length });
      table.push(write);
      slots.set(key, values.length - 1);
      return values.length - 1;
    };
    const placeOf = (operand: Operand): number => {
      if (operand.kind === 'pending') return places.get(operand.of)!;
      if (operand.kind === 'number') {
        const { value } = operand;
        const key = Object.is(value, -0) ? '-0' : value;
        return input('number', key, (at) => (new Float32Array(backend.wasm.HEAPU8.buffer, at, 1)[0] = value));
      }
      const address = own.get(operand.dataId).memoryOffset;
      return input(operand.kind, operand.dataId, (at) => {
        new Uint32Array(backend.wasm.HEAPU8.buffer, at, 1)[0] = address;
      });
    };
    for (const node of group.nodes) {
      if (!needed.has(node)) continue;
      const operands = node.operands.map(placeOf);
      places.set(node, values.length);
      values.push({ kind: node.op, operands });
      if (node.uses === 0) continue;
      backend.move(node.dataId, null, node.shape, 'float32', node.uses);
      const address = own.get(node.dataId).memoryOffset;
      stores.push({ value: values.length - 1, slot: table.length });
      table.push((at) => (new Uint32Array(backend.wasm.HEAPU8.buffer, at, 1)[0] = address));
    }
    if (stores.length > 0) {
      const loop = { values, stores, length: group.length, period: group.period ?? group.length };
      const made = loopFor('elementwise', loop, () => elementwiseLoop(loop));
      withBytes(backend, 4 * table.length, (address) => {
        table.forEach((write, slot) => write(address + 4 * slot));
        made(address, 0, 0);
      });
    }
    release(group);
  };

  const drop = (node: Pending): void => {
    waiting.delete(node.dataId);
    const { group } = node;
    if (group.nodes.some(({ uses }) => uses > 0)) return;
    groups.delete(group.length);
    for (const { dataId } of group.nodes) waiting.delete(dataId);
    release(group);
  };

  Object.assign(backend.dataIdMap, {
    get: (id: object) => {
      const node = waiting.get(id);
      if (node !== undefined) run(node.group);
      return own.get(id);
    },
  });
  Object.assign(backend, {
    refCount: (id: object) => waiting.get(id)?.uses ?? own.refCount(id),
    incRef: (id: object) => {
      const node = waiting.get(id);
      if (node === undefined) own.incRef(id);
      else node.uses++;
    },
    disposeData: (id: object, force = false) => {
      const node = waiting.get(id);
      if (node !== undefined) {
        node.uses = force ? 0 : node.uses - 1;
        if (node.uses === 0) drop(node);
        return node.uses === 0;
      }
      if (!held.has(id)) return own.disposeData(id, force);
      const data = own.get(id);
      data.refCount = force ? 0 : data.refCount - 1;
      if (data.refCount > 0) return false;
      disposed.add(id);
      return true;
    },
  });

  // A kernel may look at an operand's memory before it asks for the next operand, whose loop may move the memory.
  for (const kernel of tf.getKernelsForBackend('wasm')) {
    if (kernel.kernelName === 'Reshape' || kernel.kernelName === 'Identity') continue;
    tf.unregisterKernel(kernel.kernelName, 'wasm');
    const kernelFunc: typeof kernel.kernelFunc = (call) => {
      for (const input of Object.values(call.inputs).flat()) {
        const node = input === undefined ? undefined : waiting.get(input.dataId);
        if (node !== undefined) run(node.group);
      }
      return kernel.kernelFunc(call);
    };
    tf.registerKernel({ ...kernel, kernelFunc });
  }

  /** One operand for a result of `shape`; `undefined` where it is spread otherwise than over rows or all. */
  const operandOf = (x: Info | number, shape: readonly number[], group: Group): Operand | undefined => {
    if (typeof x === 'number') return { kind: 'number', value: x };
    const size = sizeOf(x.shape);
    if (size === 1) {
      const address = addressOf(backend, x);
      return { kind: 'number', value: new Float32Array(backend.wasm.HEAPU8.buffer, address, 1)[0]! };
    }
    if (size === group.length) {
      const of = waiting.get(x.dataId);
      return of === undefined ? { kind: 'array', dataId: x.dataId } : { kind: 'pending', of };
    }
    const period = shape.at(-1)!;
    if (size !== period || x.shape.at(-1) !== period || period % 4 !== 0) return undefined;
    if ((group.period ?? period) !== period) return undefined;
    addressOf(backend, x);
    return { kind: 'row', dataId: x.dataId };
  };

  const waitWith = (
    shape: readonly number[],
    op: ElementwiseOp,
    inputs: readonly (Info | number)[],
    uses = 1,
  ): Info | undefined => {
    const length = sizeOf(shape);
    if (length < shortest || length % 4 !== 0) return undefined;
    let group = groups.get(length);
    // a part of an operation doesn't part from the rest
    if (group !== undefined && group.nodes.length + (uses === 0 ? 1 : 0) >= mostNodes) {
      run(group);
      group = undefined;
    }
    group ??= { length, period: undefined, nodes: [] };
    const operands = inputs.map((x) => operandOf(x, shape, group));
    if (!operands.every((operand) => operand !== undefined)) return undefined;
    for (const operand of operands) {
      if (operand.kind === 'row') group.period = shape.at(-1)!;
      if (operand.kind === 'array' || operand.kind === 'row') {
        held.set(operand.dataId, (held.get(operand.dataId) ?? 0) + 1);
      }
    }
    const dataId = { id: backend.dataIdNextNumber++ };
    const node: Pending = { op, operands, dataId, shape, group, uses };
    group.nodes.push(node);
    groups.set(length, group);
    waiting.set(dataId, node);
    return { dataId, shape: [...shape], dtype: 'float32' };
  };

  const binary = { Add: 'add', Sub: 'sub', Multiply: 'mul', RealDiv: 'div' } as const;
  for (const [name, op] of Object.entries(binary)) {
    replace(tf, name, ({ inputs }) => {
      const [a, b] = [inputs['a']!, inputs['b']!];
      return waitWith(tf.backend_util.assertAndGetBroadcastShape([...a.shape], [...b.shape]), op, [a, b]);
    });
  }
  const unary = { Abs: 'abs', Neg: 'neg', Sqrt: 'sqrt' } as const;
  for (const [name, op] of Object.entries(unary)) {
    replace(tf, name, ({ inputs }) => waitWith(inputs['x']!.shape, op, [inputs['x']!]));
  }
  replace(tf, 'Step', ({ inputs, attrs }) => {
    return attrs['alpha'] === 0 ? waitWith(inputs['x']!.shape, 'step', [inputs['x']!]) : undefined;
  });
  replace(tf, 'ClipByValue', ({ inputs, attrs }) => {
    const [x, low, high] = [inputs['x']!, attrs['clipValueMin'] as number, attrs['clipValueMax'] as number];
    if (low === -Infinity) return waitWith(x.shape, 'min', [x, high]);
    if (high === Infinity) return waitWith(x.shape, 'max', [x, low]);
    // a part that is nobody's: it stays as long as what is made of it
    const raised = waitWith(x.shape, 'max', [x, low], 0);
    return raised === undefined ? undefined : waitWith(x.shape, 'min', [raised, high]);
  });
}

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}
