/** The root table of a FlatBuffer; fields that are absent are 0 or empty. */
export class FlatTable {
  readonly #view: DataView;
  readonly #table: number;
  readonly #fields: number;
  readonly #fieldsSize: number;

  constructor(
    readonly bytes: Uint8Array,
    /** Says what is wrong and where. */
    readonly bad: (at: number, reason: string) => never,
  ) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#table = this.#within(0, 4) ? this.#view.getUint32(0, true) : 0;
    if (!this.#within(this.#table, 4)) bad(0, 'a FlatBuffer is damaged');
    this.#fields = this.#table - this.#view.getInt32(this.#table, true);
    if (!this.#within(this.#fields, 4)) bad(this.#table, 'a FlatBuffer is damaged');
    this.#fieldsSize = this.#view.getUint16(this.#fields, true);
    if (!this.#within(this.#fields, this.#fieldsSize)) bad(this.#fields, 'a FlatBuffer is damaged');
  }

  #within(at: number, size: number): boolean {
    return at >= 0 && at + size <= this.bytes.length;
  }

  /** Where a field of so many bytes lies. */
  #field(index: number, size: number): number | undefined {
    const slot = 4 + 2 * index;
    if (slot + 2 > this.#fieldsSize) return undefined;
    const offset = this.#view.getUint16(this.#fields + slot, true);
    if (offset === 0) return undefined;
    const at = this.#table + offset;
    return this.#within(at, size) ? at : this.bad(this.#fields + slot, 'a FlatBuffer is damaged');
  }

  int32(index: number): number {
    const at = this.#field(index, 4);
    return at === undefined ? 0 : this.#view.getInt32(at, true);
  }

  int64(index: number): number {
    const at = this.#field(index, 8);
    return at === undefined ? 0 : Number(this.#view.getBigInt64(at, true));
  }

  /** A vector of structs of `size` bytes: where it starts and how many there are. */
  vector(index: number, size: number): { readonly start: number; readonly count: number } {
    const at = this.#field(index, 4);
    if (at === undefined) return { start: 0, count: 0 };
    const vector = at + this.#view.getUint32(at, true);
    if (!this.#within(vector, 4)) return this.bad(at, 'a FlatBuffer is damaged');
    const count = this.#view.getUint32(vector, true);
    if (!this.#within(vector + 4, count * size)) return this.bad(vector, 'a FlatBuffer is damaged');
    return { start: vector + 4, count };
  }

  text(index: number): string {
    const { start, count } = this.vector(index, 1);
    return new TextDecoder().decode(this.bytes.subarray(start, start + count));
  }
}
