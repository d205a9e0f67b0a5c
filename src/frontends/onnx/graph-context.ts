import type { CodeRange } from '../../base/code-range.js';
import { type Diagnostic, DiagnosticError, fail } from '../../base/diagnostics/index.js';
import { type Tensor, elementCount } from '../../base/dtype.js';
import { present } from '../../base/invariant.js';
import { eachPiece, lazyTensor } from '../../base/lazy-tensor.js';
import type { FilePlace } from '../../base/source.js';
import { NetworkBuilder } from '../../network/builder.js';
import type { Interval } from '../../network/intervals.js';
import { type OpKind, traitsOf } from '../../network/ops/index.js';
import type { Attrs, Param } from '../../network/types.js';
import type { Constant } from './constant.js';
import { storageType } from './element-type.js';
import { nodeStem } from './names.js';
import { type ReadExternal, mostActivations } from './tensor-data.js';
import { type CodesValue, type RealValue, type Value, onGridOf } from './values.js';
import { inOrder, keepsGrid } from './values.js';
import type { OnnxNode } from './wire.js';

export interface Emission {
  readonly kind: OpKind;
  readonly inputs: readonly RealValue[];
  readonly attrs?: Attrs;
  readonly params?: Readonly<Record<string, Param>>;
  /** Appended to the node's stem; for the helper ops of a node that needs several. */
  readonly suffix?: string;
  /** The ONNX tensor the result equals; none for helper ops. */
  readonly origin?: string | undefined;
}

/** A node, and what it is called where something is said of it. */
interface NodeSite {
  readonly node: OnnxNode;
  readonly place: FilePlace;
}

/** The state of one import. */
export class GraphContext {
  readonly builder: NetworkBuilder;
  readonly values = new Map<string, Value>();
  readonly #ids = new Map<string, number>();
  readonly #quantisers = new Map<string, string>();
  /** What the user should know of a successful import. */
  readonly notices: Diagnostic[] = [];
  /** By output: the Softmax (or its like) at the end that was left out, and the tensor before it. */
  readonly dropped = new Map<string, { readonly opType: string; readonly logits: string }>();
  /** Means over one axis of an image, by their op: the image and whether its height or its width is averaged. */
  readonly lineMeans = new Map<string, { readonly image: RealValue; readonly axis: number }>();
  /** Ops that are scale·x + shift with one scale and one shift, and what they read. */
  readonly scalarAffines = new Map<
    string,
    { readonly source: string; readonly scale: number; readonly shift: number }
  >();
  /** Tables of integers, by their op: what they read, and their function of it. */
  readonly codeFunctions = new Map<string, { readonly source: RealValue; readonly f: (x: number) => number }>();
  /** What square roots are of, by their op. */
  readonly roots = new Map<string, string>();
  /** Rounded values that have got their quantisers, by their tensors. */
  readonly roundedReals = new Map<string, RealValue>();
  /** What the reshapes that only write axes of size 1 anew were made from, by their op. */
  readonly reshapedFrom = new Map<string, RealValue>();
  /** Borders of codes, and what moves their values: reals here, where the file's tensors hold codes. */
  readonly bordered = new Set<string>();
  /** What is known of the numbers of ops: their bounds, and whether they are integers. */
  readonly intervals = new Map<string, Interval | undefined>();
  readonly integers = new Map<string, boolean>();
  /** How many constants are computed when one is read, by its tensor. */
  readonly recomputed = new Map<string, number>();
  /** Tensors behind the dropped op: their readers pass them on. */
  readonly passed = new Set<string>();
  /** The tensors that the file is fed with. */
  readonly inputNames = new Set<string>();
  /** Values that are quantised by each input's own range. */
  readonly dynamicQuantisers: string[] = [];
  /** The integers that inputs hold where their types don't say it. */
  readonly inputCodes = new Map<string, CodeRange>();
  /** The file fixes the batch size (a reshape to [1, …], or its input's shape). */
  fixedBatch: number | undefined;

