// Which input comes when: its format, its bytes, and what is done with it follow from the run's seed and its number alone.
import { conversionCodings } from '../dist/src/workspace/types.js';
import { below, mutateBytes, mutateGraph, mutateText, seeded } from './mutate.mjs';
import { onnxGraphs } from './seeds.mjs';
import { grownGraph, grownModel, nudgedData, nudgedText } from './grow.mjs';
import { folderInput } from './run-folders.mjs';

/** Inputs of each format in a round: about as many as take a like share of the time, no fewer than one in ninety. */
export const shares = {
  spike: 6,
  onnx: 2,
  ir: 10,
  safetensors: 10,
  json: 10,
  log: 2,
  run: 4,
  checkpoint: 2,
  folder: 4,
  journal: 10,
  npy: 30,
  npz: 30,
  idx: 30,
  events: 60,
  samples: 60,
  nir: 8,
};
const textFormats = new Set(['spike', 'ir', 'json', 'log', 'run', 'journal']);
const isText = (format, target) => textFormats.has(format) || /\.(csv|txt)$/.test(target);

/** Formats in turn, spread over a round so that each comes as evenly as it can. */
export function roundOf(formats) {
  const places = formats.flatMap((format, i) =>
    Array.from({ length: shares[format] }, (_, k) => ({
      format,
      at: (k + (i + 1) / (formats.length + 1)) / shares[format],
    })),
  );
  return places.sort((a, b) => a.at - b.at).map(({ format }) => format);
}

/** Bytes: put together anew, valid ones with numbers nearby, or damaged ones. */
function made(random, format, target, original) {
  const way = random();
  if (way < 0.4) {
    if (format === 'onnx') return Buffer.from(grownGraph(random).bytes());
    if (format === 'spike') return grownModel(random);
    return isText(format, target) ? nudgedText(random, original) : nudgedData(random, original);
  }
  const grown = random() < 0.5;
  if (way < 0.75 && format === 'onnx') {
    return mutateGraph(random, grown ? grownGraph(random) : onnxGraphs[below(random, onnxGraphs.length)]());
  }
  if (way < 0.75 && isText(format, target)) {
    return mutateText(random, grown && format === 'spike' ? grownModel(random) : original);
  }
  return mutateBytes(random, original);
}

/** Input `n` of a run: the files with the one that was changed, and how it is used. */
export function inputOf(all, round, runSeed, n) {
  const seed = runSeed * 1e6 + n;
  const random = seeded(seed);
  const format = round[n % round.length];
  if (format === 'folder') return { seed, format, ...folderInput(random, all.folder), thorough: random() < 0.05 };
  const { target, files, spec } = all[format][below(random, all[format].length)];
  const original = files.find(({ name }) => name === target).bytes;
  const bytes = made(random, format, target, Buffer.from(original));
  const coding = conversionCodings[below(random, conversionCodings.length)];
  const changed = files.map((file) => (file.name === target ? { ...file, bytes } : file));
  return { seed, format, target, files: changed, spec, coding, thorough: random() < 0.05 };
}
