import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fail } from '../base/diagnostics/index.js';
import { elementCount } from '../base/dtype.js';
import { decodeSafetensors } from '../base/safetensors.js';
import { present } from '../base/invariant.js';
import { type CheckpointProgress, checkpointBytes } from './checkpoint.js';
import type { EpochProgress, LoopOptions, LoopResult, LoopState } from './loop-options.js';
import { type Python, lastLine } from './python.js';
import type { EpochRecord } from './record.js';
import type { Samples } from './samples.js';

/** Where `train.py` keeps its states. */
const checkpoint = join('checkpoint', 'state.safetensors');

/** Milliseconds between looks whether the training is to stop. */
const lookingEvery = 50;

/** A line of `train.py`. */
interface Said {
  readonly progress?: EpochProgress;
  readonly phase?: string;
  readonly record?: EpochRecord;
  /** Steps of the running epoch that the checkpoint holds. */
  readonly kept?: number;
  /** It ends behind so many steps of the running epoch. */
  readonly asked?: number;
  readonly ended?: number;
  readonly diverged?: { readonly epoch: number; readonly step: number };
}

/**
 * Trains in the user's Python: the folder of the training is written beside its samples, `train.py` runs in it, says
 * how far it is, and waits after each checkpoint until what it has written is taken over. It stops behind the step that is
 * under way when it is told to.
 */
export async function torchLoop(
  python: Python,
  files: ReadonlyMap<string, string | Uint8Array>,
  options: Omit<LoopOptions, 'engine'>,
): Promise<LoopResult> {
  const folder = mkdtempSync(join(tmpdir(), 'spikec-torch-'));
  const records: EpochRecord[] = [...(options.from?.progress.records ?? [])];
  let looking: NodeJS.Timeout | undefined;
  try {
    options.onPhase?.('writing the program');
    for (const [name, content] of files) put(folder, name, content);
    writeSamples(join(folder, 'samples.safetensors'), options.samples);
    if (options.from !== undefined) put(folder, join('run', checkpoint), checkpointBytes(options.from));
    const child = start(python, folder, options);
    const errors: string[] = [];
    child.stderr!.setEncoding('utf8').on('data', (text: string) => errors.push(text));
    const end = new Promise<number>((resolve) => child.on('close', (code) => resolve(code ?? 1)));
    const tell = (word: 'go' | 'stop'): void => void child.stdin!.write(`${word}\n`);
    let stopping = false;
    const look = (): void => {
      if (stopping || options.stopping?.() !== true) return;
      stopping = true;
      tell('stop');
    };
    looking = setInterval(look, lookingEvery);
    let [diverged, asked]: [Said['diverged'], boolean] = [undefined, false];
    for await (const line of createInterface({ input: child.stdout! })) {
      if (!line.startsWith('{')) continue;
      const said = JSON.parse(line) as Said;
      diverged ??= said.diverged;
      if (said.phase !== undefined) options.onPhase?.(said.phase);
      if (said.progress !== undefined) options.onProgress?.(said.progress);
      asked ||= said.asked !== undefined;
      if (said.record === undefined && said.kept === undefined) continue;
      const state = stateOf(join(folder, 'run', checkpoint));
      if (said.record === undefined) {
        options.onCheckpoint?.(state);
        look();
      } else {
        records.push(said.record);
        options.onEpoch(said.record, state);
      }
      tell('go');
    }
    const code = await end;
    if (asked) return { records, stopped: 'asked' };
    if (diverged !== undefined) {
      const help = 'lower the learning rate, or warm it up';
      const layer = options.trainee.network.name;
      fail('train/diverged', { ...diverged, layer, what: 'the loss' }, undefined, { help });
    }
    if (code !== 0) fail('torch/failed', { python: python.path, problem: lastLine(errors.join('')) });
    return { records, stopped: records.length >= options.settings.epochs ? 'epochs' : 'patience' };
  } finally {
    clearInterval(looking);
    rmSync(folder, { recursive: true, force: true });
  }
}

