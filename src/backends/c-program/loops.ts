import type { ValueInfo } from '../../tensor/index.js';
import { type Index, Elements, isFlat, ofBytes } from './elements.js';
import { type Expression, cTypes, literal } from './expressions.js';
import {
  type Linear,
  constant,
  indexText,
  isPlain,
  plus,
  runsOn,
  sizeOf,
  sizeText,
  times,
  variable,
  zero,
} from './linear.js';
import { type Item, keptParts } from './items.js';
import type { Planner } from './planner.js';
import { widest } from './tiles.js';
import { type AxisSize, offsetOf, reshapedIndex, splitShape, volumeOf } from './shapes.js';

/** A kernel as C: its functions, and the call of it. */
export interface KernelText {
  readonly code: string;
  readonly call: string;
  /** Sums that it keeps per part of its work. */
  readonly sums: number;
  readonly reads: ReadonlySet<number>;
  readonly writes: ReadonlySet<number>;
  /** Pairs of a buffer that is read and one that is written, of which each round of the loops touches the same elements alone. */
  readonly inPlace: readonly (readonly [from: number, to: number])[];
}

/** One reduction in one loop nest. */
interface Sum {
  readonly item: Item;
  readonly name: string;
  readonly prefix: number;
  readonly suffix: readonly number[];
  readonly count: number;
  readonly dtype: ValueInfo['dtype'];
  readonly type: string;
  readonly plane: number | undefined;
  readonly partial: boolean;
  readonly offset: number;
}

/** Parts into which a kernel's work is cut; fixed, so that sums don't depend on the number of threads. */
export const parts = 16;
const block = 4096;

/** What the innermost loop of a kernel computes. */
interface Body {
  readonly elements: Elements;
  readonly wanted: readonly { readonly e: Expression; readonly say: (value: string) => string }[];
  readonly sums: readonly Sum[];
  readonly writes: ReadonlySet<number>;
  /** Where results are stored, and the same by buffer, as text. */
  readonly targets: readonly Linear[];
  readonly stores: ReadonlyMap<number, ReadonlySet<string>>;
  readonly partials: number;
  /** Whether a reduction has one element for each element of the loops. */
  readonly single: boolean;
}

/** The body of the loops over `items`, the innermost `merged` of which one variable runs over, and the one in them. */
function bodyOf(planner: Planner, items: readonly Item[], merged: number): Body {
  const own = new Set(items.filter((item) => planner.owns(item)).map(({ value }) => value));
  const [sample] = items as [Item];
  const last = sample.order === 'flat' ? 0 : sample.order.length - 1 - merged;
  const elements = new Elements(planner, own, `i${last}`);
  const wanted: { readonly e: Expression; readonly say: (value: string) => string }[] = [];
  const sums: Sum[] = [];
  const writes = new Set<number>();
  const targets: Linear[] = [];
  const stores = new Map<number, Set<string>>();
  let partials = 0;
  let single = false;

  const indexOf = (item: Item, plane: number | undefined): Index => {
    if (item.order === 'flat') return { flat: variable('i0', volumeOf(item.shape)) };
    const own = splitShape(item.shape);
    const index: Linear[] = own.sizes.map(() => zero);
    item.order.forEach((part, i) => {
      if (i < last) index[part] = variable(`i${i}`, sizeOf([own.sizes[part]!]));
    });
    const inner = item.order.slice(last).map((part) => own.sizes[part]!);
    if (inner.length > 0) index[item.order.at(-1)!] = variable(`i${last}`, sizeOf(inner));
    if (plane !== undefined) index[own.time] = constant(plane);
    return index;
  };

  for (const item of items) {
    for (const plane of item.planes ?? [undefined]) {
      const index = indexOf(item, plane);
      const e = elements.at(item.value, index);
      writes.add(item.buffer);
      const { reduce } = item;
      if (reduce === undefined) {
        const offset = isFlat(index) ? index.flat : targetOffset(item, index);
        targets.push(offset);
        stores.set(item.buffer, (stores.get(item.buffer) ?? new Set()).add(indexText(offset)));
        const { unit } = planner.buffers.all[item.buffer]!;
        const stored = (value: string): string =>
          unit === undefined ? value : `(uint8_t)(int32_t)(${ofBytes(value, 1 / unit)})`;
        wanted.push({ e, say: (value) => `b${item.buffer}[${indexText(offset)}] = ${stored(value)};` });
        continue;
      }
      const sum = sumOf(item, plane, sums.length, partials);
      if (item.order !== 'flat' && sum.prefix === item.order.length) {
        // one element each
        single = true;
        wanted.push({ e, say: (value) => resultLine(sum, value) });
        continue;
      }
      const known = sums.find(
        (one) => one.item === item && (one.plane === undefined || one.plane === plane || !keepsTime(item)),
      );
      const acc = known ?? sum;
      if (known === undefined) {
        sums.push(sum);
        if (sum.partial) partials += sum.count;
      }
      const at = acc.suffix.length === 0 ? '' : `[${indexText(suffixIndex(item, acc.suffix))}]`;
      const say =
        reduce.kind === 'sum'
          ? (value: string) => `${acc.name}${at} += ${value};`
          : (value: string) => `${acc.name}${at} = larger(${acc.name}${at}, ${value});`;
      wanted.push({ e, say });
    }
  }
  return { elements, wanted, sums, writes, targets, stores, partials, single };
}

