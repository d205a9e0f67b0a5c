import {
  type Network,
  type Op,
  consumersOf,
  functions,
  isFunctionName,
  numbers,
  inOrder,
  opsById,
  optionalParam,
  paramOf,
  realValues,
  roleOf,
  sameShape,
} from '../../../network/index.js';
import { type Staircase, codeOf, samples, staircaseOf, staircaseOfCodes } from './staircase.js';

/** Ops behind one value that give a quantiser a function of that value, element by element. */
export interface Region {
  /** What the function is of. */
  readonly root: Op;
  /** The ops between, in the network's order. */
  readonly ops: readonly Op[];
}

/** An affine op's scale and shift, where each is one number. */
function scalarAffine(network: Network, op: Op): { scale: number; shift: number } | undefined {
  const shift = optionalParam(network, op, 'shift');
  const scale = realValues(paramOf(network, op, 'scale'));
  const shifts = shift === undefined ? [0] : realValues(shift);
  return scale.length === 1 && shifts.length === 1 ? { scale: scale[0]!, shift: shifts[0]! } : undefined;
}

/** What an op does to single numbers; undefined where it isn't a function of each element by itself. */
function onNumbers(network: Network, op: Op): ((...x: readonly number[]) => number) | undefined {
  switch (op.kind) {
    case 'function': {
      const { name } = op.attrs;
      return isFunctionName(name) ? (x) => functions[name].of(numbers, x!, op.attrs) : undefined;
    }
    case 'sigmoid':
      return (x) => numbers.sigmoid(x!);
    case 'relu':
      return (x) => Math.max(x!, 0);
    case 'clip': {
      const { min, max } = op.attrs;
      return (x) => Math.min(Math.max(x!, min), max);
    }
    case 'identity':
    case 'dropout':
      return (x) => x!;
    case 'quantize': {
      const { zero, scale } = op.attrs;
      return (x) => (codeOf(x!, op.attrs) - zero) * scale;
    }
    case 'affine': {
      const affine = scalarAffine(network, op);
      return affine === undefined ? undefined : (x) => x! * affine.scale + affine.shift;
    }
    case 'add':
      return (a, b) => a! + b!;
    case 'mul':
      return (a, b) => a! * b!;
    default:
      return undefined;
  }
}

/** So many quantisers inside of a region are tried as its beginning. */
const mostCuts = 4;

/** Finds the regions of a network's quantisers. */
export class Regions {
  readonly #byId: ReadonlyMap<string, Op>;
  readonly #consumers: ReadonlyMap<string, readonly Op[]>;

  constructor(readonly network: Network) {
    this.#byId = opsById(network);
    this.#consumers = consumersOf(network);
  }

