// Run folders whose files are sound in form and wrong in content: tensors of other names, types, shapes and values, records and
// states of the training that say something else, with the checkpoint's hash made anew, so that what lies behind it is reached.
import { createHash } from 'node:crypto';
import { below, mutateText } from './mutate.mjs';

const pick = (random, list) => list[below(random, list.length)];
const chance = (random, p) => random() < p;

const widths = { F64: 8, F32: 4, I32: 4, I8: 1, U8: 1, BOOL: 1, F16: 2, BF16: 2, I64: 8 };
const internal = { F64: 'f64', F32: 'f32', I32: 'i32', I8: 'i8', U8: 'u8', BOOL: 'bool' };
const odd = [
  null,
  true,
  false,
  0,
  -1,
  1,
  2,
  0.5,
  1e308,
  -1e308,
  2 ** 31,
  2 ** 53,
  '',
  'x',
  'NaN',
  '0',
  [],
  {},
  [[]],
  [null],
];
const names = ['', '__proto__', 'toString', 'constructor', 'a/b', '../x', 'a\u2028b', '\u001b[31m', 'x'.repeat(300)];

/** Tensors in their order, and the metadata. */
export function readTensors(bytes) {
  const length = Number(bytes.readBigUInt64LE(0));
  const { __metadata__: metadata = {}, ...header } = JSON.parse(bytes.subarray(8, 8 + length).toString('utf8'));
  const entries = Object.entries(header).map(
    ([
      name,
      {
        dtype,
        shape,
        data_offsets: [from, to],
      },
    ]) => ({
      name,
      dtype,
      shape,
      data: Buffer.from(bytes.subarray(8 + length + from, 8 + length + to)),
    }),
  );
  return { entries, metadata };
}

/** `offsets` moves where data are said to lie. */
export function writeTensors({ entries, metadata, offsets = 0, twice }) {
  let at = 0;
  const fields = entries.map(({ name, dtype, shape, data }, i) => {
    const from = at + (i === 0 ? offsets : 0);
    at += data.length;
    return `${JSON.stringify(name)}:${JSON.stringify({ dtype, shape, data_offsets: [from, at] })}`;
  });
  const all = [`"__metadata__":${JSON.stringify(metadata)}`, ...fields, ...(twice ? fields.slice(0, 1) : [])];
  const json = Buffer.from(`{${all.join(',')}}`, 'utf8');
  const padded = Buffer.concat([json, Buffer.alloc((8 - (json.length % 8)) % 8, 0x20)]);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  return Buffer.concat([length, padded, ...entries.map(({ data }) => data)]);
}

/** The hash of a checkpoint over its tensors and its progress, as `src/train/checkpoint.ts` makes it. */
function signed({ entries, metadata, ...more }) {
  const hash = createHash('sha256').update(metadata.progress ?? '');
  const byName = new Map(entries.map((entry) => [entry.name, entry]));
  for (const name of [...byName.keys()].sort()) {
    const { dtype, shape, data } = byName.get(name);
    hash.update(`${name} ${internal[dtype] ?? dtype} ${shape.join()}\n`).update(data);
  }
  return { entries, metadata: { ...metadata, sha256: hash.digest('hex') }, ...more };
}

function valuesOf({ dtype, data }) {
  const { buffer, byteOffset, length } = Buffer.from(data);
  const bytes = buffer.slice(byteOffset, byteOffset + length);
  if (dtype === 'F32') return new Float32Array(bytes);
  if (dtype === 'F64') return new Float64Array(bytes);
  if (dtype === 'I32') return new Int32Array(bytes);
  return dtype === 'I8' ? new Int8Array(bytes) : new Uint8Array(bytes);
}

const arrays = { F32: Float32Array, F64: Float64Array, I32: Int32Array, I8: Int8Array, U8: Uint8Array };
const bytesOf = (values) => Buffer.from(values.buffer, values.byteOffset, values.byteLength);

