import { type Tensor, byteWidth } from '../../base/dtype.js';
import { type Dim, type Program, type TensorOp, attrsOf } from '../../tensor/index.js';
import { type Buffer, BufferTable } from './buffers.js';
import { byteConvText, byteHelpers, byteProductText } from './bytes.js';
import {
  type Call,
  batchOf,
  byteProductOf,
  callText,
  convSizes,
  isConvolution,
  windowsOfConvolution,
} from './calls.js';
import {
  type ConvPlaces,
  type ConvText,
  convolutionHelpers,
  forwardText,
  inputGradientText,
  weightGradientText,
} from './convolutions.js';
import { type Size, sizeText } from './linear.js';
import { NeedsStored } from './elements.js';
import { type KernelText, kernelText, parts } from './loops.js';
import { matmulText, productScratch } from './matmul.js';
import { canonical, operandLayouts, preferredLayout, resultLayout } from './layouts.js';
import { Planner } from './planner.js';
import { contextText, helpersText, poolText } from './runtime.js';
import type { Step } from './schedule.js';
import { type Layout, volumeOf } from './shapes.js';
import { sparseHelpers } from './sparse.js';
import { storedBytes } from './stored-bytes.js';
import { type CTarget, partText, vectorText } from './tiles.js';
import { windowsText } from './windows.js';

/** A buffer with the steps between which it holds its value. */
export interface PlacedBuffer extends Buffer {
  readonly bytes: Size;
  /** First and last step that touches it. */
  readonly first: number;
  readonly last: number;
  /** The buffer whose memory it goes on in: what is there last, and what comes then, are the same elements one by one. */
  readonly within?: number;
}

/** A program as C: one file of loops, in which every result is rounded by itself, and one of products. */
export interface CProgram {
  readonly loops: string;
  readonly products: string;
  readonly buffers: readonly PlacedBuffer[];
  /** Buffers of inputs, params and constants, which are written before a run. */
  readonly inputs: ReadonlyMap<string, number>;
  readonly params: readonly { readonly buffer: number; readonly data: Tensor }[];
  /** Buffers that a first run fills for all others. */
  readonly kept: ReadonlySet<number>;
  /** Output name → buffer. */
  readonly outputs: ReadonlyMap<string, number>;
  /** What each step of a run does, for a profile. */
  readonly steps: readonly string[];
  /** Doubles that parts of a kernel sum in. */
  readonly sums: number;
  /** Bytes of scratch memory of a thread. */
  readonly scratch: number;
}

/**
 * Convolutions without groups and dilation, and matrix products, by id, whose operands are small integers: the first, plus the number given, lies in
 * 0…255, the second, a param, in −128…127, and all sums are exact in float32.
 */
type ByteProducts = ReadonlyMap<string, number>;

export interface EmitOptions {
  readonly bytes?: ByteProducts;
  /** Params of shape [1, C, H, W] whose data lie in the order [H, W, C]; read by element-wise ops alone. */
  readonly channelsLast?: ReadonlySet<string>;
  /** Whether spikes, and means of them, lie in memory as bytes. */
  readonly storesBytes?: boolean;
}

/** Emits a program as C. */
export function emitC(program: Program, target: CTarget, options: EmitOptions = {}): CProgram {
  const { bytes = new Map<string, number>(), channelsLast = new Set<string>(), storesBytes = false } = options;
  const stored = storesBytes ? storedBytes(program) : new Map<string, number>();
  const writer = new Writer(target, bytes, channelsLast, stored);
  const main = writer.program(program, '', () => 'rows');
  const touched = new Map<number, { first: number; last: number }>();
  writer.touched.forEach((buffers, step) => {
    for (const buffer of buffers) {
      const known = touched.get(buffer);
      touched.set(buffer, { first: known?.first ?? step, last: step });
    }
  });
  const inputs = new Map<string, number>();
  const outputs = new Map<string, number>();
  for (const { id } of program.inputs) inputs.set(id, main.bufferOf(id, 'rows'));
  for (const name of Object.keys(program.outputs)) outputs.set(name, writer.buffers.find(`=${name}`)!);
  const kept = [
    ...program.params.map(({ id, data }) => ({ buffer: main.bufferOf(id, main.readLayout(id)), data })),
    ...writer.constants,
  ];
  const staying = new Set([...kept.map(({ buffer }) => buffer), ...writer.kept, ...writer.aliases]);
  for (const buffer of [...inputs.values(), ...outputs.values()]) staying.add(buffer);
  const within = writer.inPlace(touched, staying);
  const buffers = writer.buffers.all.map((buffer) => ({
    ...buffer,
    bytes: {
      ...buffer.size,
      factor: writer.aliases.has(buffer.index) ? 0 : buffer.size.factor * byteWidth[buffer.dtype],
    },
    ...(touched.get(buffer.index) ?? { first: 0, last: 0 }),
    ...(within.has(buffer.index) ? { within: within.get(buffer.index)! } : {}),
  }));
  const loops = [contextText, helpersText, ...writer.loops].join('\n');
  const own = writer.products.join('\n');
  const helpers = helperTexts(target).filter(({ names }) => names.test(own));
  const products = [contextText, poolText, vectorText(target), ...helpers.map(({ text }) => text), own].join('\n');
  return {
    loops,
    products,
    buffers,
    inputs,
    params: kept,
    outputs,
    steps: writer.labels,
    kept: writer.kept,
    sums: writer.sums * parts,
    scratch: writer.scratch,
  };
}

