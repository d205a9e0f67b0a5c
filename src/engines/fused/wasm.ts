/**
 * A small encoder of WebAssembly's binary format: as much as kernels need, which is functions
 * without results over one imported memory, i32 arithmetic, loops and 128-bit vectors.
 * https://webassembly.github.io/spec/core/binary/
 */

import { type VectorOp, vectorOpcodes } from './opcodes.js';

/** A growing array of bytes with the format's variable-length integers. */
export class ByteWriter {
  private buffer = new Uint8Array(1024);
  private length = 0;

  byte(value: number): void {
    this.reserve(1);
    this.buffer[this.length++] = value;
  }

  bytes(values: Uint8Array): void {
    this.reserve(values.length);
    this.buffer.set(values, this.length);
    this.length += values.length;
  }

  /** Unsigned LEB128. */
  unsigned(value: number): void {
    let rest = value;
    while (rest >= 0x80) {
      this.byte((rest % 0x80) | 0x80);
      rest = Math.floor(rest / 0x80);
    }
    this.byte(rest);
  }

  /** Signed LEB128 of a 32-bit integer. */
  signed(value: number): void {
    let rest = value | 0;
    for (;;) {
      const low = rest & 0x7f;
      rest >>= 7;
      if ((rest === 0 && (low & 0x40) === 0) || (rest === -1 && (low & 0x40) !== 0)) {
        this.byte(low);
        return;
      }
      this.byte(low | 0x80);
    }
  }

  text(value: string): void {
    const encoded = new TextEncoder().encode(value);
    this.unsigned(encoded.length);
    this.bytes(encoded);
  }

  finish(): Uint8Array<ArrayBuffer> {
    return this.buffer.slice(0, this.length);
  }

  private reserve(count: number): void {
    if (this.length + count <= this.buffer.length) return;
    const larger = new Uint8Array(Math.max(this.buffer.length * 2, this.length + count));
    larger.set(this.buffer.subarray(0, this.length));
    this.buffer = larger;
  }
}

const loadOpcodes = { v128: 0, splat32: 9, splat64: 10, low32: 92, low64: 93 } as const;
/** `splat…` repeats one element, `low…` loads into the low bits and zeroes the rest. */
export type VectorLoad = keyof typeof loadOpcodes;

const laneStoreOpcodes = { 8: 88, 32: 90, 64: 91 } as const;

/** What a function of a loop's body is given. */
export const loopParams = 3;

/** The instructions of one function; its locals are declared as they are asked for. */
export class FunctionBody {
  private readonly code = new ByteWriter();
  /** Runs of locals: [how many, type]. */
  private readonly runs: [number, number][] = [];
  private locals: number;
  private readonly constants = new Map<string, number>();
  private readonly prologue = new ByteWriter();

  /** `params` integers are the first locals. */
  constructor(readonly params: 0 | typeof loopParams = 0) {
    this.locals = params;
  }

  local(type: 'i32' | 'v128'): number {
    const code = type === 'i32' ? 0x7f : 0x7b;
    const last = this.runs.at(-1);
    if (last !== undefined && last[1] === code) last[0]++;
    else this.runs.push([1, code]);
    return this.locals++;
  }

  get(local: number): void {
    this.code.byte(0x20);
    this.code.unsigned(local);
  }

  set(local: number): void {
    this.code.byte(0x21);
    this.code.unsigned(local);
  }

  i32(value: number): void {
    this.code.byte(0x41);
    this.code.signed(value);
  }

  /** i32 arithmetic on the two topmost values. */
  integer(op: 'add' | 'mul' | 'shl' | 'lt_u'): void {
    this.code.byte({ add: 0x6a, mul: 0x6c, shl: 0x74, lt_u: 0x49 }[op]);
  }

  /** `while (counter < limit) { body; counter += step }`, entered at least once. */
  loop(counter: number, limit: number, step: number, body: () => void): void {
    this.code.byte(0x03);
    this.code.byte(0x40);
    body();
    this.get(counter);
    this.i32(step);
    this.integer('add');
    this.code.byte(0x22);
    this.code.unsigned(counter);
    this.i32(limit);
    this.integer('lt_u');
    this.code.byte(0x0d);
    this.code.unsigned(0);
    this.code.byte(0x0b);
  }