/** One tensor, or the list of them, changed; the file stays well formed but for a few. */
export function mutateTensors(random, file) {
  const entries = file.entries.map((entry) => ({ ...entry }));
  const result = { ...file, entries };
  if (entries.length === 0) return result;
  const one = pick(random, entries);
  switch (below(random, 11)) {
    case 0:
      one.name = chance(random, 0.5) ? pick(random, names) : pick(random, entries).name + pick(random, ['', '.x', 'x']);
      break;
    case 1:
      entries.splice(entries.indexOf(one), 1 + below(random, 3));
      break;
    case 2: {
      const shape = pick(random, [[...one.shape].reverse(), [one.shape.reduce((a, b) => a * b, 1)], [1, ...one.shape]]);
      one.shape = shape;
      break;
    }
    case 3: {
      // another size, with the data that it needs
      const shape = pick(random, [
        [],
        [0],
        [1],
        one.shape.map((n) => n + 1),
        one.shape.map(() => 0),
        Array(9).fill(1),
        [3, 1e3],
      ]);
      const bytes = shape.reduce((a, b) => a * b, 1) * (widths[one.dtype] ?? 4);
      one.data = Buffer.alloc(bytes, one.data.length > 0 ? one.data : 0);
      one.shape = shape;
      break;
    }
    case 4:
      one.shape = pick(random, [[2 ** 31], [-1], [0.5], [2 ** 53], [1e9, 1e9], ['2'], null, 'x', [null]]);
      break;
    case 5: {
      const dtype = pick(random, Object.keys(arrays));
      one.data = bytesOf(arrays[dtype].from(valuesOf(one), Number));
      one.dtype = dtype;
      break;
    }
    case 6:
      one.dtype = pick(random, [...Object.keys(widths), 'toString', '', 'f32']);
      break;
    case 7:
    case 8: {
      const values = valuesOf(one);
      const value = pick(random, [NaN, Infinity, -Infinity, 3e38, -3e38, 1e-45, 0, -0, 1e20, -1, 127, 2 ** 31]);
      if (chance(random, 0.4)) values.fill(value);
      else if (values.length > 0) values[below(random, values.length)] = value;
      one.data = bytesOf(values);
      break;
    }
    case 9: {
      const other = pick(random, entries);
      if (chance(random, 0.5)) [one.data, other.data] = [other.data, one.data];
      else entries.push({ ...one, name: pick(random, [...names, `${one.name}'`]) });
      break;
    }
    default:
      return { ...result, ...pick(random, [{ offsets: 4 }, { offsets: -4 }, { twice: true }]) };
  }
  return result;
}

/** Every place of a value, as the object or array that has it and the key. */
function placesIn(value, found = []) {
  if (typeof value !== 'object' || value === null) return found;
  for (const key of Object.keys(value)) {
    found.push([value, key]);
    placesIn(value[key], found);
  }
  return found;
}

/** JSON with some of its values, keys or items exchanged. */
export function mutateJson(random, value) {
  const copy = structuredClone(value);
  for (let n = 1 + below(random, 2); n > 0; n--) {
    const places = placesIn(copy);
    if (places.length === 0) return pick(random, odd);
    const [holder, key] = pick(random, places);
    const was = holder[key];
    switch (below(random, 6)) {
      case 0:
      case 1:
        holder[key] = pick(random, odd);
        break;
      case 2:
        if (Array.isArray(holder)) holder.splice(Number(key), 1);
        else delete holder[key];
        break;
      case 3:
        if (typeof was === 'number') holder[key] = pick(random, [was + 1, was - 1, -was, was / 2, was * 1e6, 1 / was]);
        else holder[key] = typeof was === 'string' ? `${was}x` : [was];
        break;
      case 4: {
        const [other, name] = pick(random, places);
        holder[key] = structuredClone(other[name] === copy ? null : other[name]);
        break;
      }
      default:
        if (Array.isArray(holder)) holder.push(structuredClone(was));
        else
          Object.defineProperty(holder, pick(random, names), {
            value: was,
            enumerable: true,
            configurable: true,
            writable: true,
          });
    }
  }
  return copy;
}

