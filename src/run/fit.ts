import { elementCount } from '../base/dtype.js';
import { type Dataset, type Need, type Normalisation, fitDataset } from '../data/index.js';
import { sampleShape } from '../lower/program/index.js';
import { type Network, opsById } from '../network/index.js';
import { present } from '../base/invariant.js';
import type { Findings } from '../workspace/findings.js';

/** What the flags say of an image's scale, or else what the config, the folder or the run says. */
export function chosenNormalisation(flags: Normalisation, own: Normalisation): Normalisation {
  return flags.mean === undefined && flags.std === undefined ? own : flags;
}

/** What a network needs of data: the shape of a sample, the steps in front where it takes a frame a step, and its outputs. */
export function needOf(network: Network, normalisation: Normalisation = {}): Need {
  const shape = sampleShape(network);
  const input = present(
    network.ops.find(({ kind }) => kind === 'input'),
    'run: a network without input',
  );
  const frames = shape.length > input.type.shape.length;
  return { shape, frames, outputs: elementCount(outputShape(network)), normalisation };
}

/** The data set as the network takes it, or an error; what the user should know goes to `findings`. */
export function fitToNetwork(
  network: Network,
  dataset: Dataset,
  findings: Findings,
  more: Partial<Pick<Need, 'numbers' | 'normalisation'>> = {},
): Dataset {
  return findings.take(fitDataset(dataset, { ...needOf(network), ...more }));
}

export function outputShape(network: Network): readonly number[] {
  const output = network.outputs[0] ?? '';
  return present(opsById(network).get(output), 'run: a network without output').type.shape;
}
