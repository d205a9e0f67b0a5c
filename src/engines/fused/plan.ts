import { type DType, type Tensor, byteWidth, elementCount } from '../../base/dtype.js';
import { fail } from '../../base/diagnostics/index.js';
import { present } from '../../base/invariant.js';
import { outputNames } from '../../backends/onnx/index.js';
import { broadcastData } from '../../tensor/arrays.js';
import { concreteShape } from '../../tensor/dims.js';
import type { Program, ValueInfo } from '../../tensor/types.js';
import { type Ports, type StatePort, portsOf } from '../states.js';
import { type Lifetime, aligned, placeBuffers } from './arena.js';
import { KernelWriter, type LoopNest, planLoops } from './kernel.js';
import { dotRows, writeDots } from './dots.js';
import type { DotSegment, IntegerSegment, KernelSegment, Partition } from './segments.js';
import { rootOf } from './stages.js';
import { patchBytes, writePatches } from './patches.js';
import { patchGeometry, productNames, productShape } from './products.js';
import { type FunctionBody, encodeModule } from './wasm.js';

/** A tensor in the memory. */
export interface View {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly offset: number;
}

export type Step =
  | { readonly kind: 'kernel'; readonly kernel: number }
  | {
      readonly kind: 'session';
      readonly session: number;
      readonly feeds: Readonly<Record<string, View>>;
      readonly fetches: Readonly<Record<string, View>>;
    };

/** All that a lane needs to run a program for one batch size, as plain data. */
export interface Plan {
  readonly batch: number;
  readonly module: Uint8Array<ArrayBuffer>;
  /** Size of the memory, in pages of 64 KiB. */
  readonly pages: number;
  readonly constants: readonly { readonly offset: number; readonly bytes: Uint8Array }[];
  readonly inputs: Readonly<Record<string, View>>;
  readonly outputs: Readonly<Record<string, View>>;
  /** Where a state is read, and where a step leaves its next value; both stay as they are until the next step. */
  readonly states: Readonly<Record<string, { readonly now: View; readonly next: View }>>;
  readonly steps: readonly Step[];
}

const pageBytes = 65_536;
/** What 32-bit addresses reach, less a page that vectors may read past the end. */
const largestMemory = 65_535 * pageBytes;

/** Lays out memory and generates the kernels for batches of `n`. */
export function makePlan(program: Program, split: Partition, n: number, ports: Ports = portsOf(program)): Plan {
  const constants = new ConstantPool();
  const nests = new Map<KernelSegment, LoopNest>();
  for (const segment of split.segments) {
    if (segment.kind === 'dot') constants.add(segment.dot.op.id, segment.dot.weights, undefined);
    if (segment.kind !== 'kernel') continue;
    const nest = planLoops(segment.region, n, (source) => split.constants.has(source.id));
    nests.set(segment, nest);
    segment.region.sources.forEach(({ id }, i) => {
      const value = split.constants.get(id);
      if (value !== undefined) constants.add(id, value, nest.expanded[i]);
    });
  }
  for (const id of Object.values(program.outputs)) {
    const value = split.constants.get(rootOf(split.aliases, id));
    if (value !== undefined) constants.add(rootOf(split.aliases, id), value, undefined);
  }
  const { offsets, end } = placeBuffers(lifetimes(program, split, n, ports.states), constants.end);
  if (end > largestMemory) fail('engine/batch-too-large', { program: program.name, batch: n, gib: end / 2 ** 30 });
  const addressOf = (id: string): number => {
    const root = rootOf(split.aliases, id);
    return offsets.get(root) ?? constants.offset(root, undefined);
  };
  const viewOf = (id: string, { dtype, shape } = split.infoOf(id)): View => ({
    dtype,
    shape: concreteShape(shape, n),
    offset: addressOf(id),
  });
  const kernels: FunctionBody[] = [];
  const write = (segment: KernelSegment | DotSegment): FunctionBody => {
    if (segment.kind === 'dot') {
      const [from, to] = [addressOf(segment.inputs[0]), addressOf(segment.outputs[0])];
      const weights = constants.offset(segment.dot.op.id, undefined);
      return writeDots(segment.dot, dotRows(segment.dot, n), { from, weights, to });
    }
    const source = (id: string, expanded: readonly number[] | undefined) =>
      split.constants.has(id) ? constants.offset(id, expanded) : addressOf(id);
    return new KernelWriter(segment.region, nests.get(segment)!, { source, sink: addressOf }).write();
  };
  const steps = stepsOf(split, n, viewOf, kernels, write);
  const pages = Math.ceil((end + 64) / pageBytes);
  return {
    batch: n,
    module: encodeModule(kernels, pages),
    pages,
    constants: constants.entries,
    inputs: Object.fromEntries(
      ports.fed.filter(({ id }) => offsets.has(id)).map((input) => [input.id, viewOf(input.id, input)]),
    ),
    outputs: Object.fromEntries(Object.entries(ports.returned).map(([name, id]) => [name, viewOf(id)])),
    states: Object.fromEntries(
      ports.states.map(({ id, input, next }) => [
        id,
        { now: viewOf(id, input), next: viewOf(program.outputs[next]!, input) },
      ]),
    ),
    steps,
  };
}

