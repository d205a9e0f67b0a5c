import { type Outcome, diagnostic } from '../base/diagnostics/index.js';
import { type DType, type Tensor, byteWidth, elementCount, tensor } from '../base/dtype.js';
import type { Source } from '../base/source.js';
import { primKinds } from './ops/index.js';
import type { Dim, OpAttr, PrimKind, Program, ProgramInput, ProgramParam, TensorOp, ValueInfo } from './types.js';
import { verify } from './verify.js';

/** Reads the text form that `printProgram` writes; `params` holds the values of the parameters by id. */
export function parseProgram(source: Source, params: ReadonlyMap<string, Tensor> = new Map()): Outcome<Program> {
  let program: Program;
  try {
    program = new ProgramParser(source, params).program();
  } catch (error) {
    if (!(error instanceof TextError)) throw error;
    const span = { source, start: error.at, end: Math.min(error.at + 1, source.text.length) };
    return { diagnostics: [diagnostic('engine/program-syntax', { problem: error.message }, span)] };
  }
  const diagnostics = verify(program).map((problem) =>
    diagnostic('engine/program-syntax', { problem }, { file: source.name }),
  );
  return diagnostics.length > 0 ? { diagnostics } : { value: program, diagnostics };
}

class TextError extends Error {
  readonly at: number;
  constructor(message: string, at: number) {
    super(message);
    this.at = at;
  }
}

const token =
  /\s*(?:("(?:[^"\\]|\\.)*")|(-?(?:Infinity|NaN|\d[\w.+-]*))|([A-Za-z_]\w*)|(%[\w.\-/#]+|%"(?:[^"\\]|\\.)*")|([[\](){},:=]))/y;

class ProgramParser {
  readonly #source: Source;
  readonly #values: ReadonlyMap<string, Tensor>;
  #at = 0;

  constructor(source: Source, params: ReadonlyMap<string, Tensor>) {
    this.#source = source;
    this.#values = params;
  }