const parsed = (bytes) => JSON.parse(bytes.toString('utf8'));
const text = (value) => Buffer.from(`${JSON.stringify(value)}\n`);
const lines = (records) =>
  Buffer.from((Array.isArray(records) ? records : []).map((one) => `${JSON.stringify(one)}\n`).join(''));

/** The checkpoint with other states or another progress; where it is about records, the log says the same. */
function otherCheckpoint(random, files) {
  const file = readTensors(files.get('run/checkpoint/state.safetensors'));
  let result = chance(random, 0.5) ? mutateTensors(random, file) : file;
  if (result === file || chance(random, 0.1)) {
    const progress = JSON.parse(file.metadata.progress);
    const part = pick(random, ['all', 'records', 'renewal', 'settling', 'counts', 'identity']);
    let changed = progress;
    if (part === 'all') changed = mutateJson(random, progress);
    else if (part === 'counts') {
      const [epoch, step] = [pick(random, [0, 1, 2, 3, -1, 1e9, 0.5]), pick(random, [0, 1, 5, -1, 2 ** 53, 1e9])];
      const records = Array.from({ length: Math.max(0, Math.min(9, Math.floor(epoch))) }, (_, i) => ({
        ...progress.records[0],
        epoch: i + 1,
      }));
      changed = { ...progress, epoch, step, records };
    } else if (progress[part] !== undefined) changed = { ...progress, [part]: mutateJson(random, progress[part]) };
    result = { ...result, metadata: { ...result.metadata, progress: JSON.stringify(changed) } };
    if (chance(random, 0.8)) files.set('run/log.jsonl', lines(changed?.records));
  }
  if (chance(random, 0.05)) result = { ...result, metadata: mutateJson(random, result.metadata) };
  else if (chance(random, 0.95)) result = signed(result);
  files.set('run/checkpoint/state.safetensors', writeTensors(result));
}

const jsonFiles = ['run/run.json', 'run/manifest.json', 'run/best/manifest.json'];
const weightFiles = ['run/weights.safetensors', 'run/best/weights.safetensors'];

/** One file of a run folder changed. Files are those of a folder, by name. */
function mutateOne(random, files, command) {
  const way = random();
  const share = command === 'resume' ? 0.65 : 0.05;
  if (way < share) return otherCheckpoint(random, files);
  const rest = (way - share) / (1 - share);
  const has = (list) => list.filter((name) => files.has(name));
  if (rest < 0.4) {
    const name = pick(random, has(weightFiles));
    files.set(name, writeTensors(mutateTensors(random, readTensors(files.get(name)))));
  } else if (rest < 0.6) {
    const name = pick(random, has(jsonFiles));
    files.set(name, text(mutateJson(random, parsed(files.get(name)))));
  } else if (rest < 0.7) {
    const records = files
      .get('run/log.jsonl')
      .toString('utf8')
      .trim()
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line));
    files.set('run/log.jsonl', lines(mutateJson(random, records)));
  } else if (rest < 0.9) {
    const name = pick(random, has(['run/network.ir', 'run/best/network.ir']));
    files.set(name, mutateText(random, files.get(name)));
  } else {
    const name = pick(
      random,
      [...files.keys()].filter((one) => one.startsWith('run/')),
    );
    if (chance(random, 0.5)) files.delete(name);
    else
      files.set(
        name,
        chance(random, 0.5) ? Buffer.alloc(0) : files.get(name).subarray(0, below(random, files.get(name).length + 1)),
      );
  }
}

const commands = ['resume', 'resume', 'resume', 'resume', 'eval', 'eval', 'from', 'cost', 'best', 'report'];

/** A run folder with one or two of its files changed, and the command that is given it. */
export function folderInput(random, seeds) {
  const { target, files: seed } = pick(random, seeds);
  const files = new Map(seed.map(({ name, bytes }) => [name, Buffer.from(bytes)]));
  const command = pick(random, commands);
  for (let n = chance(random, 0.2) ? 2 : 1; n > 0; n--) {
    try {
      mutateOne(random, files, command);
    } catch {
      // what was changed first has no form any more
    }
  }
  return { target, command, files: [...files].map(([name, bytes]) => ({ name, bytes })) };
}
