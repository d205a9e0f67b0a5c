import { DiagnosticError, hasErrors } from '../base/diagnostics/index.js';
import { elementCount } from '../base/dtype.js';
import { present } from '../base/invariant.js';
import { type Dataset, type Normalisation, checkFit } from '../data/index.js';
import { stepsOfNetwork } from '../lower/program/training.js';
import type { Network } from '../network/index.js';

/** Shape of one image as a network takes it: [C, H, W] or [features], with steps in front where frames are given. */
export function imageShape(network: Network): readonly number[] {
  const { shape } = present(
    network.ops.find((op) => op.kind === 'input'),
    'run: a network without input',
  ).type;
  return network.coding?.name === 'events' ? [stepsOfNetwork(network), ...shape] : shape;
}

/** How many numbers a network gives for an image. */
export function outputCount(network: Network): number {
  const [output] = network.outputs;
  const op = present(
    network.ops.find(({ id }) => id === output),
    'run: a network without output',
  );
  return elementCount(op.type.shape);
}

/** Reports images or labels that a network can't take; `shape` where its source says it otherwise. */
export function refuseMisfits(dataset: Dataset, network: Network, shape = imageShape(network)): void {
  const misfits = checkFit(dataset, shape, outputCount(network));
  if (hasErrors(misfits)) throw new DiagnosticError(misfits);
}

/** What the flags say of an image's scale, or else what the config or the run says. */
export function normalisationFor(
  { normalisation }: { readonly normalisation: Normalisation },
  { normalisation: flags }: { readonly normalisation: Normalisation },
): Normalisation {
  return flags.mean === undefined && flags.std === undefined ? normalisation : flags;
}