function start(python: Python, folder: string, { from, threads, every }: Omit<LoopOptions, 'engine'>): ChildProcess {
  const args = ['train.py', '--led', '--samples', 'samples.safetensors', '--run', 'run'];
  const child = spawn(
    python.path,
    [
      ...args,
      ...(from === undefined ? [] : ['--resume']),
      ...(every === undefined ? [] : ['--checkpoint-every', String(every)]),
      ...(threads === undefined ? [] : ['--threads', String(threads)]),
      ...(python.device === 'cuda' ? ['--compile'] : []),
    ],
    { cwd: folder, stdio: ['pipe', 'pipe', 'pipe'] },
  );
  const stop = (): void => void child.kill('SIGKILL');
  process.once('exit', stop);
  child.on('close', () => process.removeListener('exit', stop));
  // a child that ends doesn't read what is written to it
  child.stdin.on('error', () => undefined);
  return child;
}

/** All that a checkpoint needs, as `train.py` has written it. */
function stateOf(path: string): LoopState {
  const { value } = decodeSafetensors(readFileSync(path), path);
  const { tensors, metadata } = present(value, 'torch: the checkpoint of an epoch can’t be read');
  const { step, renewal, settling, running } = JSON.parse(metadata['progress']!) as CheckpointProgress;
  return {
    states: tensors,
    step,
    ...(renewal === undefined ? {} : { renewal }),
    ...(settling === undefined ? {} : { settling }),
    ...(running === undefined ? {} : { running }),
  };
}

function put(folder: string, name: string, content: string | Uint8Array): void {
  mkdirSync(dirname(join(folder, name)), { recursive: true });
  writeFileSync(join(folder, name), content);
}

/** Samples as a safetensors file, one after the other: raw, or normalised where their channels aren't told by their shape. */
function writeSamples(path: string, samples: Samples): void {
  const { count, shape, labels } = samples;
  const raw = samples.channelsFirst;
  const one = (i: number): Uint8Array | Float32Array => (raw ? samples.raw(i) : samples.images(Int32Array.of(i)).data);
  const bytes = raw && Array.from({ length: count }, (_, i) => i).every((i) => samples.raw(i) instanceof Uint8Array);
  const size = elementCount(shape) * count * (bytes ? 1 : 4);
  const { numbers } = samples;
  const beside = numbers === undefined ? 0 : 4 * numbers.length;
  const header = JSON.stringify({
    __metadata__: { scale: String(raw ? samples.scale : 1), normalised: String(!raw) },
    images: { dtype: bytes ? 'U8' : 'F32', shape: [count, ...shape], data_offsets: [0, size] },
    labels: { dtype: 'I32', shape: [count], data_offsets: [size, size + 4 * count] },
    ...(numbers === undefined
      ? {}
      : {
          [samples.detector === undefined ? 'numbers' : 'boxes']: {
            dtype: 'F32',
            shape: [count, numbers.length / count],
            data_offsets: [size + 4 * count, size + 4 * count + beside],
          },
        }),
  });
  const text = new TextEncoder().encode(header.padEnd(Math.ceil(header.length / 8) * 8));
  const file = openSync(path, 'w');
  try {
    const length = new DataView(new ArrayBuffer(8));
    length.setBigUint64(0, BigInt(text.length), true);
    writeSync(file, new Uint8Array(length.buffer));
    writeSync(file, text);
    for (let i = 0; i < count; i++) {
      const values = one(i);
      const numbers = bytes ? values : Float32Array.from(values);
      writeSync(file, new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength));
    }
    const classes = Int32Array.from(labels);
    writeSync(file, new Uint8Array(classes.buffer));
    if (numbers !== undefined) writeSync(file, new Uint8Array(numbers.buffer, numbers.byteOffset, beside));
  } finally {
    closeSync(file);
  }
}
