import { type Tensor, elementCount, tensor } from '../../src/base/dtype.js';
import { present } from '../../src/base/invariant.js';
import { lowerModel } from '../../src/lower/model-to-network/index.js';
import { type Config, checkModel } from '../../src/model/index.js';
import type { Network } from '../../src/network/index.js';
import { concreteShape } from '../../src/tensor/index.js';
import { type Trainee, randomFeeds } from '../../src/train/index.js';
import { random } from '../tensor/cases.js';
import { testLoader } from './spike.js';

/** A config of a model text; its only one where none is named. */
export function configFrom(text: string, name?: string): Config {
  const { value, diagnostics } = checkModel({ name: 'model.spike', text }, testLoader(), {});
  if (value === undefined) throw new Error(diagnostics.map(({ message }) => message).join('; '));
  return present(name === undefined ? [...value.configs.values()][0] : value.configs.get(name), 'no config');
}

/** The network of a model text with seeded weights. */
export function networkFrom(text: string, seed = 1, name?: string): Network {
  const { value, diagnostics } = lowerModel(configFrom(text, name), { seed });
  if (value === undefined) throw new Error(diagnostics.map(({ message }) => message).join('; '));
  return value;
}

/** A small spiking network in the language: conv, batch norm, neurons, pool, linear. */
export function tinyModel({
  neuron = 'LIF(tau: 2, theta: 1)',
  coding = 'direct(steps: 3)',
  body = 'image | conv(4, kernel: 3) | batchnorm | spike | avgpool(2) | flatten | linear(3)',
  train = 'optimizer sgd(lr: 0.1)',
  declarations = '',
} = {}): string {
  return `
    use "spikec/neurons" { LIF, PLIF, MBLIF, ILIF, Ternary, BackEI, Refined }
    ${declarations}
    network Tiny { input image: real[1, 8, 8]  output ${body} }
    config tiny { network Tiny  neuron ${neuron}  coding ${coding}  train { data mnist  ${train} } }
  `;
}

/** Images of three kinds (a bar left, a bar on top, a diagonal) with noise, and what else a step is fed. */
export function stepFeeds({ step, lowered }: Trainee, n: number, seed = 23): Record<string, Tensor> {
  return {
    ...Object.fromEntries(step.states.map(({ id, initial }) => [id, initial])),
    ...forwardFeeds(lowered, n, seed),
    learning_rate: tensor('f32', [], [0.05]),
    step: tensor('f32', [], [1]),
  };
}

export function forwardFeeds(
  lowered: Pick<Trainee['lowered'], 'program' | 'feeds'>,
  n: number,
  seed = 23,
): Record<string, Tensor> {
  const { shape } = present(
    lowered.program.inputs.find(({ id }) => id === lowered.feeds.image.id),
    'no image',
  );
  const sizes = concreteShape(shape, n);
  const [width] = sizes.slice(-1) as [number];
  const next = random(seed);
  const pixels = new Float32Array(elementCount(sizes));
  const labels = Int32Array.from({ length: n }, (_, i) => i % 3);
  const size = elementCount(sizes.slice(1));
  for (let i = 0; i < pixels.length; i++) {
    const kind = labels[Math.floor(i / size) % n]!;
    const [x, y] = [i % width, Math.floor(i / width) % width];
    pixels[i] = ([x < 2, y < 2, x === y][kind]! ? 1 : 0) + 0.2 * next();
  }
  return {
    [lowered.feeds.image.id]: { dtype: 'f32', shape: sizes, data: pixels },
    labels: { dtype: 'i32', shape: [n], data: labels },
    ...randomFeeds(lowered.feeds.randoms, n, seed, 'test'),
  };
}
