import type { Tensor } from '../../base/dtype.js';
import { present } from '../../base/invariant.js';
import { broadcastData } from '../../tensor/arrays.js';
import { aligned } from './arena.js';

/** Constants that lie in the memory, each once per shape that it is repeated to. */
export class ConstantPool {
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
