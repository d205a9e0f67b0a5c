import type { DType } from '../../base/dtype.js';
import { outputNames } from '../../backends/onnx/index.js';
import { concreteShape } from '../../tensor/dims.js';
import type { ValueInfo } from '../../tensor/types.js';
import type { ConstantPool } from './constants.js';
import { dotRows, writeDots } from './dots.js';
import { KernelWriter, type LoopNest, type Place } from './kernel.js';
import { bodyPlaces, stateName } from './loops.js';
import { bytesOf } from '../../tensor/peak.js';
import { patchGeometry, productNames, productShape } from './products.js';
import { writePatches } from './patches.js';
import type { DotSegment, IntegerSegment, KernelSegment, LoopSegment, Partition, Segment } from './segments.js';
import { rootOf } from './stages.js';
import type { FunctionBody } from './wasm.js';

/** A tensor in the memory; in a loop it may move from step to step. */
export interface View extends Place {
  readonly dtype: DType;
  readonly shape: readonly number[];
}

/** Bytes from one place to another. */
export interface Copy {
  readonly from: Place;
  readonly to: Place;
  readonly bytes: number;
}

/** What runs as one: a kernel of the plan's module, or an onnxruntime session. */
export type Task =
  | { readonly kind: 'kernel'; readonly kernel: number }
  | {
      readonly kind: 'session';
      readonly session: number;
      readonly feeds: Readonly<Record<string, View>>;
      readonly fetches: Readonly<Record<string, View>>;
    };

export type Step =
  | Task
  | {
      readonly kind: 'loop';
      readonly steps: number;
      readonly reverse: boolean;
      /** First values of states. */
      readonly before: readonly Copy[];
      readonly tasks: readonly Task[];
      /** After each step: what is a result under another name. */
      readonly after: readonly Copy[];
      /** The places of states and trains after the last step. */
      readonly end: readonly Copy[];
    };

/** A program or the body of a loop, and where its values lie. */
export interface Site {
  readonly split: Partition;
  /** Of a value that isn't constant, whatever its name. */
  readonly place: (id: string) => Place;
  /** What its constants are called in the pool. */
  readonly prefix: string;
  readonly inLoop: boolean;
}

export const bytesInfo: ValueInfo = { dtype: 'u8', shape: [] };

export function scratchNames({ synapse }: IntegerSegment): { readonly padded: string; readonly patches: string } {
  return { padded: `${synapse.op.id}::padded`, patches: `${synapse.op.id}::patches` };
}

/** Makes the steps of a plan for batches of `n`, and their kernels. */
export class StepWriter {
  readonly kernels: FunctionBody[] = [];
  #sessions = 0;

  constructor(
    readonly n: number,
    readonly constants: ConstantPool,
    readonly nests: ReadonlyMap<KernelSegment, LoopNest>,
  ) {}

  /** Sessions are counted in the order of `flatSegments`. */
  steps(site: Site): Step[] {
    return site.split.segments.flatMap((segment): Step[] =>
      segment.kind === 'loop' ? [this.#loop(site, segment)] : this.#tasks(site, segment),
    );
  }

  #tasks(site: Site, segment: Exclude<Segment, LoopSegment>): Task[] {
    switch (segment.kind) {
      case 'kernel':
        return [this.#kernel(this.#elementwise(site, segment))];
      case 'dot':
        return [this.#kernel(this.#dots(site, segment))];
      case 'integer':
        return this.#product(site, segment);
      case 'session': {
        const inGraph = outputNames(segment.program);
        const feeds = Object.fromEntries(segment.inputs.map((id) => [id, this.view(site, id)]));
        const fetches = Object.fromEntries(segment.outputs.map((id) => [inGraph[id]!, this.view(site, id)]));
        return [{ kind: 'session', session: this.#sessions++, feeds, fetches }];
      }
    }
  }

  view(site: Site, id: string, { dtype, shape } = site.split.infoOf(id)): View {
    return { dtype, shape: concreteShape(shape, this.n), ...this.#placeOf(site, id) };
  }

  #placeOf({ split, place, prefix }: Site, id: string): Place {
    const root = rootOf(split.aliases, id);
    return split.constants.has(root) ? { offset: this.constants.offset(prefix + root, undefined) } : place(root);
  }

  #kernel(body: FunctionBody): Task {
    return { kind: 'kernel', kernel: this.kernels.push(body) - 1 };
  }

  #elementwise(site: Site, segment: KernelSegment): FunctionBody {
    const { split, prefix, inLoop } = site;
    const source = (id: string, expanded: readonly number[] | undefined): Place =>
      split.constants.has(id) ? { offset: this.constants.offset(prefix + id, expanded) } : this.#placeOf(site, id);
    const sink = (id: string): Place => this.#placeOf(site, id);
    return new KernelWriter(segment.region, this.nests.get(segment)!, { source, sink }, inLoop).write();
  }

  #dots(site: Site, { dot, inputs, outputs }: DotSegment): FunctionBody {
    const [from, to] = [this.#placeOf(site, inputs[0]).offset, this.#placeOf(site, outputs[0]!).offset];
    const weights = this.constants.offset(site.prefix + dot.op.id, undefined);
    return writeDots(dot, dotRows(dot, this.n), { from, weights, to });
  }

  #product(site: Site, segment: IntegerSegment): Task[] {
    const { synapse, inputs, outputs } = segment;
    const [rows, columns] = productShape(synapse, this.n);
    const [source, sums] = [this.view(site, inputs[0]), this.view(site, outputs[0]!)];
    const geometry = patchGeometry(synapse, site.split.infoOf(inputs[0]).shape, this.n);
    const scratch = scratchNames(segment);
    const matrix = geometry === undefined ? source.offset : this.view(site, scratch.patches, bytesInfo).offset;
    const product: Task = {
      kind: 'session',
      session: this.#sessions++,
      feeds: { [productNames.input]: { dtype: 'u8', shape: [rows, columns], offset: matrix } },
      fetches: { [productNames.output]: { dtype: 'i32', shape: [rows, synapse.columns], offset: sums.offset } },
    };
    if (geometry === undefined) return [product];
    const padded = this.view(site, scratch.padded, bytesInfo).offset;
    return [this.#kernel(writePatches(geometry, { image: source.offset, padded, patches: matrix })), product];
  }

  #loop(site: Site, { loop }: LoopSegment): Step {
    const { id, steps, reverse, states, stacked, body } = loop;
    const outer = (value: string): Place => this.#placeOf(site, value);
    const { place, after } = bodyPlaces(loop, this.n, outer);
    const inner: Site = { split: body, place, prefix: `${site.prefix}${id}/`, inLoop: true };
    const size = (value: string): number => bytesOf(body.infoOf(value), this.n);
    const before = states.map(({ now, initial }, i): Copy => {
      return { from: outer(initial), to: { offset: outer(stateName(id, i)).offset }, bytes: size(now) };
    });
    const ends = states.flatMap(({ now, final }) =>
      final.map((value): Copy => ({ from: place(now), to: outer(value), bytes: size(now) })),
    );
    const again = stacked.flatMap(({ step, whole: [first, ...others] }) =>
      others.map((value): Copy => ({ from: outer(first!), to: outer(value), bytes: steps * size(step) })),
    );
    const tasks = body.segments.flatMap((segment) => (segment.kind === 'loop' ? [] : this.#tasks(inner, segment)));
    const copies = after.map(({ from, to, bytes }): Copy => ({ from: this.#placeOf(inner, from), to, bytes }));
    return { kind: 'loop', steps, reverse, before, tasks, after: copies, end: [...ends, ...again] };
  }
}
