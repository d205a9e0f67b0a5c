import { type Tensor, tensor } from '../../src/base/dtype.js';
import { present } from '../../src/base/invariant.js';
import { lower } from '../../src/lower/program/index.js';
import type { Network } from '../../src/network/index.js';
import { evaluate } from '../../src/tensor/index.js';
import type { CompiledConfig } from './compile.js';
import type { CompareAnswer, Digits } from './messages.js';

/** Images that are under way at once: the reference evaluator is slow, and the page wants to hear of it. */
const atOnce = 5;

/** The imported network and its spiking one on the same images, in the reference evaluator. */
export function compare(
  { source, network }: CompiledConfig,
  digits: Digits,
  progress: (text: string) => void,
): CompareAnswer {
  const started = performance.now();
  const images = digits.labels.length;
  const [ann, snn] = [predictor(source), predictor(network)];
  const counts = { source: 0, spiking: 0, agreement: 0 };
  for (let first = 0; first < images; first += atOnce) {
    const n = Math.min(atOnce, images - first);
    const [a, s] = [ann(digits, first, n), snn(digits, first, n)];
    for (let i = 0; i < n; i++) {
      const label = digits.labels[first + i];
      if (a[i] === label) counts.source++;
      if (s[i] === label) counts.spiking++;
      if (a[i] === s[i]) counts.agreement++;
    }
    progress(`${first + n} of ${images} images`);
  }
  const share = (count: number): number => count / images;
  const seconds = (performance.now() - started) / 1000;
  return {
    images,
    source: share(counts.source),
    spiking: share(counts.spiking),
    agreement: share(counts.agreement),
    seconds,
  };
}

type Predictor = (digits: Digits, first: number, n: number) => readonly number[];

function predictor(network: Network): Predictor {
  const { program, feeds, outputs } = lower(network);
  const { id, shape } = feeds.image;
  const size = shape.reduce((a, b) => a * b, 1);
  const logits = present(outputs.logits, 'playground: no logits');
  return ({ pixels, mean, std }, first, n) => {
    const values = Float32Array.from(
      pixels.subarray(first * size, (first + n) * size),
      (pixel) => (pixel / 255 - mean) / std,
    );
    const result = present(
      evaluate(program, { [id]: tensor('f32', [n, ...shape], values) })[logits],
      'playground: no result',
    );
    return Array.from({ length: n }, (_, i) => largest(result, i));
  };
}

function largest({ data, shape }: Tensor, row: number): number {
  const classes = shape.at(-1)!;
  let best = 0;
  for (let i = 1; i < classes; i++) if (data[row * classes + i]! > data[row * classes + best]!) best = i;
  return best;
}
