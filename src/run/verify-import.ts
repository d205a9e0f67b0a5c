import { seededRandom } from '../base/random.js';
import { diagnostic, fail } from '../base/diagnostics/index.js';
import { type Tensor, elementCount, tensor } from '../base/dtype.js';
import { present } from '../base/invariant.js';
import { onnxruntimeEngine } from '../engines/onnxruntime.js';
import { type CheckedOp, firstMismatch } from './metrics/index.js';
import { fedName, lower, lowerPerOp } from '../lower/program/index.js';
import { type Network, type Op, opsById, roleOf } from '../network/index.js';
import { openRunnable } from '../train/index.js';
import { drawingOf } from './drawn-inputs.js';
import { comparableValues, comparedBytes, mostAround, valuesAround } from './memory.js';
import { openReference, referenceNotes } from './reference.js';
import { asIntegers, sourceFeeds } from './source-feeds.js';
import type { Findings } from '../workspace/findings.js';
import { type Source, bytesOf } from '../workspace/target.js';
import { type CommonOptions, verifyLevel } from '../workspace/types.js';

/** Rows that are compared, unless a batch of two takes too much memory. */
const usualRows = 2;
/** Files up to this many bytes are compared without being asked. */
const verifyLimit = 32e6;

/** Random images that fill the range of the input's quantiser, or [−2, 2] where there is none. */
function randomImages(network: Network, shape: readonly number[], rows: number): Tensor<'f32'> {
  const draw = drawingOf(network);
  const random = seededRandom(1);
  const images = new Float32Array(rows * elementCount(shape));
  return tensor(
    'f32',
    [rows, ...shape],
    images.map((_, i) => draw(i % elementCount(shape), random())),
  );
}

/** Compares the import with its file where that is wanted or cheap; says so where it is left out. */
export async function verifyWhereWanted(
  source: Source,
  options: CommonOptions,
  findings: Findings,
): Promise<Verified | undefined> {
  const level = verifyLevel(options);
  if (level === 'none') return undefined;
  const bytes = bytesOf(source);
  if (level === 'sample' && bytes > verifyLimit) {
    const megabytes = Math.round(bytes / 1e6);
    findings.all.push(
      diagnostic(
        'convert/import-not-verified',
        { megabytes },
        { file: source.path },
        { help: '--verify full does it' },
      ),
    );
    return undefined;
  }
  const most = comparableValues(bytes);
  const largest = mostAround(source.imported.network) * (source.imported.row.batch ?? 1);
  if (level === 'sample' && largest > most) {
    const what = 'the import isn’t compared with onnxruntime';
    const args = { what, needed: largest * comparedBytes, allowed: most * comparedBytes };
    const help = '--verify full does it';
    findings.all.push(diagnostic('convert/large-layers', args, { file: source.path }, { help }));
    return undefined;
  }
  options.onProgress?.({ phase: 'verifying the import', done: 0 });
  const verified = await verifyImport(source, level === 'sample' ? most : Infinity);
  findings.all.push(...referenceNotes(source));
  const { compared, layers, skipped } = verified;
  if (skipped !== undefined) {
    findings.all.push(diagnostic('convert/import-sampled', { compared, layers, skipped }, { file: source.path }));
  }
  return verified;
}

/** How many layers were compared, of those that could be. */
export interface Verified {
  readonly compared: number;
  readonly layers: number;
  /** Which weren't, in words; missing where all were. */
  readonly skipped?: string;
}

/**
 * Compares the imported network with the file: every layer by itself on the values onnxruntime computes
 * from the file. The first layer that differs is reported; nothing is converted from a network that
 * isn't the user's. Layers are compared a few at a time: those with `most` values together, and what they read.
 */
