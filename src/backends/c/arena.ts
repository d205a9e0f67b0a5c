import { type CType, ctypes } from './ctypes.js';

/** Working memory of a value: from the step that writes it to the last that reads it. */
export interface Buffer {
  readonly type: CType;
  readonly count: number;
  from: number;
  to: number;
  /** In bytes, once the arena is laid out. */
  offset: number;
}

/** The working memory of a network: buffers that aren't needed at the same time share their bytes. */
export class Arena {
  readonly buffers: Buffer[] = [];

  add(type: CType, count: number, from: number, to = from): Buffer {
    const buffer: Buffer = { type, count, from, to, offset: -1 };
    this.buffers.push(buffer);
    return buffer;
  }

  /** Gives every buffer its place, the largest first; returns how many bytes they need in all. */
  layOut(): number {
    const bytes = (one: Buffer): number => (one.count * ctypes[one.type].bytes + 7) & ~7;
    const placed: Buffer[] = [];
    let size = 0;
    for (const buffer of [...this.buffers].sort((a, b) => bytes(b) - bytes(a))) {
      const others = placed
        .filter((other) => other.from <= buffer.to && buffer.from <= other.to)
        .sort((a, b) => a.offset - b.offset);
      let at = 0;
      for (const other of others) {
        if (other.offset - at >= bytes(buffer)) break;
        at = Math.max(at, other.offset + bytes(other));
      }
      buffer.offset = at;
      placed.push(buffer);
      size = Math.max(size, at + bytes(buffer));
    }
    return size;
  }
}
