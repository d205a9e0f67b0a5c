import { fail } from '../../base/diagnostics/index.js';
import { present } from '../../base/invariant.js';
import { bytesOf } from '../../tensor/peak.js';
import type { Program, ValueInfo } from '../../tensor/types.js';
import { type Ports, type StatePort, portsOf } from '../states.js';
import { type Lifetime, placeBuffers } from './arena.js';
import { ConstantPool } from './constants.js';
import { type LoopNest, planLoops } from './kernel.js';
import { loopBuffers } from './loops.js';
import { patchBytes } from './patches.js';
import { patchGeometry } from './products.js';
import type { KernelSegment, Partition } from './segments.js';
import { rootOf } from './stages.js';
import { type Site, type Step, StepWriter, type View, scratchNames } from './steps.js';
import { encodeModule } from './wasm.js';

export type { Copy, Step, Task, View } from './steps.js';

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
  gather(split, '', n, constants, nests);
  for (const id of Object.values(program.outputs)) addConstant(split, id, constants);
  const { offsets, end } = placeBuffers(lifetimes(program, split, n, ports.states), constants.end);
  if (end > largestMemory) fail('engine/batch-too-large', { program: program.name, batch: n, gib: end / 2 ** 30 });
  const place = (id: string) => ({ offset: present(offsets.get(id), `fused plan: ${id} has no place in memory`) });
  const site: Site = { split, place, prefix: '', inLoop: false };
  const writer = new StepWriter(n, constants, nests);
  const viewOf = (id: string, info?: ValueInfo): View => writer.view(site, id, info);
  const steps = writer.steps(site);
  const pages = Math.ceil((end + 64) / pageBytes);
  return {
    batch: n,
    module: encodeModule(writer.kernels, pages),
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

/** Takes the constants that are read in memory, and plans the loops of kernels: a program's, and those of loops' bodies. */
function gather(
  split: Partition,
  prefix: string,
  n: number,
  constants: ConstantPool,
  nests: Map<KernelSegment, LoopNest>,
): void {
  for (const segment of split.segments) {
    if (segment.kind === 'dot') constants.add(prefix + segment.dot.op.id, segment.dot.weights, undefined);
    if (segment.kind === 'loop') {
      const { id, body, states, trains, invariants, stacked } = segment.loop;
      for (const operand of [
        ...states.map(({ initial }) => initial),
        ...trains.map(({ whole }) => whole),
        ...invariants.map(({ outer }) => outer),
      ])
        addConstant(split, operand, constants, prefix);
      const inner = `${prefix}${id}/`;
      for (const result of [...states.map(({ next }) => next), ...stacked.map(({ step }) => step)])
        addConstant(body, result, constants, inner);
      gather(body, inner, n, constants, nests);
    }
    if (segment.kind !== 'kernel') continue;
    const nest = planLoops(segment.region, n, (source) => split.constants.has(source.id));
    nests.set(segment, nest);
    segment.region.sources.forEach(({ id }, i) => {
      const value = split.constants.get(id);
      if (value !== undefined) constants.add(prefix + id, value, nest.expanded[i]);
    });
  }
}

/** A value that is given out or handed on as it is, where it is a constant. */
function addConstant({ aliases, constants: known }: Partition, id: string, constants: ConstantPool, prefix = ''): void {
  const root = rootOf(aliases, id);
  const value = known.get(root);
  if (value !== undefined) constants.add(prefix + root, value, undefined);
}

/** What the values of one sample fill, constants apart. */
export function bytesPerSample(program: Program, split: Partition): number {
  return placeBuffers(lifetimes(program, split, 1), 0).end;
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
  const bytes = (info: ValueInfo) => Math.max(1, bytesOf(info, n));
  const result: Lifetime[] = [];
  for (const input of program.inputs) {
    const end = last.get(input.id);
    if (end !== undefined) result.push({ id: input.id, bytes: bytes(input), first: -1, last: end });
  }
  segments.forEach((segment, step) => {
    for (const id of segment.outputs) {
      result.push({ id, bytes: bytes(split.infoOf(id)), first: step, last: last.get(id) ?? step });
    }
    if (segment.kind === 'loop') {
      for (const buffer of loopBuffers(segment.loop, n)) result.push({ ...buffer, first: step, last: step });
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