export async function verifyImport(file: Source, most = Infinity): Promise<Verified> {
  const { imported, external } = file;
  const { network, row } = imported;
  const byId = opsById(network);
  // a part of the row is an input of the file itself
  const inputs = new Set(imported.sourceInputs.map(({ name }) => name));
  const comparable = network.ops.filter(
    ({ origin, kind }) => kind !== 'input' && origin !== undefined && !inputs.has(origin),
  );
  const rows = mostAround(network) * usualRows > most ? 1 : usualRows;
  const { wanted, skipped, whole } = sample(comparable, Math.max(rows, row.batch ?? 1));
  const verified = { compared: wanted.length, layers: comparable.length, ...(skipped !== '' && { skipped }) };
  const images = asIntegers(imported, randomImages(network, row.shape, rows));
  for (const ops of external.size > 0 ? [wanted] : parts(wanted, byId, most / Math.max(rows, row.batch ?? 1))) {
    await compareOps(file, images, ops, whole);
  }
  return verified;
}

/** Runs of layers with so many values together; a layer that has more by itself is a part of its own. */
function parts(ops: readonly Op[], byId: ReadonlyMap<string, Op>, most: number): readonly (readonly Op[])[] {
  const all: Op[][] = [[]];
  let values = 0;
  for (const op of ops) {
    const own = valuesAround(op, byId);
    if (values + own > most && all.at(-1)!.length > 0) {
      all.push([]);
      values = 0;
    }
    all.at(-1)!.push(op);
    values += own;
  }
  return all;
}

/** Compares some layers; of files with external data the network's end. */
async function compareOps(file: Source, images: Tensor<'f32'>, ops: readonly Op[], whole: boolean): Promise<void> {
  const { path, imported, external } = file;
  const { network, row } = imported;
  const byId = opsById(network);
  const { program, checked, fed } = lowerPerOp(network, new Set(ops.map((op) => op.id)));
  const origins = new Set([...checked, ...fed].flatMap((id) => byId.get(id)!.origin ?? []));
  const given = sourceFeeds(imported, images);
  for (const name of [row.name, ...Object.keys(given)]) origins.delete(name);
  const ends = [imported.sourceOutput.name];
  const seen = external.size > 0 ? ends : whole ? [...origins, ...ends] : origins;
  const { source, outputs } = await openReference(file, seen, { brief: true, withoutDynamic: true, whole });
  let theirs: ReadonlyMap<string, Tensor>;
  try {
    const results = await source.run(given, [...outputs.values()]);
    const found = [...outputs].map(([name, output]) => [name, results[output]!] as const);
    theirs = new Map([...dequantised(network, new Map(found)), ...Object.entries(given), [row.name, images]]);
  } finally {
    await source.dispose();
  }
  if (external.size > 0) {
    await compareEnds(network, images, theirs, imported.sourceOutput.logits, path);
    return;
  }
  const feeds = Object.fromEntries(
    fed.map((id) => {
      const { origin, type } = byId.get(id)!;
      return [fedName(id), withShape(theirs, origin ?? row.name, [images.shape[0]!, ...type.shape])];
    }),
  );
  const executable = await onnxruntimeEngine.open(program, { brief: true });
  try {
    const ours = await executable.step(feeds);
    report(
      checked.map((id) => checkedOp(byId.get(id)!, byId)),
      ours,
      theirs,
      path,
    );
  } finally {
    await executable.dispose();
  }
}

/** Of so many layers, with so many elements over all rows, are tensors compared at most. */
const mostLayers = 2000;
const mostCompared = 2 ** 26;
/** Of longer files only so many layers are run: what onnxruntime takes to open one grows with the square of its length. */
const mostRun = 4000;

interface Sample {
  readonly wanted: readonly Op[];
  /** Which aren't wanted, in words. */
  readonly skipped: string;
  /** Whether the file is run to its end. */
  readonly whole: boolean;
}

