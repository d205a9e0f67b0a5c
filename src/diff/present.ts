import { printType } from '../network/index.js';
import type { DiffDocument, Item, Row, Section, Table } from './document.js';
import { grouped } from './grouped.js';
import { amount, counted, ratio, showBoth, showValue, someOf } from './show.js';
import type { FieldChange, NetworkDiff, Renamed } from './types.js';
import { weightItems } from './present-weights.js';
import type { ProgramHunk } from './program-text.js';

/** Sums by name, side by side. */
export type CostSides = Readonly<Record<string, { readonly from: number; readonly to: number }>>;
/** A weighted layer's cost where it differs. */
export interface LayerCostSides {
  readonly id: string;
  readonly fields: CostSides;
}

export interface DiffView {
  readonly from: string;
  readonly to: string;
  readonly diff: NetworkDiff;
  readonly cost: CostSides;
  readonly cost_layers: readonly LayerCostSides[];
}

export interface PresentOptions {
  /** Everything, instead of what is readable at once. */
  readonly full: boolean;
}

const shownItems = 12;
const shownIds = 4;
const shownLines = 10;

/** A diff as sections: causes first, what follows from them grouped, weights, costs. */
export function presentDiff(view: DiffView, options: PresentOptions): DiffDocument {
  const { from, to, diff } = view;
  const ids = options.full ? Infinity : shownIds;
  const all: (Section | undefined)[] = [
    section('network', networkItems(diff), options),
    section('added', opItems(diff.added, 'added', options), options),
    section('removed', opItems(diff.removed, 'removed', options), options),
    section('renamed', renamedItems(diff.renamed), options),
    section('changed', groupChanges(diff.changed, diff.kinds, ids), options),
    section('weights', weightItems(diff.weights, ids), options),
    quiet(section('follows from it', consequenceItems(diff.consequences, ids), options)),
    section('notes', noteItems(diff), options),
    costSection(view, options),
  ];
  return {
    from,
    to,
    identical: diff.identical,
    summary: summaryOf(diff),
    sections: all.filter((s) => s !== undefined),
  };
}

/** The same of the programs they are lowered to: lines that differ, by op. */
export function presentPrograms(
  { from, to, diff, ...view }: DiffView,
  hunks: readonly ProgramHunk[],
  options: PresentOptions,
): DiffDocument {
  const ids = options.full ? Infinity : shownIds;
  const items = hunks.map(({ id, lines }): Item => {
    const most = options.full || lines.length <= shownLines + 1 ? lines.length : shownLines;
    const shown = lines.slice(0, most).map((line) => ({ mark: line[0] as '-' | '+' | ' ', text: line.slice(1) }));
    const left = lines.length - most;
    const rest = left === 0 ? [] : [{ mark: ' ' as const, text: `… ${left} more lines` }];
    return {
      mark: 'changed',
      text: id === '' ? 'inputs and parameters' : `%${id}`,
      rows: [{ name: '', lines: [...shown, ...rest] }],
    };
  });
  const sections = [
    section('program', items, options),
    section('weights', weightItems(diff.weights, ids), options),
    costSection({ from, to, diff, ...view }, options),
  ].filter((s) => s !== undefined);
  const identical = hunks.length === 0 && diff.weights.every(({ equal }) => equal);
  const lines = hunks.flatMap((hunk) => hunk.lines).filter((line) => !line.startsWith(' ')).length;
  const summary = identical
    ? 'identical programs'
    : `${counted(lines, 'line')} of ${counted(hunks.length, 'op')} differ`;
  return { from, to, identical, summary, sections };
}

/** `2 changed, 1 added, 3 of 12 weights differ` */
export function summaryOf(diff: NetworkDiff): string {
  if (diff.identical) return `identical: ${counted(diff.matched, 'op')}, ${counted(diff.weights.length, 'parameter')}`;
  const changed = new Set(diff.changed.map(({ id }) => id)).size;
  const follow = new Set(diff.consequences.map(({ id }) => id)).size;
  const weights = diff.weights.filter(({ equal }) => !equal).length;
  const parts: (readonly [number, string])[] = [
    [diff.network.length, `${counted(diff.network.length, 'setting')} of the network`],
    [diff.added.length, `${diff.added.length} added`],
    [diff.removed.length, `${diff.removed.length} removed`],
    [diff.renamed.length, `${diff.renamed.length} renamed`],
    [changed, `${changed} changed`],
    [weights, `${weights} of ${counted(diff.weights.length, 'parameter')} differ`],
    [follow, `${follow} affected`],
  ];
  const said = parts.filter(([count]) => count > 0).map(([, text]) => text);
  return said.length === 0 ? 'notes differ' : said.join(', ');
}