/**
 * Functions that a program's products may call, and what names them there. Those that nothing calls aren't written: the
 * headers of the processor's instructions take a compiler longer than a small program.
 */
function helperTexts(target: CTarget): readonly { readonly text: string; readonly names: RegExp }[] {
  return [
    { text: partText, names: /\bstore_some\(/ },
    { text: convolutionHelpers, names: /\b(parts_of|pack_weights|unpack_gradient|of_bytes)\(/ },
    { text: byteHelpers, names: /\b(quads|QUADS|FOUR|ADD_QUADS|to_bytes|pack_bytes)\b/ },
    { text: sparseHelpers, names: /\b(share|find_events|find_channel_events)\(/ },
    { text: matmulText(target), names: /\bproduct_(f32|f64|i32)\(/ },
    { text: windowsText, names: /\b(Window|argmax_(f32|f64|i32))\b/ },
  ];
}

class Writer {
  readonly buffers = new BufferTable();
  readonly loops: string[] = [];
  readonly products: string[] = [];
  readonly constants: { buffer: number; data: Tensor }[] = [];
  /** Buffers that are pointed at others. */
  readonly aliases = new Set<number>();
  /** The buffers that each step of the outermost program touches. */
  readonly touched: Set<number>[] = [];
  readonly labels: string[] = [];
  /** The kernels of the outermost program: their step, where their text is, and what they may do in place. */
  readonly #outermost: { step: number; text: number; inPlace: KernelText['inPlace'] }[] = [];
  /** Buffers that hold their value from one run to the next. */
  readonly kept = new Set<number>();
  sums = 0;
  scratch: number;
  #names = 0;

  constructor(
    readonly target: CTarget,
    readonly bytes: ByteProducts,
    readonly channelsLast: ReadonlySet<string>,
    readonly stored: ReadonlyMap<string, number>,
  ) {
    this.scratch = productScratch(target);
  }

  name(prefix: string): string {
    return `${prefix}${this.#names++}`;
  }

  /** Writes a program as the function `spikec_run`, or as the body of a loop in the function `name`. */
  program(program: Program, scope: string, outer: (shape: readonly Dim[]) => Layout, name = 'spikec_run'): Planner {
    const own = scope === '' ? this.channelsLast : new Set<string>();
    const inBytes = scope === '' ? this.stored : new Map<string, number>();
    const planner = new Planner(program, this.buffers, scope, outer, own, inBytes);
    for (const op of program.ops) {
      if (op.kind !== 'const' || planner.isSoft(op)) continue;
      this.constants.push({ buffer: planner.bufferOf(op.id, 'rows'), data: attrsOf(op, 'const').value });
    }
    const { steps, kernels } = this.#kernels(planner);
    const lines: string[] = [];
    const declared: string[] = [];
    steps.forEach((step, i) => {
      const buffers = scope === '' ? new Set<number>() : this.touched.at(-1)!;
      if (scope === '') this.touched.push(buffers);
      const kernel = kernels.get(i);
      if (kernel !== undefined) {
        if (scope === '')
          this.#outermost.push({ step: this.touched.length - 1, text: this.loops.length, inPlace: kernel.inPlace });
        this.loops.push(kernel.code);
        this.sums = Math.max(this.sums, kernel.sums);
        for (const buffer of [...kernel.reads, ...kernel.writes]) buffers.add(buffer);
        const stepName = this.name('step');
        this.loops.push(`void ${stepName}(Context *x) ${kernel.call}`);
        declared.push(`void ${stepName}(Context *x);`);
        lines.push(`  ${stepName}(x);`);
      } else if (step.kind === 'call') lines.push(`  ${this.#call(planner, step.op, buffers)}`);
      if (scope !== '') return;
      lines.push(`  mark(x, ${this.labels.length});`);
      const computed = step.kind === 'loops' ? step.items.map(({ value }) => value).join(' ') : step.op.id;
      this.labels.push(`${step.kind === 'loops' ? 'loops' : step.op.kind}: ${computed}`);
    });
    this.products.push(...declared, `${scope === '' ? '' : 'static '}void ${name}(Context *x) {`, ...lines, '}');
    return planner;
  }

  /** Puts results where what they are computed from isn't needed any longer; gives for such a buffer the one that it goes on in. */
  inPlace(
    touched: ReadonlyMap<number, { readonly first: number; readonly last: number }>,
    staying: ReadonlySet<number>,
  ): Map<number, number> {
    const within = new Map<number, number>();
    const taken = new Set<number>();
    const bytes = (buffer: number): string => {
      const { dtype, size } = this.buffers.all[buffer]!;
      return `${byteWidth[dtype]} * ${sizeText(size)}`;
    };
    for (const { step, text, inPlace } of this.#outermost) {
      for (const [from, to] of inPlace) {
        if (from === to || taken.has(from) || within.has(to) || staying.has(from) || staying.has(to)) continue;
        if (touched.get(from)!.last !== step || touched.get(to)!.first !== step || bytes(from) !== bytes(to)) continue;
        within.set(to, from);
        taken.add(from);
        // two names of the same memory
        for (const buffer of [from, to])
          this.loops[text] = this.loops[text]!.replaceAll(`*restrict b${buffer} =`, `*b${buffer} =`);
      }
    }
    return within;
  }

  #kernels(planner: Planner): { steps: readonly Step[]; kernels: Map<number, KernelText> } {
    const base = this.#names;
    for (;;) {
      const steps = planner.plan();
      const kernels = new Map<number, KernelText>();
      this.#names = base;
      try {
        steps.forEach((step, i) => {
          if (step.kind === 'loops') kernels.set(i, kernelText(this.name('loops'), planner, step.items));
        });
        return { steps, kernels };
      } catch (error) {
        if (!(error instanceof NeedsStored)) throw error;
        planner.store(error.id);
      }
    }
  }

  #call(planner: Planner, op: TensorOp, touched: Set<number>): string {
    if (op.kind === 'scan') return this.#scan(planner, op, touched);
    const layouts = operandLayouts(op);
    const operands = op.inputs.map((id, i) => ({
      ...planner.type(id),
      buffer: planner.bufferOf(id, layouts[i]!),
    }));
    const call: Call = { op, operands, result: planner.bufferOf(op.id, resultLayout(op)) };
    for (const { buffer } of operands) touched.add(buffer);
    touched.add(call.result);
    if (isConvolution(op)) return this.#convolution(planner, call, touched);
    const zero = this.#zeroOf(planner, op);
    if (zero === undefined) return callText(call);
    const sizes = byteProductOf(call);
    const name = this.name('product');
    return this.#own(name, true, touched, (packed) => {
      const [x, w] = operands.map(({ buffer }) => buffer) as [number, number];
      const places = { fixed: true, name, batch: batchOf(call), x, w, y: call.result, packed, partial: 0 };
      return byteProductText(sizes, places, zero, this.target);
    });
  }

  /** What is added to the first operand of a product of bytes; undefined for other ops. */
  #zeroOf(planner: Planner, op: TensorOp): number | undefined {
    const fixed = planner.scope === '' && planner.program.params.some(({ id }) => id === op.inputs[1]);
    return fixed ? this.bytes.get(op.id) : undefined;
  }

  /** Writes the functions of one product, with memory of its own; gives the statements of its step. */
  #own(
    name: string,
    fixed: boolean,
    touched: Set<number>,
    emit: (packed: number, partial: number) => ConvText,
  ): string {
    const memory = (what: string, count: number): number => {
      if (count === 0) return 0;
      const buffer = this.buffers.take(`${name}.${what}`, 'f32', { factor: count, power: 0 });
      touched.add(buffer);
      if (what === 'packed' && fixed) this.kept.add(buffer);
      return buffer;
    };
    const { packed, partial, scratch } = emit(0, 0);
    const text = emit(memory('packed', packed), memory('partial', partial));
    this.scratch = Math.max(this.scratch, scratch);
    this.products.push(text.code);
    return text.call;
  }

  #convolution(planner: Planner, call: Call, touched: Set<number>): string {
    const { op, operands, result } = call;
    const name = this.name('conv');
    const sizes = convSizes(call);
    if (op.dtype !== 'f32' || sizes.groups > 1) return windowsOfConvolution(call);
    const weight = op.inputs[op.kind === 'conv2d' ? 1 : 0]!;
    const fixed = planner.scope === '' && planner.program.params.some(({ id }) => id === weight);
    const write = { conv2d: forwardText, conv2d_input_grad: inputGradientText, conv2d_weight_grad: weightGradientText };
    const [a, b, c] = [operands[0]!.buffer, operands[1]!.buffer, result];
    const [px, pw, py] = op.kind === 'conv2d' ? [a, b, c] : op.kind === 'conv2d_input_grad' ? [c, a, b] : [a, c, b];
    const zero = this.#zeroOf(planner, op);
    return this.#own(name, fixed, touched, (packed, partial) => {
      const { unit } = this.buffers.all[px]!;
      const places: ConvPlaces = {
        ...{ fixed, name, batch: batchOf(call), x: px, w: pw, y: py, packed, partial },
        ...(unit === undefined ? {} : { unit }),
      };
      if (zero !== undefined) return byteConvText(sizes, places, zero, this.target);
      return write[op.kind as 'conv2d'](sizes, places, this.target);
    });
  }

  /** A loop over time: the body's buffers are pointed at the step of each train; states change places. */
  #scan(planner: Planner, op: TensorOp, touched: Set<number>): string {
    const { body, steps, states, scanned, reverse } = attrsOf(op, 'scan');
    const name = this.name('scan');
    const scope = `${planner.scope}${name}/`;
    const inner = this.program(body, scope, preferredLayout, name);
    const operands = op.inputs.map((id) => {
      const { shape } = planner.type(id);
      return planner.bufferOf(id, canonical(shape, preferredLayout(shape)));
    });
    const inside = body.inputs.map(({ id, shape }) => inner.bufferOf(id, canonical(shape, preferredLayout(shape))));
    const outputs = Object.keys(body.outputs).map((output) => this.buffers.find(`${scope}=${output}`)!);
    const results = op.parts!.map((part, index) => {
      const layout = canonical(part.shape, preferredLayout(part.shape));
      return this.buffers.take(`${planner.scope}${op.id}#${index}@${layout}`, part.dtype, volumeOf(part.shape));
    });
    for (const buffer of [...operands, ...inside, ...outputs, ...results]) touched.add(buffer);
    for (const buffer of [...inside, ...outputs].filter(
      (_, i) => i >= states && (i < inside.length || i >= inside.length + states),
    )) {
      this.aliases.add(buffer);
    }
    const bytes = (buffer: number): string => {
      const { dtype, size } = this.buffers.all[buffer]!;
      return `${byteWidth[dtype]} * ${sizeText(size)}`;
    };
    const all = [...new Set([...inside, ...outputs])];
    const lines = [
      '{ const long N = x->n; (void)N;',
      ...all.map((buffer) => `char *saved${buffer} = x->p[${buffer}];`),
      ...inside
        .slice(0, states)
        .map((buffer, i) => `memcpy(x->p[${buffer}], x->p[${operands[i]!}], ${bytes(buffer)});`),
      ...inside
        .slice(states + scanned)
        .map((buffer, i) => `x->p[${buffer}] = x->p[${operands[states + scanned + i]!}];`),
      `for (long j = 0; j < ${steps}; j++) {`,
      `const long t = ${reverse ? `${steps - 1} - j` : 'j'}; (void)t;`,
      ...inside
        .slice(states, states + scanned)
        .map((buffer, i) => `x->p[${buffer}] = x->p[${operands[states + i]!}] + t * ${bytes(buffer)};`),
      ...outputs
        .slice(states)
        .map((buffer, i) => `x->p[${buffer}] = x->p[${results[states + i]!}] + t * ${bytes(buffer)};`),
      `${name}(x);`,
      ...inside
        .slice(0, states)
        .map(
          (buffer, i) =>
            `{ char *now = x->p[${buffer}]; x->p[${buffer}] = x->p[${outputs[i]!}]; x->p[${outputs[i]!}] = now; }`,
        ),
      '}',
      ...inside.slice(0, states).map((buffer, i) => `memcpy(x->p[${results[i]!}], x->p[${buffer}], ${bytes(buffer)});`),
      ...all.map((buffer) => `x->p[${buffer}] = saved${buffer};`),
      '}',
    ];
    return lines.join(' ');
  }
}

/** Number of elements for a batch of `n`. */
export function countOf({ factor, power }: Size, n: number): number {
  return factor * n ** power;
}
