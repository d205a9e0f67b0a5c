import { type Diagnostic, type Outcome, diagnostic, hasErrors } from '../base/diagnostics/index.js';
import { type Arranged, arranged, count } from './arranged.js';
import { type Dataset, type NamedInput, batchCount } from './dataset.js';

interface Row {
  readonly inputs: readonly NamedInput[];
  /** Of a sample: [numbers], or a row of them a step. */
  readonly shape: readonly number[];
  readonly frames?: boolean;
}

/**
 * The samples of several inputs, in the inputs' order, as one data set whose samples have the numbers of all in a row, of frames
 * a row each step; with the labels of the first. Each input's samples fit its shape as the samples of a network of one input do.
 */
export function inARow(name: string, parts: readonly Dataset[], { inputs, shape, frames = false }: Row): Outcome<Dataset> {
  const steps = frames ? shape[0]! : 1;
  const [first] = parts as readonly [Dataset, ...Dataset[]];
  const diagnostics: Diagnostic[] = [];
  const fitted = parts.flatMap((part, i): Dataset[] => {
    const input = inputs[i]!;
    const own = `${name}, ${input.name}`;
    const wanted = [...(frames ? [steps] : []), ...(input.shape ?? [input.end - input.start])];
    const found: Arranged | undefined =
      input.shape === undefined && count(part.shape) === count(wanted) ? { dataset: part } : arranged(part, wanted);
    if (found === undefined) diagnostics.push(diagnostic('data/shape-mismatch', { name: own, data: part.shape, network: wanted }));
    else if (part.length !== first.length)
      diagnostics.push(diagnostic('data/count-mismatch', { name: own, images: first.length, labels: part.length }));
    else if (found.moved !== undefined)
      diagnostics.push(
        diagnostic('data/channels-moved', { name: own, data: part.shape, network: wanted, end: found.moved }),
      );
    return found === undefined ? [] : [found.dataset];
  });
  if (hasErrors(diagnostics)) return { diagnostics };
  const width = shape.at(-1)!;
  const { channels: _, ...rest } = first;
  const read = (start: number, wanted: number): ReturnType<Dataset['read']> => {
    const length = batchCount(first, start, wanted);
    const images = new Float32Array(length * steps * width);
    for (const [i, part] of fitted.entries()) {
      const { start: from, end } = inputs[i]!;
      const scale = frames ? (part.frameScale ?? part.scale) : part.scale;
      const numbers = part.read(start, length).images;
      for (let row = 0, at = 0; row < length * steps; row++)
        for (let to = from; to < end; to++) images[row * width + to] = numbers[at++]! / scale;
    }
    return { ...fitted[0]!.read(start, length), images };
  };
  const value: Dataset = { ...rest, name, shape, type: 'f4', scale: 1, frameScale: 1, read };
  return { value, diagnostics };
}
