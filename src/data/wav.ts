import { DiagnosticError, fail } from '../base/diagnostics/index.js';
import type { FileKind } from './class-folders.js';
import type { Dataset } from './dataset.js';
import { readBytes } from './files.js';
import { requirePackage } from './packages.js';
import { type Sample, openSampleFiles } from './sample-files.js';

export const wavFiles: FileKind = { form: 'wav', ends: ['.wav'], none: 'data/no-files' };

/** Bytes of a recording at most. */
const limit = 2 ** 28;

/** What is used of the package wavefile. */
interface Wave {
  readonly fmt: { readonly audioFormat: number; readonly numChannels: number; readonly sampleRate: number };
  readonly bitDepth: string;
  readonly data: { readonly chunkSize: number; readonly samples: Uint8Array };
  readonly getSamples: (interleaved: true, Type: typeof Float64Array) => Float64Array;
}
interface WaveFile {
  readonly WaveFile: new (bytes: Uint8Array) => Wave;
}

/** What a sample is divided by, by the name of its bits; those of 8 bits have no sign. */
const scales: Readonly<Record<string, number>> = { '8': 128, '16': 2 ** 15, '24': 2 ** 23, '32': 2 ** 31, '32f': 1, '64': 1 };

/**
 * `wav:PATH`: recordings in folders, one a class, as [steps, channels] of numbers from −1 to 1; all of one rate, and of one
 * length or of so many `steps` (`wav:PATH#steps=16000`), to which they are cut or filled up with silence.
 */
export function openWav(name: string, path: string, steps?: number): Dataset {
  let first: { readonly path: string; readonly rate: number } | undefined;
  const read = (file: string): Sample => {
    const { rate, ...sample } = readWav(file);
    first ??= { path: file, rate };
    if (rate !== first.rate)
      fail('data/bad-wav', { file, reason: `it has ${rate} samples a second, and "${first.path}" ${first.rate}` }, undefined, {
        help: 'resample them to one rate',
      });
    return sample;
  };
  return openSampleFiles(name, path, wavFiles, { read, steps, type: 'pcm', scale: 1 });
}

function readWav(file: string): Sample & { readonly rate: number } {
  const bytes = readBytes(file, { limit });
  const bad = (reason: string, help?: string): never => fail('data/bad-wav', { file, reason }, undefined, { help });
  if (bytes.length === 0) bad('it is empty');
  const { WaveFile } = requirePackage('wavefile', 'WAV files') as WaveFile;
  try {
    const wave = new WaveFile(bytes);
    const { fmt, data, bitDepth } = wave;
    const scale = scales[bitDepth];
    if (scale === undefined)
      return bad(`its encoding (format ${fmt.audioFormat}, ${bitDepth}) is compressed`, 'save it as PCM or float');
    const { numChannels: channels, sampleRate: rate } = fmt;
    if (data.samples.length < data.chunkSize)
      bad(`it is cut off: its data have ${data.chunkSize} bytes, and ${data.samples.length} are there`);
    const values = Float32Array.from(wave.getSamples(true, Float64Array), (value) =>
      bitDepth === '8' ? (value - 128) / scale : value / scale,
    );
    const at = values.findIndex((value) => !Number.isFinite(value));
    if (at !== -1) bad(`number ${at} is not finite`);
    if (channels < 1 || values.length === 0) bad('there is no sound in it');
    if (values.length % channels !== 0) bad(`its ${values.length} numbers are no whole steps of ${channels} channels`);
    return { shape: [values.length / channels, channels], values, rate };
  } catch (error) {
    if (error instanceof DiagnosticError) throw error;
    return bad(error instanceof Error ? error.message : String(error));
  }
}