function section(title: string, items: readonly Item[], { full }: PresentOptions): Section | undefined {
  if (items.length === 0) return undefined;
  const shown = full || items.length <= shownItems + 1 ? items : items.slice(0, shownItems);
  return { title, items: shown, left: items.length - shown.length };
}

function quiet(of: Section | undefined): Section | undefined {
  return of === undefined ? undefined : { ...of, tone: 'quiet' };
}

function networkItems({ network }: NetworkDiff): readonly Item[] {
  return network.map(({ field, from, to }) => {
    const both = showBoth(from, to);
    return { mark: 'changed', text: `${field}  ${both.from} → ${both.to}`, rows: [] };
  });
}

type OpMark = 'added' | 'removed';

/** An op a line; where they are many, those of one block share it: `%stage1.0.re.*  6 × conv, add …`. */
function opItems(ops: NetworkDiff['added'], mark: OpMark, { full }: PresentOptions): readonly Item[] {
  if (full || ops.length <= shownItems + 1) return ops.map(opItem(mark));
  const depths = Math.max(...ops.map(({ id }) => id.split('.').length));
  for (let depth = depths - 1; depth > 0; depth--) {
    const groups = grouped(ops, ({ id }) => id.split('.').slice(0, depth).join('.'));
    if (groups.size <= shownItems) return [...groups].flatMap(([block, members]) => blockItem(block, members, mark));
  }
  return ops.map(opItem(mark));
}

function blockItem(block: string, ops: NetworkDiff['added'], mark: OpMark): readonly Item[] {
  if (ops.length === 1) return ops.map(opItem(mark));
  const kinds = [...new Set(ops.map(({ kind }) => kind))];
  return [{ mark, text: `%${block}.*`, detail: `${ops.length} ops: ${kinds.join(', ')}`, rows: [] }];
}

function opItem(mark: OpMark): (op: NetworkDiff['added'][number]) => Item {
  return (op) => ({
    mark,
    text: `%${op.id}`,
    detail: `${op.kind === 'neuron' ? `neuron.${op.attrs.neuron}` : op.kind}${op.inputs.length === 0 ? '' : ` of ${someOf(op.inputs, 3)}`} : ${printType(op.type)}`,
    rows: [],
  });
}

/** Ids that differ in one place are one line: `stem.* → trunk.*`. */
function renamedItems(renamed: readonly Renamed[]): readonly Item[] {
  const groups = grouped(renamed, (pair) => differingPart(pair).join('\0'));
  return [...groups].flatMap(([key, pairs]) => {
    if (pairs.length === 1) return pairs.map(renamedItem);
    const [from, to] = key.split('\0');
    return [{ mark: 'renamed' as const, text: `%${from} → %${to}`, detail: counted(pairs.length, 'op'), rows: [] }];
  });
}

function renamedItem({ from, to }: Renamed): Item {
  return { mark: 'renamed', text: `%${from} → %${to}`, rows: [] };
}

/** Both ids up to where their last parts begin to agree. */
function differingPart({ from, to }: Renamed): readonly [string, string] {
  const [a, b] = [from.split('.'), to.split('.')];
  let common = 0;
  while (common < Math.min(a.length, b.length) - 1 && a.at(-1 - common) === b.at(-1 - common)) common++;
  const head = (parts: readonly string[]): string =>
    [...parts.slice(0, parts.length - common), ...(common > 0 ? ['*'] : [])].join('.');
  return [head(a), head(b)];
}