/** Every layer, or where that were too much every n-th from the last; of long files of the first ones. */
function sample(all: readonly Op[], rows: number): Sample {
  const ops = all.slice(0, mostRun);
  const behind = all.length > ops.length ? `all behind %${ops.at(-1)!.id}` : undefined;
  for (let stride = Math.ceil(ops.length / mostLayers) || 1; ; stride *= 2) {
    const wanted = ops.filter((_, i) => (ops.length - 1 - i) % stride === 0);
    const elements = wanted.reduce((sum, op) => sum + elementCount(op.type.shape) * rows, 0);
    if (elements > mostCompared && wanted.length > 1) continue;
    const between =
      stride === 1 ? undefined : `${stride - 1} of every ${stride}${behind === undefined ? '' : ' before'}`;
    const skipped = [behind, between].filter((part) => part !== undefined).join(', and ');
    return { wanted, skipped, whole: behind === undefined };
  }
}

/** With external data only the outputs can be seen: compare the whole network's. */
async function compareEnds(
  network: Network,
  images: Tensor<'f32'>,
  theirs: ReadonlyMap<string, Tensor>,
  logits: string,
  path: string,
): Promise<void> {
  if (!theirs.has(logits)) return;
  const running = await openRunnable(lower(network), onnxruntimeEngine);
  try {
    const ours = await running.pass()(images);
    report([{ id: running.outputs.logits!, origin: logits }], ours, theirs, path);
  } finally {
    await running.dispose();
  }
}

/** In operator form (QLinearConv …) a tensor of the file holds codes: gives the reals they stand for; integers of networks of integers stand for themselves. */
export function dequantised(network: Network, results: ReadonlyMap<string, Tensor>): ReadonlyMap<string, Tensor> {
  const reals = new Map(results);
  for (const { origin, type } of network.ops) {
    const result = origin === undefined ? undefined : results.get(origin);
    if (result === undefined || result.dtype === 'f32') continue;
    const { scale, zero } = type.code.kind === 'quant' ? type.code : { scale: 1, zero: 0 };
    reals.set(
      origin!,
      tensor(
        'f32',
        result.shape,
        Float32Array.from(result.data, (code) => (code - zero) * scale),
      ),
    );
  }
  return reals;
}

function withShape(values: ReadonlyMap<string, Tensor>, name: string, shape: readonly number[]): Tensor {
  const value = present(values.get(name), `driver: onnxruntime gave no ${name}`);
  return { ...value, shape };
}

function checkedOp(op: Op, byId: ReadonlyMap<string, Op>): CheckedOp {
  const { code } = op.type;
  if (op.kind !== 'quantize' || code.kind !== 'quant') return { id: op.id, origin: op.origin! };
  let from = byId.get(op.inputs[0]!)!;
  while (roleOf(from) === 'reshape') from = byId.get(from.inputs[0]!)!;
  return { id: op.id, origin: op.origin!, step: code.scale, average: roleOf(from) === 'average' };
}

function report(
  ops: readonly CheckedOp[],
  ours: Readonly<Record<string, Tensor>>,
  theirs: ReadonlyMap<string, Tensor>,
  path: string,
): void {
  const mismatch = firstMismatch(ops, ours, theirs);
  if (mismatch === undefined) return;
  const { op, at } = mismatch;
  if (!Number.isFinite(mismatch.theirs) && Object.is(mismatch.ours, mismatch.theirs)) notFinite(ops, theirs, path);
  const tensorName = ops.find(({ id }) => id === op)!.origin;
  fail(
    'convert/import-mismatch',
    { op, tensor: tensorName, at, ours: mismatch.ours, theirs: mismatch.theirs },
    { file: path },
  );
}

/** Both agree that the network's values overflow: names the first layer that does. */
function notFinite(ops: readonly CheckedOp[], theirs: ReadonlyMap<string, Tensor>, path: string): never {
  const valueOf = ({ origin }: CheckedOp): number | undefined =>
    theirs.get(origin)?.data.find((value: number) => !Number.isFinite(value));
  const first = present(
    ops.find((op) => valueOf(op) !== undefined),
    'driver: no value that is not finite',
  );
  const args = { op: first.id, tensor: first.origin, value: valueOf(first)! };
  const help = 'weights or scales of this layer are too large or not finite: check them and export the network again';
  fail('convert/not-finite', args, { file: path }, { help });
}
