import type { Outcome } from '../base/diagnostics/index.js';
import { type Dataset, type Normalisation, type Recordings, fitDataset, readBatch } from '../data/index.js';
import { chosenNormalisation, needOf } from '../run/fit.js';
import { openTarget } from '../workspace/open.js';
import { Findings } from '../workspace/findings.js';
import type { CommonOptions, Target } from '../workspace/types.js';

export interface DataOptions extends CommonOptions {
  readonly dataset: Dataset;
  readonly normalisation: Normalisation;
  /** Samples that are looked at, from the first; all where missing. */
  readonly limit?: number;
  /** The network that would read them. */
  readonly target?: Target;
}

/** What recordings of events hold. */
export interface EventFigures {
  readonly events: Spread;
  /** From the first event to the last, in ms. */
  readonly milliseconds: Spread;
  /** Share of ON among the events, where they have a polarity. */
  readonly on?: number;
  /** The greatest place of an event, + 1. */
  readonly seen: { readonly columns: number; readonly rows?: number };
}

interface Spread {
  readonly min: number;
  readonly max: number;
  readonly mean: number;
}

/** The keys are those of `data --json`. */
export interface DataResult {
  readonly name: string;
  readonly samples: number;
  /** Samples that were looked at for what follows. */
  readonly looked_at: number;
  /** Of one sample, as the source has it. */
  readonly shape: readonly number[];
  /** Element type in the file, as NumPy abbreviates it. */
  readonly type?: string;
  readonly layout?: string;
  readonly labels: 'classes' | 'numbers' | 'none';
  /** How many of the samples have each class. */
  readonly classes?: readonly { readonly class: number; readonly samples: number }[];
  /** Each number of the labels. */
  readonly numbers?: readonly Spread[];
  /** As the file has them; missing of recordings that no network frames. */
  readonly raw?: Spread & { readonly zeros: number };
  /** As a network gets them: scaled and normalised. */
  readonly values?: Spread;
  /** Of recordings that no network frames. */
  readonly recordings?: EventFigures;
  readonly first: readonly {
    readonly label?: number;
    readonly numbers?: readonly number[];
    readonly mean?: number;
    readonly events?: number;
  }[];
  /** What the network would read. */
  readonly network?: { readonly input: readonly number[]; readonly frames: boolean; readonly outputs: number };
}

const atOnce = 64;
const shownFirst = 5;

/** What a data set holds, and whether a network can read it; where it can't, the errors say why. */
export async function describeData(options: DataOptions): Promise<Outcome<DataResult>> {
  const findings = new Findings();
  const { normalisation, target } = options;
  const given = options.dataset;
  let dataset = given;
  let used = normalisation;
  let network: DataResult['network'];
  if (target !== undefined) {
    const opened = openTarget(target, { ...options, onnx: true }, findings);
    used = chosenNormalisation(normalisation, opened.normalisation);
    const need = needOf(opened.compiled({ planes: false }).network, used);
    dataset = findings.take(fitDataset(given, { ...need, numbers: true }));
    network = { input: need.shape, frames: need.frames === true, outputs: need.outputs };
  }
  const looked = Math.min(given.length, options.limit ?? given.length);
  const { targets, type, layout, labelled } = given;
  const common = { name: given.name, samples: given.length, looked_at: looked, shape: given.shape };
  if (dataset.recordings !== undefined) {
    const value = { ...common, type: 'events', ...lookAtRecordings(dataset, dataset.recordings, looked) };
    return { value, diagnostics: findings.all };
  }
  const found = look(dataset, used, looked);
  const labels = targets !== undefined ? 'numbers' : labelled === false ? 'none' : 'classes';
  const value: DataResult = {
    ...common,
    ...(type === undefined ? {} : { type }),
    ...(layout === undefined ? {} : { layout }),
    labels,
    ...(labels === 'classes' ? { classes: found.classes() } : {}),
    ...(labels === 'numbers' ? { numbers: found.numbers.map((one) => one.result()) } : {}),
    raw: { ...found.raw.result(), zeros: found.raw.zeros / Math.max(1, found.raw.count) },
    values: found.values.result(),
    first: found.first.map(({ label, ...rest }) => ({ ...(labels === 'classes' ? { label } : {}), ...rest })),
    ...(network === undefined ? {} : { network }),
  };
  return { value, diagnostics: findings.all };
}