/** How many loops around the innermost one, the outermost apart, one variable may run over together with it. */
function mergedLoops({ elements, sums, targets, single }: Body, sizes: readonly AxisSize[]): number {
  const short = typeof sizes.at(-1) === 'number' && (sizes.at(-1) as number) % widest !== 0;
  if (!short || single || elements.conditional || sums.some(({ suffix }) => suffix.length > 0)) return 0;
  const outermost = Math.max(1, ...sums.map(({ prefix }) => prefix));
  if (sums.some(({ partial }) => partial)) return 0;
  let merged = 0;
  for (let inner = sizes.length - 1; inner > outermost; inner--) {
    const size = sizeOf([sizes[inner]!]);
    const fits = [...elements.offsets, ...targets].every((at) => runsOn(at, `i${inner - 1}`, `i${inner}`, size));
    if (!fits) break;
    merged++;
  }
  return merged;
}

/** The loops over one domain that compute all of `items`. */
export function kernelText(name: string, planner: Planner, items: readonly Item[]): KernelText {
  const [sample] = items as [Item];
  const split = splitShape(sample.shape);
  const all: readonly AxisSize[] = sample.order === 'flat' ? [] : sample.order.map((part) => split.sizes[part]!);
  const first = bodyOf(planner, items, 0);
  const fits = mergedLoops(first, all);
  const second = fits === 0 ? first : bodyOf(planner, items, fits);
  const merged = [...second.elements.offsets, ...second.targets].every(isPlain) ? fits : 0;
  const { elements, wanted, sums, writes, stores, partials } = merged === 0 ? first : second;
  const depth = all.length - merged;
  /** The sizes of a loop: of more than one axis where they are merged. */
  const sizes = all
    .slice(0, depth)
    .map((size, i) => (i === depth - 1 ? sizeOf([size, ...all.slice(depth)]) : sizeOf([size])));

  const { lines, nameOf } = elements.expressions.statements(wanted.map(({ e }) => e));
  const body = [...lines, ...wanted.map(({ e, say }) => say(nameOf(e)))];
  const flat = depth <= 1;
  const total = sample.order === 'flat' ? volumeOf(sample.shape) : sizeOf(all);
  const least = Math.min(depth, ...sums.filter(({ partial }) => !partial).map(({ prefix }) => prefix));
  const longest = Math.max(0, ...sums.map(({ suffix }) => suffix.length));
  const collapsed = flat ? 0 : Math.max(1, Math.min(depth - 1, 2, least, depth - longest));
  const outer = flat ? `(${sizeText(total)} + ${block - 1}) / ${block}` : sizeText(sizeOf(all.slice(0, collapsed)));

  const out: string[] = [];
  const line = (indent: number, text: string): void => void out.push(`${'  '.repeat(indent)}${text}`);
  line(0, `static void ${name}(const Context *x, long part, long parts, long worker) {`);
  line(1, 'const long N = x->n, one = x->one;');
  const used = [...new Set([...elements.reads, ...writes])];
  for (const b of used) {
    const type = cTypes[planner.buffers.all[b]!.dtype];
    const access = writes.has(b) ? type : `const ${type}`;
    line(1, `${access} *restrict b${b} = (${access} *)x->p[${b}];`);
  }
  line(1, `const long count = ${outer};`);
  line(1, 'const long lo = count * part / parts, hi = count * (part + 1) / parts;');
  for (const sum of sums.filter(({ partial }) => partial)) {
    line(1, `double *restrict t_${sum.name} = x->sums + ${sum.offset} * ${parts} + part * ${sum.count};`);
    line(1, `for (long s = 0; s < ${sum.count}; s++) t_${sum.name}[s] = ${startOf(sum, 'f64')};`);
  }
  line(1, 'for (long q = lo; q < hi; q++) {');
  if (flat) {
    line(
      2,
      `const long end = q * ${block} + ${block} < ${sizeText(total)} ? q * ${block} + ${block} : ${sizeText(total)};`,
    );
  } else if (collapsed === 1) line(2, 'const long i0 = q;');
  else line(2, `const long i0 = q / (${sizeText(sizes[1]!)}), i1 = q % (${sizeText(sizes[1]!)});`);

  const declare = (indent: number, at: number): void => {
    for (const sum of sums) {
      if ((sum.partial ? collapsed : sum.prefix) !== at) continue;
      if (sum.suffix.length === 0) line(indent, `${sum.type} ${sum.name} = ${startOf(sum, sum.dtype)};`);
      else {
        line(indent, `${sum.type} ${sum.name}[${sum.count}];`);
        line(indent, `for (long s = 0; s < ${sum.count}; s++) ${sum.name}[s] = ${startOf(sum, sum.dtype)};`);
      }
    }
  };
  const finish = (indent: number, at: number): void => {
    for (const sum of sums) {
      if ((sum.partial ? collapsed : sum.prefix) !== at) continue;
      if (sum.partial) {
        const to = `t_${sum.name}[s]`;
        const from = sum.suffix.length === 0 ? sum.name : `${sum.name}[s]`;
        const merged = sum.item.reduce!.kind === 'sum' ? `${to} += ${from}` : `${to} = larger(${to}, ${from})`;
        line(indent, `for (long s = 0; s < ${sum.count}; s++) ${merged};`);
      } else resultLines(sum, (text) => line(indent, text));
    }
  };
  const inner = depth - 1;
  let indent = 2;
  declare(indent, collapsed);
  const opened: number[] = [];
  for (let axis = collapsed; axis < Math.max(depth, 1); axis++) {
    if (axis > collapsed) declare(indent, axis);
    if (axis >= inner) {
      const scalars = sums.filter(({ suffix, item }) => suffix.length === 0 && item.reduce!.kind === 'sum');
      const others = sums.some(({ suffix, item }) => suffix.length === 0 && item.reduce!.kind !== 'sum');
      const clause = scalars.length === 0 ? '' : ` reduction(+:${scalars.map((sum) => sum.name).join(', ')})`;
      if (!others) line(indent, `#pragma omp simd${clause}`);
    }
    if (flat) line(indent, `for (long i0 = q * ${block}; i0 < end; i0++) {`);
    else line(indent, `for (long i${axis} = 0; i${axis} < ${sizeText(sizes[axis]!)}; i${axis}++) {`);
    opened.push(axis);
    indent++;
  }
  for (const text of body) line(indent, text);
  for (const axis of opened.toReversed()) {
    indent--;
    line(indent, '}');
    if (axis > collapsed) finish(indent, axis);
  }
  finish(indent, collapsed);
  line(1, '}');
  line(0, '}');
  if (partials > 0) {
    line(0, `static void ${name}_end(const Context *x, long parts) {`);
    line(1, 'const long N = x->n; (void)N;');
    for (const sum of sums.filter(({ partial }) => partial)) {
      const type = cTypes[sum.dtype];
      line(1, `${type} *restrict b${sum.item.buffer} = (${type} *)x->p[${sum.item.buffer}];`);
      line(1, `double r_${sum.name}[${sum.count}];`);
      line(1, `for (long s = 0; s < ${sum.count}; s++) {`);
      line(2, `double r = ${startOf(sum, 'f64')};`);
      const from = `x->sums[${sum.offset} * ${parts} + part * ${sum.count} + s]`;
      const merged = sum.item.reduce!.kind === 'sum' ? `r += ${from}` : `r = larger(r, ${from})`;
      line(2, `for (long part = 0; part < parts; part++) ${merged};`);
      line(2, `r_${sum.name}[s] = r;`);
      line(1, '}');
      resultLines(sum, (text) => line(1, text));
    }
    line(0, '}');
  }
  const work = `(long)(${sizeText(total)}) * ${Math.max(1, body.length)}`;
  const call = [
    `{ const long N = x->n; (void)N; const long parts = ${work} < 20000 ? 1 : ${parts}; run(x, ${name}, parts);`,
    partials > 0 ? ` ${name}_end(x, parts);` : '',
    ' }',
  ].join('');
  const inPlace = [...elements.loads].flatMap(([from, loads]) =>
    [...stores].filter(([, at]) => [...loads].every((one) => at.has(one))).map(([to]) => [from, to] as const),
  );
  return { code: out.join('\n'), call, sums: partials, reads: elements.reads, writes, inPlace };
}