/** Ops that changed in the same way are one item. */
export function groupChanges(
  changes: readonly FieldChange[],
  kinds: ReadonlyMap<string, string>,
  shown: number,
): readonly Item[] {
  const groups = grouped(
    grouped(changes, ({ id }) => id),
    ([id, fields]) => JSON.stringify([kinds.get(id), fields.map(({ field, from, to }) => [field, from, to])]),
  );
  return [...groups.values()].map((ops) => {
    const ids = ops.map(([id]) => id);
    const [id, fields] = ops[0]!;
    const kind = kinds.get(id) ?? '';
    return {
      mark: 'changed',
      text: someOf(ids, shown),
      detail: ids.length === 1 ? kind : `${ids.length} × ${kind}`,
      rows: fields.map(rowOf),
    };
  });
}

function rowOf({ field, from, to }: Pick<FieldChange, 'field' | 'from' | 'to'>): Row {
  const [a, b] = [linesOf(from), linesOf(to)];
  if (field === 'inputs' || (a === undefined && b === undefined)) return { name: field, ...showBoth(from, to) };
  const [before, after] = [a ?? [], b ?? []];
  return {
    name: field,
    lines: [
      ...before.filter((text) => !after.includes(text)).map((text) => ({ mark: '-' as const, text })),
      ...after.filter((text) => !before.includes(text)).map((text) => ({ mark: '+' as const, text })),
    ],
  };
}

/** Equations are lists of lines. */
function linesOf(value: FieldChange['from']): readonly string[] | undefined {
  return typeof value === 'object' && value !== null && value.length > 0 && value.every((v) => typeof v === 'string')
    ? value
    : undefined;
}

/** One item a field and pair of values, whatever ops it meets. */
function consequenceItems(consequences: readonly FieldChange[], shown: number): readonly Item[] {
  const textOf = ({ field, from, to }: FieldChange): string => {
    if (field === 'inputs') return `inputs  ${idsOf(from)} → ${idsOf(to)}`;
    const both = showBoth(from, to);
    return `${field}  ${both.from} → ${both.to}`;
  };
  const groups = [...grouped(consequences, textOf)].sort(([, a], [, b]) => b.length - a.length);
  return groups.map(([text, ops]) => ({
    mark: 'changed',
    text,
    detail:
      ops.length === 1
        ? `%${ops[0]!.id}`
        : `${ops.length} ops: ${someOf(
            ops.map(({ id }) => id),
            shown,
          )}`,
    rows: [],
  }));
}

function idsOf(value: FieldChange['from']): string {
  return Array.isArray(value) ? value.map((id) => `%${String(id)}`).join(', ') : showValue(value);
}

function noteItems({ notes }: NetworkDiff): readonly Item[] {
  return [
    ...notes.removed.map((text): Item => ({ mark: 'removed', text, rows: [] })),
    ...notes.added.map((text): Item => ({ mark: 'added', text, rows: [] })),
  ];
}

/** What is shown of the costs without `full`. */
const mainCosts = [
  'macs',
  'params',
  'weight_bits',
  'spike_bits',
  'steps',
  'bit_budget',
  's_ace',
  'size_bytes',
  'latency_steps',
];

const costNames: Readonly<Record<string, string>> = {
  macs: 'MACs',
  s_ace: 'S-ACE',
  s_ace_squeezed: 'S-ACE, squeezed',
  s_ace_spikes: 'S-ACE of spikes',
  real_macs: 'MACs of reals',
  size_bytes: 'bytes',
  latency_steps: 'latency, steps',
};

export function costName(field: string): string {
  return costNames[field] ?? field.replaceAll('_', ' ');
}

function costSection({ cost, cost_layers: layers, diff }: DiffView, { full }: PresentOptions): Section | undefined {
  const rows = Object.entries(cost).filter(
    ([name, { from, to }]) => (full || mainCosts.includes(name)) && (from !== 0 || to !== 0),
  );
  if (rows.length === 0 || diff.identical) return undefined;
  const line = (name: string, { from, to }: { readonly from: number; readonly to: number }): readonly string[] => [
    name,
    amount(from),
    amount(to),
    ratio(from, to),
  ];
  const perLayer = full
    ? layers.flatMap(({ id, fields }) =>
        Object.entries(fields).map(([f, sides]) => line(`%${id} ${costName(f)}`, sides)),
      )
    : [];
  const table: Table = {
    head: ['cost', 'from', 'to', 'ratio'],
    rows: [...rows.map(([field, sides]) => line(costName(field), sides)), ...perLayer],
  };
  return { title: 'cost', items: [], table, left: 0 };
}
