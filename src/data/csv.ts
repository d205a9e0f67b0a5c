import { fail } from '../base/diagnostics/index.js';
import { type Dataset, batchCount } from './dataset.js';
import type { FileKind } from './class-folders.js';
import { isFile, readText } from './files.js';
import { mostClasses } from './npy.js';
import { type Sample, openSampleFiles } from './sample-files.js';

export const csvFiles: FileKind = { form: 'csv', ends: ['.csv'], none: 'data/no-files' };

/** Bytes of a table at most. */
const limit = 2 ** 29;

/** Numbers of a table, row by row. */
interface Table {
  readonly file: string;
  /** Names of the columns, where the first line has some. */
  readonly names?: readonly string[];
  readonly columns: number;
  readonly rows: readonly Float64Array[];
  /** The line of a row, from 1. */
  readonly lineOf: (row: number) => number;
}

/**
 * `csv:FILE`: a table whose first line names its columns: `label` (a class) or `target…` (numbers to be learned), perhaps
 * `sample` (rows of one sample are its steps), and features. `csv:FOLDER`: a table a sample, [steps, features], in folders,
 * one a class.
 */
export function openCsv(name: string, path: string, steps?: number): Dataset {
  if (isFile(path)) return ofTable(name, readTable(path), steps);
  return openSampleFiles(name, path, csvFiles, { read: sampleOf, steps, type: 'f4', scale: 1 });
}

function sampleOf(path: string): Sample {
  const { columns, rows } = readTable(path);
  const values = new Float32Array(rows.length * columns);
  rows.forEach((row, i) => values.set(row, i * columns));
  return { shape: [rows.length, columns], values };
}

function badLine(file: string, line: number, reason: string, help?: string): never {
  return fail('data/bad-csv', { file, line, reason }, undefined, { help });
}

function readTable(file: string): Table {
  const lines = readText(file, { limit }).split(/\r\n|\n|\r/);
  while (lines.length > 0 && lines.at(-1)!.trim() === '') lines.pop();
  if (lines.length === 0) return badLine(file, 1, 'the file is empty');
  const first = cellsOf(lines[0]!);
  if (first.length === 1 && /[;\t]/.test(lines[0]!))
    badLine(file, 1, 'there is no comma in it', 'columns are separated by commas: save it with sep=","');
  const named = first.some((cell) => cell === '' || !Number.isFinite(Number(cell)));
  const columns = first.length;
  const rows: Float64Array[] = [];
  for (let i = named ? 1 : 0; i < lines.length; i++) {
    const cells = cellsOf(lines[i]!);
    if (cells.length !== columns)
      badLine(file, i + 1, `it has ${cells.length} columns, and the first line ${columns}`);
    rows.push(
      Float64Array.from(cells, (cell, column) => {
        const value = cell === '' ? Number.NaN : Number(cell);
        if (Number.isFinite(value) && Number.isFinite(Math.fround(value))) return value;
        return badLine(file, i + 1, `"${cell.slice(0, 40)}" in column ${column + 1} is not a finite number`);
      }),
    );
  }
  if (rows.length === 0) badLine(file, 1, 'there are no rows behind the heading');
  return { file, ...(named ? { names: first } : {}), columns, rows, lineOf: (row) => row + (named ? 2 : 1) };
}

function cellsOf(line: string): string[] {
  return line.split(',').map((cell) => cell.trim().replace(/^"(.*)"$/, '$1'));
}

/** Columns by what they are for. */
function columnsOf({ file, names }: Table) {
  if (names === undefined)
    return badLine(file, 1, 'no line names the columns', 'write a first line, such as: label,x1,x2');
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) badLine(file, 1, `two columns are named "${twice}"`);
  const places = (is: (name: string) => boolean): number[] => names.flatMap((name, i) => (is(name) ? [i] : []));
  const [label] = places((name) => name === 'label');
  const [sample] = places((name) => name === 'sample');
  const targets = places((name) => name.startsWith('target'));
  const features = places((name) => name !== 'label' && name !== 'sample' && !name.startsWith('target'));
  if (label !== undefined && targets.length > 0)
    badLine(file, 1, 'there are both a column "label" and columns "target…"', 'leave one of them out');
  if (features.length === 0) badLine(file, 1, 'there is no column of features');
  return { label, sample, targets, features };
}