function targetOffset({ shape, target }: Item, index: readonly Linear[]): Linear {
  const split = splitShape(target.shape);
  if (target.reshaped === true) return offsetOf(split, target.layout, reshapedIndex(splitShape(shape), index, split));
  const part = split.axes[target.axis]?.[0];
  const moved = target.at === 0 ? index : index.with(part!, plus(index[part!]!, constant(target.at)));
  return offsetOf(split, target.layout, moved);
}

function keepsTime(item: Item): boolean {
  const split = splitShape(item.shape);
  return item.planes !== undefined && keptParts(item).has(split.time);
}

function sumOf(item: Item, plane: number | undefined, index: number, offset: number): Sum {
  const order = item.order === 'flat' ? [] : item.order;
  const split = splitShape(item.shape);
  const kept = keptParts(item);
  const first = order.findIndex((part) => !kept.has(part));
  const last = order.findLastIndex((part) => !kept.has(part));
  const prefix = item.order === 'flat' ? 0 : first < 0 ? order.length : first;
  const suffix = first < 0 ? [] : order.slice(last + 1);
  const count = suffix.reduce((product, part) => product * (split.sizes[part] as number), 1);
  const partial = prefix === 0;
  const { dtype } = item.reduce!;
  const type = dtype === 'f32' ? (partial ? 'float' : 'double') : cTypes[dtype];
  return { item, name: `f${index}`, prefix, suffix, count, dtype, type, plane, partial, offset };
}