  /**
   * The region in front of a quantiser, if what it quantises is a function of one value and not only of its bounds. An
   * inner quantiser is part of it where nothing else reads it; else the function is of its codes.
   */
  before(quantize: Op): Region | undefined {
    const boundaries = new Set<string>();
    for (;;) {
      const { leaves, inner } = this.#walk(quantize, boundaries);
      const read = [...inner].filter(
        (id) => this.#byId.get(id)!.kind === 'quantize' && this.#isReadOutside(id, inner, quantize),
      );
      if (read.length > 0) {
        for (const id of read) boundaries.add(id);
        continue;
      }
      if (leaves.size !== 1) {
        const cut = this.#cut(quantize, inner, boundaries);
        if (cut === undefined) return undefined;
        boundaries.add(cut);
        continue;
      }
      const ops = inOrder(
        this.network,
        [...inner].map((id) => this.#byId.get(id)!),
      );
      const curved = ops.some((op) => roleOf(op) === 'function' || roleOf(op) === 'product');
      const root = this.#byId.get([...leaves][0]!)!;
      return curved && root.kind !== 'input' ? { root, ops } : undefined;
    }
  }

  /** A quantiser near the end whose codes all of it is a function of, where it isn't one of a single value before it: Q(sigmoid(Q(a + b))). */
  #cut(quantize: Op, inner: ReadonlySet<string>, boundaries: ReadonlySet<string>): string | undefined {
    const inside = [...inner].map((id) => this.#byId.get(id)!).filter(({ kind }) => kind === 'quantize');
    const nearest = inOrder(this.network, inside).toReversed().slice(0, mostCuts);
    return nearest.find(({ id }) => this.#walk(quantize, new Set([...boundaries, id])).leaves.size === 1)?.id;
  }

  #walk(quantize: Op, boundaries: ReadonlySet<string>): { leaves: Set<string>; inner: Set<string> } {
    const leaves = new Set<string>();
    const inner = new Set<string>();
    const pending = [...quantize.inputs];
    for (let id = pending.pop(); id !== undefined; id = pending.pop()) {
      if (inner.has(id) || leaves.has(id)) continue;
      const op = this.#byId.get(id)!;
      if (boundaries.has(id) || !this.#isPointwise(op)) leaves.add(id);
      else {
        inner.add(id);
        pending.push(...op.inputs);
      }
    }
    return { leaves, inner };
  }

  #isReadOutside(id: string, inner: ReadonlySet<string>, quantize: Op): boolean {
    if (this.network.outputs.includes(id)) return true;
    return this.#consumers.get(id)!.some((reader) => reader.id !== quantize.id && !inner.has(reader.id));
  }

  #isPointwise(op: Op): boolean {
    const alike = op.inputs.every((id) => sameShape(this.#byId.get(id)!.type.shape, op.type.shape));
    return op.inputs.length > 0 && alike && onNumbers(this.network, op) !== undefined;
  }
}

/**
 * The steps of what a quantiser gives, as a function of the region's root: of its real value; where the root has codes,
 * of the codes less their zero point.
 */
export function stepsOf(network: Network, { root, ops }: Region, quantize: Op<'quantize'>): Staircase {
  const [before] = quantize.inputs as [string];
  const evaluate = evaluatorOf(network, root, ops);
  const quantiser = quantize.attrs;
  const { code } = root.type;
  if (code.kind === 'quant') {
    const level = (centred: number): number => codeOf(evaluate(centred * code.scale, before), quantiser);
    return staircaseOfCodes(code.min - code.zero, code.max - code.zero, level);
  }
  const around = turningPlaces(network, root, ops);
  const jumps = new Set<number>();
  const curveTo = (id: string) => ({
    value: (x: number) => evaluate(x, id),
    jumps: [...jumps].sort((a, b) => a - b),
    around,
  });
  for (const op of ops) {
    if (op.kind !== 'quantize') continue;
    for (const jump of staircaseOf(curveTo(op.inputs[0]!), op.attrs).thresholds) jumps.add(jump);
  }
  return staircaseOf(curveTo(before), quantiser);
}

/** The values of a region's ops at one value of its root, on numbers. */
function evaluatorOf(network: Network, root: Op, ops: readonly Op[]): (x: number, id: string) => number {
  const place = new Map([root, ...ops].map(({ id }, n) => [id, n]));
  const values = new Float64Array(place.size);
  const steps = ops.map((op) => ({ act: onNumbers(network, op)!, from: op.inputs.map((id) => place.get(id)!) }));
  return (x, id) => {
    values[0] = x;
    const last = place.get(id)!;
    for (let n = 0; n < last; n++) {
      const { act, from } = steps[n]!;
      values[n + 1] = from.length === 1 ? act(values[from[0]!]!) : act(values[from[0]!]!, values[from[1]!]!);
    }
    return values[last]!;
  };
}

/** Values of the root at which functions see the sampled arguments, through the affine ops before them. */
function turningPlaces(network: Network, root: Op, ops: readonly Op[]): readonly number[] {
  const seen = new Map([[root.id, { scale: 1, shift: 0 }]]);
  const around: number[] = [];
  for (const op of ops) {
    const from = op.inputs.length === 1 ? seen.get(op.inputs[0]!) : undefined;
    if (from === undefined) continue;
    const own = op.kind === 'affine' ? scalarAffine(network, op)! : { scale: 1, shift: 0 };
    if (op.kind === 'affine' || op.kind === 'identity' || op.kind === 'dropout') {
      seen.set(op.id, { scale: from.scale * own.scale, shift: from.shift * own.scale + own.shift });
    } else if ((from.scale !== 1 || from.shift !== 0) && from.scale !== 0) {
      for (const x of samples) around.push((x - from.shift) / from.scale);
    }
  }
  return around;
}