  constructor(
    readonly file: string,
    readonly opset: number,
    networkName: string,
    /** How many nodes (or graph outputs) read each tensor, and one of them. */
    readonly readers: ReadonlyMap<string, readonly (OnnxNode | 'output')[]>,
    readonly readExternal: ReadExternal | undefined,
    readonly opsets: readonly { readonly domain: string; readonly version: number }[] = [],
  ) {
    this.builder = new NetworkBuilder(networkName);
  }

  /** The version of a domain's operators that the file asks for; undefined where it doesn't say. */
  domainVersion(domain: string): number | undefined {
    return this.opsets.findLast((opset) => opset.domain === domain)?.version;
  }

  value(tensor: string): Value {
    return present(this.values.get(tensor), `onnx import: tensor ${tensor} is read before it is written`);
  }

  /** The wanted id, numbered where it is taken. */
  uniqueId(wanted: string): string {
    let id = wanted;
    // the last number is remembered: a thousand nodes of one name stay cheap
    for (let n = this.#ids.get(wanted) ?? 1; this.#ids.has(id);) {
      n++;
      id = `${wanted}_${n}`;
      this.#ids.set(wanted, n);
    }
    this.#ids.set(id, 1);
    return id;
  }

  emit(site: NodeSite, op: Emission): RealValue {
    const stem = nodeStem(site.node);
    const id = this.uniqueId(op.suffix === undefined ? stem : `${stem}.${op.suffix}`);
    return this.#add(id, site.place, op);
  }

  /** A value whose axes lie in another order than the file's, in the file's: made once. */
  transposed(site: NodeSite, value: RealValue, perm: readonly number[]): RealValue {
    const key = `${value.op} ${perm.join()}`;
    const known = this.#transposed.get(key);
    if (known !== undefined) return known;
    const { perm: _, ...own } = value;
    const from = this.builder.typeOf(value.op).shape;
    const wanted = perm.slice(1).map((axis) => axis - 1);
    const left = from.flatMap((_size, axis) => (wanted.includes(axis) ? [] : [axis]));
    const attrs = { perm: [...wanted, ...left] };
    let result = this.emit(site, { kind: 'transpose', inputs: [own], attrs, suffix: 'transposed' });
    if (left.length > 0) {
      const shape = wanted.map((axis) => from[axis]!);
      result = this.emit(site, { kind: 'reshape', inputs: [result], attrs: { shape }, suffix: 'layout' });
    }
    const made = onGridOf(value, result);
    this.#transposed.set(key, made);
    return made;
  }
  readonly #transposed = new Map<string, RealValue>();

  addInput(name: string, id: string, shape: readonly number[]): RealValue {
    this.inputNames.add(name);
    const place = { file: this.file, detail: `input "${name}"` };
    return this.#add(this.uniqueId(id), place, { kind: 'input', inputs: [], attrs: { shape }, origin: name });
  }

  /** Numbers `start` … of a row as an input of the file by itself. */
  addPart(row: RealValue, name: string, id: string, start: number, shape: readonly number[]): RealValue {
    this.inputNames.add(name);
    const place = { file: this.file, detail: `input "${name}"` };
    const attrs = { axis: 0, start, end: start + elementCount(shape), step: 1 };
    const flat = this.#add(this.uniqueId(id), place, { kind: 'slice', inputs: [row], attrs, origin: name });
    if (shape.length === 1) return flat;
    const reshape = { kind: 'reshape', inputs: [flat], attrs: { shape: [...shape] }, origin: name } as const;
    return this.#add(this.uniqueId(`${id}.shape`), place, reshape);
  }