function suffixIndex(item: Item, suffix: readonly number[]): Linear {
  const split = splitShape(item.shape);
  const order = item.order as readonly number[];
  let flat = zero;
  for (const part of suffix) {
    const size = sizeOf([split.sizes[part]!]);
    flat = plus(times(flat, size), variable(`i${order.indexOf(part)}`, size));
  }
  return flat;
}

function startOf({ item }: Sum, dtype: ValueInfo['dtype']): string {
  if (item.reduce!.kind === 'sum') return '0';
  return dtype === 'i32' ? '(-2147483647 - 1)' : literal(dtype === 'f64' ? 'f64' : dtype, -Infinity);
}

/** Stores what was summed: its elements are those of the loops that stay. */
function resultLines(sum: Sum, line: (text: string) => void): void {
  const { item, suffix, partial } = sum;
  const split = splitShape(item.shape);
  const order = item.order === 'flat' ? [] : item.order;
  const at = `[${indexText(suffixIndex(item, suffix))}]`;
  const source = partial ? `r_${sum.name}${at}` : suffix.length === 0 ? sum.name : `${sum.name}${at}`;
  const loops = suffix.map((part) => {
    const name = `i${order.indexOf(part)}`;
    return `for (long ${name} = 0; ${name} < ${split.sizes[part]!}; ${name}++) `;
  });
  line(`${loops.join('')}${resultLine(sum, source)}`);
}

/** One element of the result of a reduction. */
function resultLine({ item, plane, dtype }: Sum, source: string): string {
  const split = splitShape(item.shape);
  const order = item.order === 'flat' ? [] : item.order;
  const kept = keptParts(item);
  const { axes, scale } = item.reduce!;
  const { target } = item;
  const to = splitShape(target.shape);
  const positions = new Map<number, Linear>();
  order.forEach((part, i) => kept.has(part) && positions.set(part, variable(`i${i}`, sizeOf([split.sizes[part]!]))));
  if (plane !== undefined && kept.has(split.time)) positions.set(split.time, constant(plane));
  const index: Linear[] = to.sizes.map(() => zero);
  const keepdims = target.shape.length === item.shape.length;
  let next = 0;
  split.axes.forEach((own, axis) => {
    if (axes.includes(axis)) {
      if (keepdims) next++;
      return;
    }
    const kept = to.axes[next++]!;
    own.forEach((part, k) => (index[kept[k]!] = positions.get(part) ?? zero));
  });
  const offset = indexText(offsetOf(to, target.layout, index));
  const scaled = scale === 1 ? source : `${source} * ${literal('f64', scale)}`;
  const value = dtype === 'i32' ? `(int32_t)(int64_t)(${scaled})` : `(${cTypes[dtype]})(${scaled})`;
  return `b${item.buffer}[${offset}] = ${value};`;
}