/** Reads recordings one by one; each is read to its end, so that what is wrong with one is said. */
function lookAtRecordings(
  dataset: Dataset,
  recordings: Recordings,
  count: number,
): Pick<DataResult, 'labels' | 'classes' | 'recordings' | 'first'> {
  const [events, milliseconds] = [new Counter(), new Counter()];
  const byClass = new Map<number, number>();
  const first: { label?: number; events: number }[] = [];
  const labelled = dataset.labelled !== false;
  let [columns, rows, on, all, polar, flat] = [0, 0, 0, 0, false, true];
  for (let i = 0; i < count; i++) {
    const { t, x, y, p, clock } = recordings.events(i);
    const label = dataset.labels?.(i, 1)[0] ?? 0;
    byClass.set(label, (byClass.get(label) ?? 0) + 1);
    events.add(t.length);
    milliseconds.add(t.length === 0 ? 0 : (t.at(-1)! - t[0]!) * (clock === 'half' ? 1000 : 1e-3));
    for (const one of x) columns = Math.max(columns, one + 1);
    for (const one of y ?? []) rows = Math.max(rows, one + 1);
    for (const one of p ?? []) on += one;
    all += t.length;
    polar ||= p !== undefined;
    flat &&= y === undefined;
    if (first.length < shownFirst) first.push({ ...(labelled ? { label } : {}), events: t.length });
  }
  return {
    labels: labelled ? 'classes' : 'none',
    ...(labelled ? { classes: listed(byClass) } : {}),
    recordings: {
      events: events.result(),
      milliseconds: milliseconds.result(),
      ...(polar ? { on: on / Math.max(1, all) } : {}),
      seen: { columns, ...(flat ? {} : { rows }) },
    },
    first,
  };
}

function listed(byClass: ReadonlyMap<number, number>): NonNullable<DataResult['classes']> {
  return [...byClass].sort(([a], [b]) => a - b).map(([label, samples]) => ({ class: label, samples }));
}

class Counter {
  count = 0;
  zeros = 0;
  #min = Infinity;
  #max = -Infinity;
  #sum = 0;

  add(value: number): void {
    this.count++;
    if (value === 0) this.zeros++;
    if (value < this.#min) this.#min = value;
    if (value > this.#max) this.#max = value;
    this.#sum += value;
  }

  result(): Spread {
    return { min: this.#min, max: this.#max, mean: this.#sum / Math.max(1, this.count) };
  }
}

interface First {
  readonly label: number;
  readonly numbers?: readonly number[];
  /** Of the values as a network gets them. */
  readonly mean: number;
}

/** Reads samples, a few at a time. */
function look(dataset: Dataset, normalisation: Normalisation, count: number) {
  const [raw, values] = [new Counter(), new Counter()];
  const numbers = Array.from({ length: dataset.targets ?? 0 }, () => new Counter());
  const byClass = new Map<number, number>();
  const first: First[] = [];
  for (let start = 0; start < count; start += atOnce) {
    const read = dataset.read(start, Math.min(atOnce, count - start));
    const { images } = readBatch(dataset, start, read.count, normalisation);
    for (const value of read.images) raw.add(value);
    for (const value of images.data) values.add(value);
    for (const label of read.labels) byClass.set(label, (byClass.get(label) ?? 0) + 1);
    read.targets?.forEach((value, i) => numbers[i % numbers.length]!.add(value));
    const size = images.data.length / Math.max(1, read.count);
    for (let n = 0; n < read.count && first.length < shownFirst; n++) {
      const own = images.data.subarray(n * size, (n + 1) * size);
      const width = numbers.length;
      first.push({
        label: read.labels[n]!,
        ...(read.targets === undefined ? {} : { numbers: [...read.targets.slice(n * width, (n + 1) * width)] }),
        mean: own.reduce((sum, value) => sum + value, 0) / size,
      });
    }
  }
  const classes = (): NonNullable<DataResult['classes']> => listed(byClass);
  return { raw, values, numbers, classes, first };
}