  #add(id: string, place: FilePlace, op: Emission): RealValue {
    const params: Record<string, string> = {};
    for (const [role, param] of Object.entries(op.params ?? {})) {
      params[role] = this.builder.param(`${id}.${role}`, param);
    }
    const ofCodes = traitsOf(op).keepsRange && op.inputs.some((input) => this.bordered.has(input.op));
    const added = this.builder.tryAdd({
      id,
      kind: op.kind,
      inputs: op.inputs.map((input) => input.op),
      attrs: op.attrs ?? {},
      params,
      place,
      origin: this.#keepsOrder(op) && !ofCodes ? op.origin : undefined,
    });
    if (ofCodes) this.bordered.add(id);
    if (typeof added !== 'string') fail('onnx/shape-mismatch', { op: op.kind, what: added.problem }, place);
    const { shape } = this.builder.typeOf(id);
    if (elementCount(shape) > mostActivations)
      fail('onnx/too-large', { what: `the result of ${op.kind}`, shape }, place);
    return { kind: 'real', op: id };
  }

  /** Whether the result's elements stand in the order of the ONNX tensor: not so behind a pending Transpose. */
  #keepsOrder(op: Emission): boolean {
    const joins = op.kind === 'flatten' || op.kind === 'reshape' || op.kind === 'globalavgpool';
    const ordered = (x: RealValue): boolean => x.perm === undefined || inOrder(x.perm, this.builder.typeOf(x.op).shape);
    return joins || op.inputs.every(ordered);
  }

  /** The `quantize` op of some codes, or the value itself where quantising changes nothing. */
  materialise(codes: CodesValue, origin: string = codes.tensor, place?: FilePlace): RealValue {
    if (codes.dynamic === true) return codes.source;
    return this.quantise(codes, origin, place ?? { file: this.file, detail: `tensor "${codes.tensor}"` });
  }

  /** The `quantize` op of a value; without an origin it stands for no tensor of the file. */
  quantise(
    { source, code }: Pick<CodesValue, 'source' | 'code'>,
    origin: string | undefined,
    place: FilePlace,
  ): RealValue {
    if (source.grid !== undefined && keepsGrid(source.grid, code)) return source;
    const key = [source.op, code.scale, code.zero, code.min, code.max, code.rounding].join(' ');
    const known = this.#quantisers.get(key);
    if (known !== undefined) return { ...source, op: known, grid: code };
    const { scale, zero, min, max, rounding } = code;
    const made = this.#add(this.uniqueId(`${source.op}.quant`), place, {
      kind: 'quantize',
      inputs: [source],
      attrs: { scale, zero, min, max, ...(rounding === undefined ? {} : { rounding }) },
      // of an integer input: the file's own tensor isn't the image it is made of
      origin: origin !== undefined && this.inputNames.has(origin) ? undefined : origin,
    });
    this.#quantisers.set(key, made.op);
    return { ...source, op: made.op, grid: code };
  }

  param(constant: Constant, shape: readonly number[], place: FilePlace): Param {
    const { quantised } = constant;
    if (quantised !== undefined) {
      const { codes, quant } = quantised;
      return { tensor: { dtype: storageType(codes.type), shape, data: storage(codes) } as Tensor, quant };
    }
    const { fill } = constant;
    const tensor =
      fill === undefined
        ? ({ dtype: storageType(constant.type), shape, data: storage(constant) } as Tensor)
        : lazyTensor(storageType(constant.type), shape, fill);
    for (const [piece, start] of eachPiece(tensor)) {
      for (let i = 0; i < piece.length; i++) {
        if (Number.isFinite(piece[i])) continue;
        fail('onnx/not-finite', { name: constant.name, index: start + i, value: String(piece[i]) }, place);
      }
    }
    return { tensor };
  }
}

/** A constant's contents in the array type parameters use. */
function storage(constant: Constant): Tensor['data'] {
  const data = constant.data();
  if (data instanceof Int16Array || data instanceof Uint16Array) return Int32Array.from(data);
  return data;
}

/** Runs `work`, turning a DiagnosticError into its diagnostics. */
export function collecting<T>(diagnostics: Diagnostic[], work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof DiagnosticError)) throw error;
    diagnostics.push(...error.diagnostics);
    return undefined;
  }
}