function ofTable(name: string, table: Table, wanted: number | undefined): Dataset {
  const { file, rows, lineOf } = table;
  const { label, sample, targets, features } = columnsOf(table);
  const starts = sample === undefined ? rows.map((_, i) => i) : startsOf(table, sample);
  const length = starts.length;
  const endOf = (i: number): number => starts[i + 1] ?? rows.length;
  const steps = wanted ?? endOf(0);
  if (sample !== undefined && wanted === undefined) {
    const i = starts.findIndex((start, at) => endOf(at) - start !== steps);
    const help = `say how many steps each has: csv:${file}#steps=${steps}; longer ones are cut, shorter ones filled up with zeros`;
    if (i !== -1) {
      const count = endOf(i) - starts[i]!;
      fail('data/bad-csv', { file, line: lineOf(starts[i]!), reason: `sample ${i} has ${count} rows, and the first ${steps}` }, undefined, { help });
    }
  }
  if (sample === undefined && wanted !== undefined)
    badLine(file, 1, 'no column "sample" says which rows are steps of one sample');
  const shape = sample === undefined ? [features.length] : [steps, features.length];
  const size = shape.reduce((all, n) => all * n, 1);
  const labels = Int32Array.from(starts, (row) => (label === undefined ? 0 : classOf(table, row, label)));
  const numbers = Float32Array.from(starts.flatMap((row) => targets.map((column) => rows[row]![column]!)));
  for (const column of [label, ...targets])
    if (column !== undefined && sample !== undefined) constantIn(table, starts, column);
  const width = targets.length;
  return {
    name,
    shape,
    classes: width > 0 ? 0 : labels.reduce((most, one) => Math.max(most, one), 0) + 1,
    classesKnown: false,
    length,
    type: 'f4',
    scale: 1,
    ...(width > 0 ? { targets: width } : {}),
    labelled: label !== undefined || width > 0,
    notes: [],
    read(from, asked) {
      const count = batchCount({ length }, from, asked);
      const images = new Float32Array(count * size);
      for (let i = 0; i < count; i++) {
        const start = starts[from + i]!;
        const until = Math.min(endOf(from + i), start + size / features.length);
        for (let row = start; row < until; row++)
          features.forEach((column, f) => {
            images[i * size + (row - start) * features.length + f] = rows[row]![column]!;
          });
      }
      return {
        count,
        images,
        labels: labels.slice(from, from + count),
        ...(width > 0 ? { targets: numbers.slice(from * width, (from + count) * width) } : {}),
      };
    },
    close: () => undefined,
  };
}

/** The first rows of samples, whose rows stand together. */
function startsOf({ file, rows, lineOf }: Table, column: number): number[] {
  const seen = new Set<number>();
  const starts: number[] = [];
  rows.forEach((row, i) => {
    const sample = row[column]!;
    if (i > 0 && rows[i - 1]![column] === sample) return;
    if (seen.has(sample))
      badLine(file, lineOf(i), `sample ${sample} goes on behind another one`, 'sort the table by sample, keeping the order of steps');
    seen.add(sample);
    starts.push(i);
  });
  return starts;
}

function classOf({ file, rows, lineOf }: Table, row: number, column: number): number {
  const value = rows[row]![column]!;
  if (Number.isInteger(value) && value >= 0 && value < mostClasses) return value;
  return badLine(file, lineOf(row), `the label ${value} is no class, a whole number from 0`, 'numbers to be learned stand in columns "target…"');
}

function constantIn({ file, rows, names, lineOf }: Table, starts: readonly number[], column: number): void {
  starts.forEach((start, i) => {
    for (let row = start; row < (starts[i + 1] ?? rows.length); row++)
      if (rows[row]![column] !== rows[start]![column])
        badLine(file, lineOf(row), `"${names![column]}" changes within a sample`, 'a sample has one label; it stands in each of its rows');
  });
}
