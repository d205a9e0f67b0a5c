import { percent } from '../base/figures.js';
import { diagnostic, fail } from '../base/diagnostics/index.js';
import { present } from '../base/invariant.js';
import { type Outputs, agreement, classesOf, divergence, outputsOf, readLabels } from '../run/metrics/index.js';
import { exactCodes } from '../lower/program/index.js';
import type { Config, SwsCoding } from '../model/index.js';
import { type Network, latencyOf } from '../network/index.js';
import { type SilentChoice, type SilentPeriods, silentFront } from '../passes/index.js';
import type { Chosen } from './chosen.js';
import type { ChooseOptions } from './bits.js';
import { allocationFiles, silentLines } from './files.js';
import type { AllocationTarget } from './target.js';
import type { Conversion } from '../workspace/compiled.js';
import { conversionPlan, convertNetwork } from '../workspace/conversion.js';
import { openLogits } from '../run/logits.js';
import { type Measuring, finite } from './sensitivity.js';
import type { Findings } from '../workspace/findings.js';
import type { SilentGoal } from './types.js';

const defaultRange = { least: 0, most: 3 };

/** The fewest and the most silent steps of a layer. */
type Range = readonly [number, number];

/** Silent periods of all layers, and what the network does with them. */
type Measured = SilentPeriods & { readonly outputs: Outputs };

/** Silent periods by layer for a latency or a bound on what is lost. */
export async function chooseSilence(
  target: AllocationTarget,
  goal: SilentGoal,
  options: ChooseOptions,
  findings: Findings,
): Promise<Chosen> {
  const { config, coding } = swsConfig(target);
  const { steps } = coding.args;
  const { least = defaultRange.least, most = Math.min(steps, Math.max(defaultRange.most, least)) } = options;
  const asked = Math.max(least, options.most ?? 0);
  if (asked > steps) {
    const help = `after ${steps} steps a layer knows its whole input: \`--least\` and \`--most\` are 0 to ${steps} here`;
    fail('allocate/silent-period', { asked, steps }, coding.place, { help });
  }
  if (least > most) fail('allocate/range', { what: 'silent steps', least, most });
  const silence = new Silence(target, config, options.measuring, findings);
  const shape = silence.convert(() => 0).spiking;
  const neurons = shape.ops.filter(({ kind }) => kind === 'neuron').map(({ id }) => id);
  if (neurons.length === 0) fail('allocate/nothing', { what: 'the network has no neurons' });
  checkGoal(goal, latencyWith(shape, neurons, least, steps), least, steps);
  const range = [least, most] as const;
  const start = startOf(goal, coding, range, steps, latencyWith(shape, neurons, 1, steps));
  const { errors, base } = await silence.sensitivity(neurons, range, start);
  const front = silentFront(shape, errors, steps, goal.unit === 'latency' ? goal.value : Infinity);
  const found =
    goal.unit === 'latency'
      ? await silence.best(front.at(-1)!, uniformWithin(shape, neurons, range, steps, goal.value))
      : await silence.search(front, goal);
  const chosen = { ...found, error: base + sumOfErrors(errors, found.silent) };
  const { reference } = silence;
  const labels = readLabels(options.measuring.images);
  const [before, after] = [classesOf(reference), classesOf(chosen.outputs)];
  if (front.some(({ exact }) => !exact)) findings.all.push(diagnostic('allocate/greedy', {}));
  return {
    goal,
    layers: neurons.map((id) => {
      const silent = chosen.silent.get(id)!;
      const tried = errors.get(id)!;
      return {
        id,
        silent,
        error: errorAt(tried, silent),
        tried: tried.map((one) => ({ value: one.silent, error: one.error })),
      };
    }),
    total: { latency_steps: chosen.latency, error: chosen.error },
    exact: chosen.exact,
    calibration: {
      samples: options.measuring.images.count,
      accuracy: agreement(after, labels),
      error: divergence(reference, chosen.outputs),
      source: { accuracy: agreement(before, labels), agreement: agreement(after, before) },
    },
    files: () => {
      const { spiking } = silence.convert((id) => chosen.silent.get(id)!);
      return allocationFiles(target, silentLines(coding, chosen.silent), spiking, findings);
    },
  };
}

