import { diagnostic, fail, DiagnosticError } from '../base/diagnostics/index.js';
import { type Tensor, elementCount } from '../base/dtype.js';
import { present } from '../base/invariant.js';
import type { Dataset, Normalisation } from '../data/dataset.js';
import { onnxruntimeEngine } from '../engines/onnxruntime.js';
import { givenBatch } from './memory.js';
import { RangeCounter, forEachBatch } from './metrics/index.js';
import { lower } from '../lower/program/index.js';
import type { Network } from '../network/index.js';
import { activationSites, configure, passes, runPipeline } from '../passes/index.js';
import { libraryNeurons } from '../workspace/files.js';
import { openRunnable } from '../train/index.js';
import { fitToNetwork } from './fit.js';
import type { Findings } from '../workspace/findings.js';
import type { OnProgress } from '../workspace/types.js';

/** Images a batch, at most. */
const mostAtOnce = 20;
const defaultLimit = 1000;
/** The time in which onnxruntime opens a network that gives out each activation grows with the square of their number. */
const mostSites = 4000;
/** Passes before activations are looked for; they keep the ids of activations. */
const front = ['canonicalise', 'fold-batchnorm', 'quantiser-regions'];

export interface Calibration {
  readonly dataset?: Dataset | undefined;
  readonly normalisation: Normalisation;
  /** Of the positive activations, in (0, 100]; 100 is the maximum. */
  readonly percentile: number;
  readonly limit?: number | undefined;
  readonly onProgress?: OnProgress | undefined;
}

/**
 * The range of every activation that has no quantiser: a percentile of its positive values while the network
 * runs over the images, in bounded memory. Empty where every activation has a quantiser.
 */
export async function calibrate(
  imported: Network,
  { dataset, normalisation, percentile, limit = defaultLimit, onProgress }: Calibration,
  findings: Findings,
): Promise<ReadonlyMap<string, number>> {
  const network = beforeSites(imported, findings);
  const sites = activationSites(network).filter(({ known }) => !known);
  if (sites.length === 0) return new Map();
  if (dataset === undefined) {
    const { op } = sites[0]!;
    fail('convert/no-range', { op: op.id, kind: op.kind }, op.place, {
      help: 'this network has activations without quantisers: give images with --calibrate DATA',
    });
  }
  if (sites.length > mostSites) {
    const reason = `the ranges of ${sites.length} activations can't be measured, ${mostSites} at most`;
    const help = 'a file with quantisers says its ranges: quantise it before it is converted';
    fail('convert/calibration', { reason }, undefined, { help });
  }
  const fit = fitToNetwork(network, dataset, findings, { numbers: true, normalisation });
  const expose = sites.map(({ op }) => op.id);
  const running = await openRunnable(lower(network, { probes: { expose } }), onnxruntimeEngine);
  const pass = running.pass();
  const { exposed } = running.outputs;
  const counters = new Map(expose.map((id) => [id, new RangeCounter()]));
  const likeness = new Likeness();
  try {
    await forEachBatch(
      {
        dataset: fit,
        normalisation,
        count: Math.min(dataset.length, limit),
        batch: givenBatch(network, expose, mostAtOnce),
      },
      1,
      (images) => {
        likeness.add(images);
        return pass(images);
      },
      (found) => {
        for (const [id, counter] of counters)
          counter.add(present(found[exposed.get(id) ?? ''], `run: no activation ${id}`));
      },
      (done, total) => onProgress?.({ phase: 'calibrating', done, total, unit: 'images' }),
    );
  } finally {
    await running.dispose();
  }
  if (!likeness.differ) {
    const looked = Math.min(dataset.length, limit);
    const reason =
      looked === 1
        ? `1 image of "${dataset.name}" says nothing about ranges`
        : `the ${looked} images of "${dataset.name}" that were looked at are alike`;
    const help = 'give a few hundred different images: --limit 500, or other data with --calibrate';
    fail('convert/calibration', { reason }, undefined, { help });
  }
  return rangesOf(counters, percentile, dataset.name);
}

/** The network in which activations are looked for, under the ids that they keep. */
export function beforeSites(imported: Network, findings: Findings): Network {
  const first = passes.filter(({ name }) => front.includes(name));
  const result = runPipeline(imported, configure(first, {}), { neurons: libraryNeurons() });
  if (result.network === undefined) throw new DiagnosticError([...findings.all, ...result.diagnostics]);
  return result.network;
}

function rangesOf(
  counters: ReadonlyMap<string, RangeCounter>,
  percentile: number,
  data: string,
): ReadonlyMap<string, number> {
  const ranges = new Map([...counters].map(([id, counter]) => [id, counter.range(percentile)] as const));
  const silent = [...ranges].filter(([, range]) => !(range > 0) || !Number.isFinite(range)).map(([id]) => id);
  if (silent.length > 0) {
    const reason = (id: string): string => `on "${data}", %${id} gives no finite value above 0`;
    const help = 'give more images, of the kind and with the --mean and --std that the network was trained with';
    throw new DiagnosticError(
      silent.map((id) => diagnostic('convert/calibration', { reason: reason(id) }, undefined, { help })),
    );
  }
  // six digits: what is written into the model file
  return new Map([...ranges].map(([id, range]) => [id, Number(range.toPrecision(6))]));
}

/** Whether images differ from the first. */
class Likeness {
  #first: Float32Array | undefined;
  differ = false;

  add({ data, shape }: Tensor<'f32'>): void {
    const size = elementCount(shape.slice(1));
    this.#first ??= data.slice(0, size);
    const first = this.#first;
    this.differ ||= data.some((value, i) => value !== first[i % size]);
  }
}
