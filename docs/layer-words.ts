import { lowerModel } from '../src/lower/model-to-network/index.js';
import { checkModel } from '../src/model/index.js';
import type { Network, OpKind } from '../src/network/index.js';
import { diskLoader } from '../src/workspace/files.js';

/** Of every word of the language what it stands behind, and a line with it, in a network of `image: real[4, 6, 6]`. */
export const wordCases: Readonly<Record<string, readonly [before: string, line: string]>> = {
  conv: ['image', 'image | conv(3, kernel: 3)'],
  'conv over three axes': ['image | reshape([2, 2, 6, 6])', 'image | reshape([2, 2, 6, 6]) | conv(3, kernel: 3)'],
  linear: ['image | flatten', 'image | flatten | linear(3)'],
  transposed_conv: ['image', 'image | transposed_conv(3, kernel: 2, stride: 2)'],
  batchnorm: ['image', 'image | batchnorm'],
  layernorm: ['image', 'image | layernorm'],
  groupnorm: ['image', 'image | groupnorm(2)'],
  positions: ['image', 'image | positions'],
  embedding: ['image | flatten', 'image | flatten | embedding(9, 3)'],
  spike: ['image', 'image | spike'],
  avgpool: ['image', 'image | avgpool(2)'],
  maxpool: ['image', 'image | maxpool(2)'],
  global_avgpool: ['image', 'image | global_avgpool'],
  flatten: ['image', 'image | flatten'],
  reshape: ['image', 'image | reshape([8, 18])'],
  permute: ['image', 'image | permute([1, 2, 0])'],
  slice: ['image', 'image | slice(1, 3)'],
  split: ['image', 'image | split(2, 0)'],
  mean: ['image', 'image | mean(axis: 0)'],
  pad: ['image', 'image | pad(1)'],
  upsample: ['image', 'image | upsample(2)'],
  channel_shuffle: ['image', 'image | channel_shuffle(2)'],
  voting: ['image | flatten', 'image | flatten | voting(3)'],
  dropout: ['image', 'image | dropout(0.5)'],
  delay: ['image', 'image | delay(1)'],
  mix_steps: ['image', 'image | mix_steps'],
  readout: ['image', 'image | readout(sum)'],
  relu: ['image', 'image | relu'],
  sigmoid: ['image', 'image | sigmoid'],
  tanh: ['image', 'image | tanh'],
  gelu: ['image', 'image | gelu'],
  silu: ['image', 'image | silu'],
  softmax: ['image', 'image | softmax'],
  add: ['image', 'image + image'],
  mul: ['image', 'image * image'],
  matmul: ['image', 'matmul(image, image, transpose: true)'],
  concat: ['image', 'concat(image, image)'],
  shortcut: ['image', 'shortcut(image, 8, 2)'],
  eca: ['image', 'image | eca'],
};

/** The network of a model file whose network gives this. */
export function networkOfWord(body: string): Network {
  const text = `use "spikec/neurons" { LIF }
    network N { input image: real[4, 6, 6]  output ${body} }
    config c { network N  neuron LIF  coding direct(steps: 2) }`;
  const { value, diagnostics } = checkModel({ name: 'word.spike', text }, diskLoader('word.spike', false));
  const config = [...(value?.configs.values() ?? [])][0];
  const lowered = config === undefined ? undefined : lowerModel(config, { seed: 1 });
  if (lowered?.value === undefined)
    throw new TypeError(
      `${body}: ${[...diagnostics, ...(lowered?.diagnostics ?? [])].map(({ message }) => message).join('; ')}`,
    );
  return lowered.value;
}

const kindsOf = (body: string): ReadonlySet<OpKind> => new Set(networkOfWord(body).ops.map(({ kind }) => kind));

/** The words that become layers of each kind. */
export function wordsOfKinds(): ReadonlyMap<OpKind, readonly string[]> {
  const words = new Map<OpKind, string[]>([
    ['input', ['input']],
    ['encode', ['coding']],
    ['decode', ['coding', 'readout']],
  ]);
  for (const [word, [before, line]] of Object.entries(wordCases)) {
    const there = kindsOf(before);
    for (const kind of kindsOf(line)) if (!there.has(kind)) words.set(kind, [...(words.get(kind) ?? []), word]);
  }
  return words;
}