function swsConfig({ from }: AllocationTarget): { config: Config; coding: SwsCoding } {
  const config = from.kind === 'import' ? from.model?.config : undefined;
  if (config?.coding?.name !== 'sws') {
    fail('allocate/nothing', { what: 'only `coding sws(…)` has silent periods' }, config?.place, {
      help: 'name a config with `network onnx("…")` and `coding sws(…)`',
    });
  }
  return { config, coding: config.coding };
}

/** The same period everywhere, with the latency it gives. */
function uniform(shape: Network, neurons: readonly string[], silent: number, steps: number): SilentPeriods {
  const only = new Map(neurons.map((id) => [id, [{ silent, error: 0 }]] as const));
  return present(silentFront(shape, only, steps)[0], 'allocate: no latency');
}

function latencyWith(shape: Network, neurons: readonly string[], silent: number, steps: number): number {
  return uniform(shape, neurons, silent, steps).latency;
}

/** Equal periods whose latency fits, from the longest. */
function uniformWithin(
  shape: Network,
  neurons: readonly string[],
  [least, most]: Range,
  steps: number,
  latency: number,
): SilentPeriods | undefined {
  const all = Array.from({ length: most - least + 1 }, (_, i) => uniform(shape, neurons, most - i, steps));
  return all.find((one) => one.latency <= latency);
}

/** A latency that can't be met is said before anything is measured. */
function checkGoal({ unit, value }: SilentGoal, shortest: number, least: number, steps: number): void {
  if (unit !== 'latency' || value >= shortest) return;
  const fewer = value >= steps ? 'allow fewer silent steps' : 'a shorter latency needs fewer coding steps';
  const help =
    least > 0
      ? `${fewer}: with \`--least 0\` the smallest is ${steps}`
      : `ask for ${shortest} or more, or give \`coding sws(…)\` fewer \`steps\``;
  fail('allocate/latency', { latency: value, least: shortest }, undefined, { help });
}

/** The period that all other layers have while one is measured: near what the goal will leave them. */
function startOf(
  { unit, value }: SilentGoal,
  coding: SwsCoding,
  [least, most]: Range,
  steps: number,
  ofOne: number,
): number {
  const layers = ofOne - steps;
  const near = unit === 'latency' && layers > 0 ? Math.round((value - steps) / layers) : coding.args.silent;
  return Math.min(most, Math.max(least, near));
}

function sumOfErrors(
  errors: ReadonlyMap<string, readonly SilentChoice[]>,
  silent: ReadonlyMap<string, number>,
): number {
  return [...errors].reduce((sum, [id, tried]) => sum + errorAt(tried, silent.get(id)!), 0);
}

function errorAt(tried: readonly SilentChoice[], silent: number): number {
  return present(
    tried.find((one) => one.silent === silent),
    `allocate: a period of ${silent} wasn't tried`,
  ).error;
}

/** Measures spiking networks with different silent periods against the quantised network. */
class Silence {
  #reference: Outputs | undefined;

  constructor(
    readonly target: AllocationTarget,
    readonly config: Config,
    readonly measuring: Measuring,
    readonly findings: Findings,
  ) {}

