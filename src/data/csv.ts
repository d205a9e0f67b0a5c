import { fail } from '../base/diagnostics/index.js';
import { type Dataset, batchCount } from './dataset.js';
import type { FileKind } from './class-folders.js';
import { isFile, readText } from './files.js';
import { mostClasses } from './npy.js';
import { type Sample, openSampleFiles } from './sample-files.js';

export const csvFiles: FileKind = { form: 'csv', ends: ['.csv'], none: 'data/no-files' };

/** Bytes of a table at most (a text has as many letters at most), and numbers. */
const limit = 2 ** 29 - 2 ** 10;
const mostNumbers = 2 ** 26;

/** Numbers of a table, row by row. */
interface Table {
  readonly file: string;
  /** Names of the columns, where the first line has some. */
  readonly names?: readonly string[];
  readonly columns: number;
  readonly rows: number;
  readonly at: (row: number, column: number) => number;
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
  const { columns, rows, at } = readTable(path);
  const values = Float32Array.from({ length: rows * columns }, (_, i) => at(Math.floor(i / columns), i % columns));
  return { shape: [rows, columns], values };
}

function badLine(file: string, line: number, reason: string, help?: string): never {
  return fail('data/bad-csv', { file, line, reason }, undefined, { help });
}

function readTable(file: string): Table {
  const text = readText(file, { limit }).trimEnd();
  if (text === '') return badLine(file, 1, 'the file is empty');
  const count = linesIn(text);
  let values = new Float64Array(0);
  let [names, columns]: [readonly string[] | undefined, number] = [undefined, 0];
  let from = 0;
  for (let line = 1; line <= count; line++) {
    const end = lineEnd(text, from);
    const cells = cellsOf(text.slice(from, end));
    from = end + (text.startsWith('\r\n', end) ? 2 : 1);
    if (line === 1) {
      if (cells.length === 1 && /[;\t]/.test(text.slice(0, end)))
        badLine(file, 1, 'there is no comma in it', 'columns are separated by commas: save it with sep=","');
      columns = cells.length;
      const named = cells.some((cell) => cell === '' || !Number.isFinite(Number(cell)));
      const rows = named ? count - 1 : count;
      if (rows === 0) badLine(file, 1, 'there are no rows behind the heading');
      if (rows * columns > mostNumbers) tooMany(file, rows, columns);
      values = new Float64Array(rows * columns);
      if (named) {
        names = cells;
        continue;
      }
    }
    if (cells.length !== columns)
      badLine(file, line, `it has ${cells.length} ${cells.length === 1 ? 'column' : 'columns'}, and the first line ${columns}`);
    const row = names === undefined ? line - 1 : line - 2;
    for (let column = 0; column < columns; column++) values[row * columns + column] = numberOf(file, line, cells, column);
  }
  const before = names === undefined ? 1 : 2;
  return {
    file,
    ...(names === undefined ? {} : { names }),
    columns,
    rows: values.length / columns,
    at: (row, column) => values[row * columns + column]!,
    lineOf: (row) => row + before,
  };
}

function tooMany(file: string, rows: number, columns: number): never {
  const reason = `${rows} rows of ${columns} columns are more than the ${mostNumbers} numbers that are kept of a table`;
  const help = 'write them as arrays, which are read from the disk batch by batch: numpy.savez("data.npz", images=x, labels=y)';
  return badLine(file, 1, reason, help);
}

function numberOf(file: string, line: number, cells: readonly string[], column: number): number {
  const cell = cells[column]!;
  const value = cell === '' ? Number.NaN : Number(cell);
  if (Number.isFinite(value) && Number.isFinite(Math.fround(value))) return value;
  return badLine(file, line, `"${cell.slice(0, 40)}" in column ${column + 1} is not a finite number`);
}

/** Where a line ends that begins at `from`: at a line feed, a carriage return or both. */
function lineEnd(text: string, from: number): number {
  for (let at = from; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 10 || code === 13) return at;
  }
  return text.length;
}

function linesIn(text: string): number {
  let count = 1;
  for (let at = lineEnd(text, 0); at < text.length; at = lineEnd(text, at + (text.startsWith('\r\n', at) ? 2 : 1))) count++;
  return count;
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
  const { file, rows, at, lineOf } = table;
  const { label, sample, targets, features } = columnsOf(table);
  const starts = sample === undefined ? Uint32Array.from({ length: rows }, (_, i) => i) : startsOf(table, sample);
  const length = starts.length;
  const endOf = (i: number): number => starts[i + 1] ?? rows;
  const steps = wanted ?? endOf(0);
  if (sample !== undefined && wanted === undefined) {
    const i = starts.findIndex((start, n) => endOf(n) - start !== steps);
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
  const width = targets.length;
  const numbers = Float32Array.from({ length: length * width }, (_, i) => at(starts[Math.floor(i / width)]!, targets[i % width]!));
  for (const column of [label, ...targets])
    if (column !== undefined && sample !== undefined) constantIn(table, starts, column);
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
            images[i * size + (row - start) * features.length + f] = at(row, column);
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
function startsOf({ file, rows, at, lineOf }: Table, column: number): Uint32Array {
  const seen = new Set<number>();
  const starts: number[] = [];
  for (let row = 0; row < rows; row++) {
    const sample = at(row, column);
    if (row > 0 && at(row - 1, column) === sample) continue;
    if (seen.has(sample))
      badLine(file, lineOf(row), `sample ${sample} goes on behind another one`, 'sort the table by sample, keeping the order of steps');
    seen.add(sample);
    starts.push(row);
  }
  return Uint32Array.from(starts);
}

function classOf({ file, at, lineOf }: Table, row: number, column: number): number {
  const value = at(row, column);
  if (Number.isInteger(value) && value >= 0 && value < mostClasses) return value;
  return badLine(file, lineOf(row), `the label ${value} is no class, a whole number from 0`, 'numbers to be learned stand in columns "target…"');
}

function constantIn({ file, rows, at, names, lineOf }: Table, starts: Uint32Array, column: number): void {
  starts.forEach((start, i) => {
    for (let row = start; row < (starts[i + 1] ?? rows); row++)
      if (at(row, column) !== at(start, column))
        badLine(file, lineOf(row), `"${names![column]}" changes within a sample`, 'a sample has one label; it stands in each of its rows');
  });
}
