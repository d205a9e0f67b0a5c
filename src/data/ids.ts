import { fail } from '../base/diagnostics/index.js';
import { type Dataset, type NamedInput, type Normalisation, channelsOf, pixelMap } from './dataset.js';

/** What of a network's need says which of its inputs choose rows of tables. */
interface Tables {
  readonly inputs?: readonly NamedInput[];
  readonly normalisation?: Normalisation;
}

/**
 * The data set, whose batches are refused where an input of ids has another number than 0 … rows − 1, as the network gets
 * it: the file's `Gather` has no row for it.
 */
export function idsInTables(dataset: Dataset, { inputs = [], normalisation = {} }: Tables): Dataset {
  const tables = inputs.filter(({ rows }) => rows !== undefined);
  if (tables.length === 0) return dataset;
  const { count: channels, inner } = channelsOf(dataset);
  const size = dataset.shape.reduce((all, n) => all * n, 1);
  const maps = Array.from({ length: channels }, (_, c) => pixelMap(dataset.scale, normalisation, c));
  return {
    ...dataset,
    read: (start, count) => {
      const batch = dataset.read(start, count);
      for (const { name, start: from, end, rows } of tables) {
        for (let sample = 0; sample < batch.count; sample++) {
          for (let i = from; i < end; i++) {
            const id = maps[Math.floor(i / inner) % channels]!(batch.images[sample * size + i]!);
            if (Number.isInteger(id) && id >= 0 && id < rows!) continue;
            fail('data/no-such-row', { name: dataset.name, sample: start + sample, input: name, id, rows: rows! });
          }
        }
      }
      return batch;
    },
  };
}