  get reference(): Outputs {
    return present(this.#reference, 'allocate: nothing measured yet');
  }

  convert(silent: (id: string) => number): Conversion {
    const said = this.findings.all.length;
    const plan = conversionPlan(this.config, this.findings, { silent });
    const { conversion } = convertNetwork(this.target.network, plan, this.findings);
    this.findings.all.length = said; // the same for all periods, and said when the result is compiled
    return present(conversion, 'allocate: the pipeline ended early');
  }

  /**
   * What each layer's period changes when all other layers have the period `start`: the Kullback-Leibler divergence of
   * the outputs from those of the quantised network in exact arithmetic, less what it is with `start` everywhere
   * (`base`). Below 0 where a longer period mends something.
   */
  async sensitivity(
    neurons: readonly string[],
    [least, most]: Range,
    start: number,
  ): Promise<{ readonly errors: ReadonlyMap<string, readonly SilentChoice[]>; readonly base: number }> {
    await this.#measureReference();
    const { images, onProgress } = this.measuring;
    const total = 1 + neurons.length * (most - least);
    let done = 0;
    const errorWith = async (silent: (id: string) => number): Promise<number> => {
      const outputs = await this.outputs(this.convert(silent).spiking, (count) =>
        onProgress?.({
          phase: 'measuring sensitivity',
          done: done * images.count + count,
          total: total * images.count,
          unit: 'images',
        }),
      );
      done++;
      return divergence(this.reference, outputs);
    };
    const base = await errorWith(() => start);
    const errors = new Map<string, readonly SilentChoice[]>();
    for (const id of neurons) {
      const tried: SilentChoice[] = [];
      for (let silent = least; silent <= most; silent++) {
        const error = silent === start ? base : await errorWith((other) => (other === id ? silent : start));
        tried.push({ silent, error: error - base });
      }
      errors.set(id, tried);
    }
    return { errors, base };
  }

  async #measureReference(): Promise<void> {
    const { images, engine, threads } = this.measuring;
    const logits = await openLogits(this.convert(() => 0).quantised, engine, { threads, carrier: exactCodes });
    try {
      this.#reference = await outputsOf(logits.begin(), logits.lanes, images);
    } finally {
      await logits.dispose();
    }
    finite(this.reference, images.dataset.name);
  }

  async outputs(spiking: Network, counter?: (done: number) => void): Promise<Outputs> {
    const { images, engine, threads } = this.measuring;
    const logits = await openLogits(spiking, engine, { threads });
    try {
      return await outputsOf(logits.begin(), logits.lanes, images, counter);
    } finally {
      await logits.dispose();
    }
  }

  async measure(periods: SilentPeriods): Promise<Measured> {
    const { spiking } = this.convert((id) => periods.silent.get(id)!);
    return { ...periods, latency: latencyOf(spiking), outputs: await this.outputs(spiking) };
  }

  /** What is found, or the same period everywhere if that is measured to be better. */
  async best(found: SilentPeriods, equal: SilentPeriods | undefined): Promise<Measured> {
    const measured = await this.measure(found);
    if (equal === undefined) return measured;
    const plain = await this.measure(equal);
    const error = ({ outputs }: Measured): number => divergence(this.reference, outputs);
    return error(plain) < error(measured) ? { ...plain, exact: false } : measured;
  }

  /** The shortest latency of the front whose periods, measured together, meet the bound: found by halving. */
  async search(front: readonly SilentPeriods[], goal: SilentGoal): Promise<Measured> {
    const labels = readLabels(this.measuring.images);
    const source = classesOf(this.reference);
    const before = agreement(source, labels);
    const kept = ({ outputs }: Measured): number =>
      goal.unit === 'agreement'
        ? agreement(classesOf(outputs), source)
        : agreement(classesOf(outputs), labels) - before;
    const met = (value: number): boolean => value >= (goal.unit === 'agreement' ? goal.value : -goal.value) - 1e-12;
    let best = await this.measure(front.at(-1)!);
    const most = kept(best);
    if (!met(most)) fail('allocate/bound', { bound: boundText(goal), best: bestText(goal, most) });
    let [low, high] = [0, front.length - 1];
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      this.measuring.onProgress?.({ phase: `trying a latency of ${front[middle]!.latency} steps`, done: 0 });
      const tried = await this.measure(front[middle]!);
      if (met(kept(tried))) {
        best = tried;
        high = middle;
      } else low = middle + 1;
    }
    return best;
  }
}

function boundText({ unit, value }: SilentGoal): string {
  return unit === 'agreement' ? `an agreement of ${percent(value)}` : `a loss of at most ${percent(value)} in accuracy`;
}

function bestText({ unit }: SilentGoal, kept: number): string {
  return unit === 'agreement' ? percent(kept) : `a loss of ${percent(-kept)}`;
}
