/** What a diff shows, before it is text, Markdown or HTML. */
export interface DiffDocument {
  readonly from: string;
  readonly to: string;
  readonly identical: boolean;
  /** One line: `2 changed, 1 added`. */
  readonly summary: string;
  readonly sections: readonly Section[];
}

export interface Section {
  readonly title: string;
  /** `consequences` are shown more quietly. */
  readonly tone?: 'quiet';
  readonly items: readonly Item[];
  readonly table?: Table;
  /** How many items are left out; `--full` shows them. */
  readonly left: number;
}

export type Mark = 'added' | 'removed' | 'changed' | 'renamed' | 'equal';

/** A thing that differs, with its fields. */
export interface Item {
  readonly mark: Mark;
  readonly text: string;
  readonly detail?: string;
  readonly rows: readonly Row[];
}

/** A field's two values, or its lines where it has several. */
export type Row =
  | { readonly name: string; readonly from: string; readonly to: string }
  | { readonly name: string; readonly lines: readonly Line[] };

export interface Line {
  readonly mark: '-' | '+' | ' ';
  readonly text: string;
}

export interface Table {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}