  program(): Program {
    const program = this.#program();
    if (!this.#atEnd()) this.#fail(`expected the end, found "${this.#peek()}"`);
    return program;
  }

  /** To the end, or to the brace that ends the op whose body it is. */
  #program(): Program {
    const inputs: ProgramInput[] = [];
    const params: ProgramParam[] = [];
    const ops: TensorOp[] = [];
    const outputs = new Map<string, string>();
    this.#expect('program');
    const name = this.#string();
    while (!this.#atEnd() && this.#peek() !== '}' && this.#peek() !== ',') {
      if (this.#accept('output')) {
        const output = this.#string();
        this.#expect('=');
        outputs.set(output, this.#id());
        continue;
      }
      const start = this.#at;
      const id = this.#id();
      this.#expect('=');
      const kind = this.#next();
      if (kind === 'input') inputs.push({ id, ...this.#type() });
      else if (kind === 'param') params.push(this.#param(id, start));
      else ops.push(this.#op(id, kind));
    }
    return { name, inputs, params, ops, outputs: Object.fromEntries(outputs) };
  }

  #param(id: string, start: number): ProgramParam {
    const type = this.#type();
    const data = this.#values.get(id);
    if (data === undefined) throw new TextError(`there are no values for the param "${id}"`, start);
    return { id, ...type, data };
  }

  #op(id: string, kind: string): TensorOp {
    if (!primKinds.includes(kind as PrimKind)) this.#fail(`there is no primitive "${kind}"`);
    const inputs: string[] = [];
    while (this.#peek().startsWith('%')) {
      inputs.push(this.#id());
      if (!this.#accept(',')) break;
    }
    const attrs = new Map<string, OpAttr>();
    if (this.#accept('{')) {
      do {
        const key = this.#next();
        this.#expect('=');
        attrs.set(key, this.#attr(key));
      } while (this.#accept(','));
      this.#expect('}');
    }
    const op = { id, kind: kind as PrimKind, inputs, attrs: Object.fromEntries(attrs), ...this.#type() };
    const from = this.#accept('from') ? { from: this.#string() } : {};
    const after = this.#accept('after') ? { after: this.#id() } : {};
    return { ...op, ...from, ...after };
  }

  #attr(key: string): OpAttr {
    const next = this.#peek();
    if (next === 'program') return this.#program();
    if (next.startsWith('"')) return this.#string();
    if (next === 'true' || next === 'false') return this.#next() === 'true';
    if (next === '[') return this.#shape();
    if (next in byteWidth) return this.#tensor();
    if (/^[-\dIN]/.test(next)) return this.#number();
    return this.#fail(`attribute ${key} can't be ${next === '' ? 'missing' : `"${next}"`}`);
  }

  /** `f32[2](0.5 -1)`. */
  #tensor(): Tensor {
    const dtype = this.#next() as DType;
    const shape = this.#shape() as number[];
    this.#expect('(');
    const values: number[] = [];
    while (!this.#accept(')')) values.push(this.#number());
    if (values.length !== elementCount(shape)) this.#fail(`${values.length} values for shape [${shape.join(',')}]`);
    return tensor(dtype, shape, values);
  }

  /** `: f32[8N,3]`. */
  #type(): ValueInfo {
    this.#expect(':');
    return this.#accept('(') ? this.#tuple() : this.#plainType();
  }

  /** `(f32[8N,3], f32[N,3])`. */
  #tuple(): ValueInfo {
    const parts: ValueInfo[] = [];
    do parts.push(this.#plainType());
    while (this.#accept(','));
    this.#expect(')');
    return { dtype: 'f32', shape: [0], parts };
  }

  #plainType(): ValueInfo {
    const dtype = this.#next();
    if (!(dtype in byteWidth)) this.#fail(`there is no number format "${dtype}"`);
    return { dtype: dtype as DType, shape: this.#shape() };
  }

  /** `[8N,3]`; also a plain list of numbers. */
  #shape(): Dim[] {
    const dims: Dim[] = [];
    this.#expect('[');
    while (!this.#accept(']')) {
      const text = this.#next();
      const batch = /^(\d*)N$/.exec(text);
      dims.push(batch === null ? this.#numeric(text) : { batch: batch[1] === '' ? 1 : Number(batch[1]) });
      if (this.#peek() !== ']') this.#expect(',');
    }
    return dims;
  }

  #number(): number {
    return this.#numeric(this.#next());
  }

  #numeric(text: string): number {
    const value = Number(text);
    if (text === '' || (Number.isNaN(value) && text !== 'NaN')) this.#fail(`expected a number, found "${text}"`);
    return value;
  }

  #string(): string {
    const text = this.#next();
    if (!text.startsWith('"')) this.#fail(`expected a name in quotes, found "${text}"`);
    return this.#unquoted(text);
  }

  #id(): string {
    const text = this.#next();
    if (!text.startsWith('%')) this.#fail(`expected a value like %x, found "${text}"`);
    return text[1] === '"' ? this.#unquoted(text.slice(1)) : text.slice(1);
  }

  #unquoted(text: string): string {
    try {
      return JSON.parse(text) as string;
    } catch {
      return this.#fail(`${text} is not a JSON string`);
    }
  }

  #expect(text: string): void {
    if (!this.#accept(text)) this.#fail(`expected "${text}", found "${this.#peek()}"`);
  }

  #accept(text: string): boolean {
    if (this.#peek() !== text) return false;
    this.#next();
    return true;
  }

  #peek(): string {
    const before = this.#at;
    const text = this.#next();
    this.#at = before;
    return text;
  }

  /** The next token; empty at the end. */
  #next(): string {
    token.lastIndex = this.#at;
    const match = token.exec(this.#source.text);
    if (match === null) {
      if (this.#atEnd()) return '';
      return this.#fail(`"${this.#source.text.slice(this.#at).trimStart()[0]}" has no meaning here`);
    }
    this.#at = token.lastIndex;
    return match[0].trimStart();
  }

  #atEnd(): boolean {
    return this.#source.text.slice(this.#at).trim() === '';
  }

  #fail(message: string): never {
    throw new TextError(message, this.#at);
  }
}
