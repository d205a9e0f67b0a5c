import { fail } from '../base/diagnostics/index.js';
import type { Tensor } from '../base/dtype.js';
import { present } from '../base/invariant.js';
import { onnxruntimeEngine } from '../engines/onnxruntime.js';
import { lower } from '../lower/program/index.js';
import type { Network, Op } from '../network/index.js';
import { activationSites } from '../passes/index.js';
import { openRunnable } from '../train/index.js';
import type { Findings } from '../workspace/findings.js';
import type { Balancing } from '../workspace/types.js';
import { type Calibration, beforeSites } from './calibrate.js';
import { fitToNetwork } from './fit.js';
import { localThresholds } from './local-thresholds.js';
import { type Images, forEachBatch } from './metrics/index.js';

const batch = 20;
/** Images where nothing is said: a search needs fewer than percentiles. */
const defaultLimits: Readonly<Record<Balancing, number>> = { search: 200, local: 1000 };
/** Thresholds that are tried of each channel: so many parts of its largest activation. */
const parts = 40;
const leastPart = 2;

/** Times that the images are looked at where thresholds rise batch by batch. */
const localPasses = 4;

/**
 * A range for each channel of every activation, without training. `search`: for T steps by `ChannelErrors`; `local`:
 * local threshold balancing (`localThresholds`), whatever the steps are.
 */
export async function balance(
  imported: Network,
  how: Balancing,
  { dataset, normalisation, limit, onProgress }: Calibration,
  steps: number,
  findings: Findings,
): Promise<ReadonlyMap<string, readonly number[]>> {
  const network = beforeSites(imported, findings);
  const sites = activationSites(network).map(({ op }) => op);
  if (dataset === undefined) {
    return fail('convert/calibration', { reason: 'thresholds are balanced on data' }, undefined, {
      help: 'give images with --calibrate DATA',
    });
  }
  const fit = fitToNetwork(network, dataset, findings, { numbers: true, normalisation });
  const count = Math.min(dataset.length, limit ?? defaultLimits[how]);
  const images: Images = { dataset: fit, normalisation, count, batch };
  const progress = (phase: string, done: number, total: number): void =>
    onProgress?.({ phase, done, total, unit: 'images' });
  if (how === 'local') {
    const said = (done: number, total: number): void => progress('balancing thresholds', done, total);
    return localThresholds(network, sites, images, localPasses, said);
  }
  return searched(network, sites, images, steps, progress);
}

/**
 * Of `parts` fractions of the channel's largest activation the one for which what T steps can say,
 * θ/T·clip(⌊a·T/θ + ½⌋, 0, T), is nearest to the activations a in the mean square: a search by channel, local to a layer, with
 * the criterion of Li et al. 2021. A channel that is never active has the largest threshold of its layer.
 */
async function searched(
  network: Network,
  sites: readonly Op[],
  images: Images,
  steps: number,
  progress: (phase: string, done: number, total: number) => void,
): Promise<ReadonlyMap<string, readonly number[]>> {
  const running = await openRunnable(
    lower(network, { probes: { expose: sites.map(({ id }) => id) } }),
    onnxruntimeEngine,
  );
  const { exposed } = running.outputs;
  const errors = new Map(sites.map(({ id, type }) => [id, new ChannelErrors(type.shape[0]!, steps)]));
  const over = async (phase: string, take: (one: ChannelErrors, values: Tensor) => void): Promise<void> => {
    const pass = running.pass();
    await forEachBatch(
      images,
      1,
      pass,
      (found) => {
        for (const [id, one] of errors) take(one, present(found[exposed.get(id) ?? ''], `run: no activation ${id}`));
      },
      (done, total) => progress(phase, done, total),
    );
  };
  try {
    await over('calibrating', (one, values) => one.largest(values));
    await over('balancing thresholds', (one, values) => one.add(values));
  } finally {
    await running.dispose();
  }
  return new Map([...errors].map(([id, one]) => [id, one.thresholds()]));
}

/** Squared errors of each channel [N, C, …] under each threshold. */
export class ChannelErrors {
  readonly #most: Float64Array;
  readonly #errors: Float64Array;

  constructor(
    readonly channels: number,
    readonly steps: number,
  ) {
    this.#most = new Float64Array(channels);
    this.#errors = new Float64Array(channels * (parts + 1));
  }

  largest(values: Tensor): void {
    this.#each(values, (channel, value) => {
      if (value > this.#most[channel]!) this.#most[channel] = value;
    });
  }

  add(values: Tensor): void {
    const { steps } = this;
    const errors = this.#errors;
    this.#each(values, (channel, value) => {
      const most = this.#most[channel]!;
      const first = channel * (parts + 1);
      for (let part = leastPart; part <= parts; part++) {
        const unit = (most * part) / parts / steps;
        const said = Math.min(steps, Math.floor(value / unit + 0.5)) * unit;
        errors[first + part]! += (value - said) ** 2;
      }
    });
  }

  /** The best threshold of each channel, in six digits. */
  thresholds(): readonly number[] {
    const of = (channel: number): number => {
      let best = parts;
      const error = (part: number): number => this.#errors[channel * (parts + 1) + part]!;
      for (let part = parts; part >= leastPart; part--) if (error(part) < error(best)) best = part;
      return (this.#most[channel]! * best) / parts;
    };
    const found = Array.from({ length: this.channels }, (_, channel) => of(channel));
    const largest = Math.max(...found);
    return found.map((one) => Number((one > 0 ? one : largest > 0 ? largest : 1).toPrecision(6)));
  }

  /** Activations above 0. */
  #each({ data, shape }: Tensor, take: (channel: number, value: number) => void): void {
    const inner = shape.slice(2).reduce((a, b) => a * b, 1);
    for (let i = 0; i < data.length; i++) {
      const value = data[i]!;
      if (value > 0) take(Math.floor(i / inner) % this.channels, value);
    }
  }
}
