import { diagnostic, fail } from '../base/diagnostics/index.js';
import { elementCount } from '../base/dtype.js';
import type { Dataset, Labels } from '../data/index.js';
import { labelsOfOutput } from '../data/outputs.js';
import { sampleShape } from '../lower/program/index.js';
import type { Network } from '../network/index.js';
import { type LoadOptions, Samples, type TrainSettings } from '../train/index.js';
import type { Findings } from '../workspace/findings.js';
import { binsOf } from '../lower/program/index.js';
import { detectorOf, fitToNetwork, outputShape, unflattenedShape } from './fit.js';

/** The samples of a data set that a network is trained on, those held back included. */
export function trainingSamples(
  given: Dataset,
  network: Network,
  settings: TrainSettings,
  findings: Findings,
  load: LoadOptions = {},
): Samples {
  const { labels, normalisation } = settings;
  if (labels === undefined && elementCount(outputShape(network)) === 1) fail('data/one-output', {});
  const more = {
    numbers: labels === 'numbers',
    targetIsInput: labels === 'input',
    ...detectorOf(network, binsOf(settings.loss)),
  };
  const dataset = fitToNetwork(network, given, findings, { normalisation, ...more });
  const images = Math.min(dataset.length, settings.limit ?? dataset.length);
  const left = images - Math.round(images * settings.validation);
  if (left < 2) fail('train/too-few-images', { name: dataset.name, images: left });
  const samples = Samples.load(dataset, images, normalisation, {
    ...load,
    others: otherLabels(given, network, settings),
    outputs: new Map([
      [undefined, unflattenedShape(network)] as const,
      ...(settings.others ?? []).map(({ output, name }) => [name, unflattenedShape(network, output)] as const),
    ]),
  });
  if (samples.kept < images) {
    const args = { name: dataset.name, kept: samples.kept, images, megabytes: Math.round(samples.bytes / 1e6) };
    findings.all.push(diagnostic('train/streamed', args));
  }
  return samples;
}

/** The labels of outputs behind the first; those that are compared with the input have none. */
function otherLabels(dataset: Dataset, network: Network, { others = [] }: TrainSettings): ReadonlyMap<string, Labels> {
  const found = new Map<string, Labels>();
  for (const { output, name, labels } of others) {
    const width = elementCount(outputShape(network, output));
    if (labels !== 'input') found.set(name, labelsOfOutput(dataset, name, width));
    else if (elementCount(sampleShape(network)) !== width)
      fail('data/target-mismatch', { name, targets: elementCount(sampleShape(network)), outputs: width });
  }
  return found;
}