  /** Fills (destination, byte, length) or copies (destination, source, length) memory. */
  bulk(op: 'fill' | 'copy'): void {
    this.code.byte(0xfc);
    this.code.unsigned(op === 'fill' ? 11 : 10);
    this.code.byte(0);
    if (op === 'copy') this.code.byte(0);
  }

  vector(op: VectorOp): void {
    this.code.byte(0xfd);
    this.code.unsigned(vectorOpcodes[op]);
  }

  shuffle(lanes: readonly number[]): void {
    this.vector('i8x16.shuffle');
    for (const lane of lanes) this.code.byte(lane);
  }

  /** Loads from the address on the stack plus `offset`. */
  load(kind: VectorLoad, offset: number): void {
    this.memory(loadOpcodes[kind], offset);
  }

  /** Loads one byte, extended to i32. */
  loadByte(signed: boolean, offset: number): void {
    this.code.byte(signed ? 0x2c : 0x2d);
    this.code.byte(0);
    this.code.unsigned(offset);
  }

  /** Loads an i32. */
  loadInteger(offset: number): void {
    this.code.byte(0x28);
    this.code.byte(0);
    this.code.unsigned(offset);
  }

  /** Stores the vector on the stack at the address under it plus `offset`. */
  store(offset: number): void {
    this.memory(11, offset);
  }

  storeLane(bits: 8 | 32 | 64, offset: number, lane: number): void {
    this.memory(laneStoreOpcodes[bits], offset);
    this.code.byte(lane);
  }

  /** Pushes a vector constant, made once at the function's start. */
  constant(bytes: Uint8Array): void {
    const key = bytes.join();
    let local = this.constants.get(key);
    if (local === undefined) {
      local = this.local('v128');
      this.constants.set(key, local);
      this.prologue.byte(0xfd);
      this.prologue.unsigned(12);
      this.prologue.bytes(bytes);
      this.prologue.byte(0x21);
      this.prologue.unsigned(local);
    }
    this.get(local);
  }

  /** The function's bytes as the code section wants them. */
  finish(): Uint8Array {
    const body = new ByteWriter();
    body.unsigned(this.runs.length);
    for (const [count, type] of this.runs) {
      body.unsigned(count);
      body.byte(type);
    }
    body.bytes(this.prologue.finish());
    body.bytes(this.code.finish());
    body.byte(0x0b);
    return body.finish();
  }

  private memory(opcode: number, offset: number): void {
    this.code.byte(0xfd);
    this.code.unsigned(opcode);
    this.code.byte(0); // alignment is a hint; unaligned access is allowed
    this.code.unsigned(offset);
  }
}

function section(id: number, content: ByteWriter, out: ByteWriter): void {
  const bytes = content.finish();
  out.byte(id);
  out.unsigned(bytes.length);
  out.bytes(bytes);
}

/** A module that imports `env.memory` of at least `pages` and exports each body as `k0`, `k1`, …, without results. */
export function encodeModule(bodies: readonly FunctionBody[], pages: number): Uint8Array<ArrayBuffer> {
  const out = new ByteWriter();
  out.bytes(new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]));
  const types = new ByteWriter();
  types.bytes(new Uint8Array([2, 0x60, 0, 0, 0x60, loopParams, ...new Array<number>(loopParams).fill(0x7f), 0]));
  section(1, types, out);
  const imports = new ByteWriter();
  imports.byte(1);
  imports.text('env');
  imports.text('memory');
  imports.bytes(new Uint8Array([2, 0]));
  imports.unsigned(pages);
  section(2, imports, out);
  const functions = new ByteWriter();
  functions.unsigned(bodies.length);
  for (const { params } of bodies) functions.byte(params === 0 ? 0 : 1);
  section(3, functions, out);
  const exports = new ByteWriter();
  exports.unsigned(bodies.length);
  bodies.forEach((_, i) => {
    exports.text(`k${i}`);
    exports.byte(0);
    exports.unsigned(i);
  });
  section(7, exports, out);
  const code = new ByteWriter();
  code.unsigned(bodies.length);
  for (const body of bodies) {
    const bytes = body.finish();
    code.unsigned(bytes.length);
    code.bytes(bytes);
  }
  section(10, code, out);
  return out.finish();
}