/** What the values of one sample fill, constants apart. */
export function bytesPerSample(program: Program, split: Partition): number {
  return placeBuffers(lifetimes(program, split, 1), 0).end;
}

function stepsOf(
  split: Partition,
  n: number,
  viewOf: (id: string, info?: ValueInfo) => View,
  kernels: FunctionBody[],
  write: (segment: KernelSegment | DotSegment) => FunctionBody,
): Step[] {
  let session = 0;
  const kernel = (body: FunctionBody): Step => ({ kind: 'kernel', kernel: kernels.push(body) - 1 });
  return split.segments.flatMap((segment): Step[] => {
    if (segment.kind === 'kernel' || segment.kind === 'dot') return [kernel(write(segment))];
    if (segment.kind === 'session') {
      const inGraph = outputNames(segment.program);
      const feeds = Object.fromEntries(segment.inputs.map((id) => [id, viewOf(id)]));
      const fetches = Object.fromEntries(segment.outputs.map((id) => [inGraph[id]!, viewOf(id)]));
      return [{ kind: 'session', session: session++, feeds, fetches }];
    }
    const [rows, columns] = productShape(segment.synapse, n);
    const [source, sums] = [viewOf(segment.inputs[0]), viewOf(segment.outputs[0])];
    const geometry = patchGeometry(segment.synapse, split.infoOf(segment.inputs[0]).shape, n);
    const scratch = scratchNames(segment);
    const matrix = geometry === undefined ? source.offset : viewOf(scratch.patches, bytesInfo).offset;
    const product: Step = {
      kind: 'session',
      session: session++,
      feeds: { [productNames.input]: { dtype: 'u8', shape: [rows, columns], offset: matrix } },
      fetches: { [productNames.output]: { dtype: 'i32', shape: [rows, segment.synapse.columns], offset: sums.offset } },
    };
    if (geometry === undefined) return [product];
    const padded = viewOf(scratch.padded, bytesInfo).offset;
    return [kernel(writePatches(geometry, { image: source.offset, padded, patches: matrix })), product];
  });
}

const bytesInfo: ValueInfo = { dtype: 'u8', shape: [] };

function scratchNames({ synapse }: IntegerSegment): { readonly padded: string; readonly patches: string } {
  return { padded: `${synapse.op.id}::padded`, patches: `${synapse.op.id}::patches` };
}

/** When each value that lies in memory is first written and last read; −1 is before all steps. */
function lifetimes(program: Program, split: Partition, n: number, states: readonly StatePort[] = []): Lifetime[] {
  const { segments, aliases } = split;
  const last = new Map<string, number>();
  const root = (id: string) => rootOf(aliases, id);
  segments.forEach((segment, step) => segment.inputs.forEach((id) => last.set(root(id), step)));
  for (const id of [...Object.values(program.outputs), ...states.map((state) => state.id)]) {
    last.set(root(id), segments.length);
  }
  const bytes = ({ dtype, shape }: ValueInfo) => Math.max(1, elementCount(concreteShape(shape, n)) * byteWidth[dtype]);
  const result: Lifetime[] = [];
  for (const input of program.inputs) {
    const end = last.get(input.id);
    if (end !== undefined) result.push({ id: input.id, bytes: bytes(input), first: -1, last: end });
  }
  segments.forEach((segment, step) => {
    for (const id of segment.outputs) {
      result.push({ id, bytes: bytes(split.infoOf(id)), first: step, last: last.get(id) ?? step });
    }
    if (segment.kind !== 'integer') return;
    const geometry = patchGeometry(segment.synapse, split.infoOf(segment.inputs[0]).shape, n);
    if (geometry === undefined) return;
    const sizes = patchBytes(geometry);
    const scratch = scratchNames(segment);
    result.push({ id: scratch.padded, bytes: sizes.padded + 16, first: step, last: step });
    result.push({ id: scratch.patches, bytes: sizes.patches + 16, first: step, last: step });
  });
  return result;
}

/** Constants that kernels read, each once per shape that it is repeated to. */
class ConstantPool {
  readonly entries: { readonly offset: number; readonly bytes: Uint8Array }[] = [];
  end = 0;
  private readonly offsets = new Map<string, number>();

  add(id: string, value: Tensor, expanded: readonly number[] | undefined): void {
    const key = this.key(id, expanded);
    if (this.offsets.has(key)) return;
    const data = expanded === undefined ? value.data : broadcastData(value, expanded);
    this.offsets.set(key, this.end);
    this.entries.push({ offset: this.end, bytes: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) });
    this.end = aligned(this.end + data.byteLength + 16);
  }

  offset(id: string, expanded: readonly number[] | undefined): number {
    return present(this.offsets.get(this.key(id, expanded)), `fused plan: ${id} has no place in memory`);
  }

  private key(id: string, expanded: readonly number[] | undefined): string {
    return `${id} ${expanded?.join() ?? ''}`;
  }
}
