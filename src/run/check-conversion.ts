import { type Diagnostic, diagnostic } from '../base/diagnostics/index.js';
import { elementCount } from '../base/dtype.js';
import { costOf } from '../cost/index.js';
import type { Dataset, Normalisation } from '../data/index.js';
import type { Engine } from '../engines/index.js';
import { type Images, type LayerDifference, agreement, classesOf, outputsOf } from './metrics/index.js';
import { carrierOf, sampleShape, stepsOfNetwork } from '../lower/program/index.js';
import { type Network, isNeuronLayer } from '../network/index.js';
import type { Conversion } from '../workspace/compiled.js';
import { Findings } from '../workspace/findings.js';
import { type OnProgress, type VerifyLevel } from '../workspace/types.js';
import { type ComparedCodes, compareCodes } from './compare-codes.js';
import { drawnCount, drawnInputs } from './drawn-inputs.js';
import { fitToNetwork } from './fit.js';
import { openLogits } from './logits.js';

/** What a finished conversion does on a few inputs, beside the network it was made of. */
export interface ConversionCheck {
  /** Calibration data, or inputs drawn from the range of the input's quantiser. */
  readonly inputs: 'calibration' | 'drawn';
  /** Name of the data set. */
  readonly data?: string;
  /** Seed of drawn inputs. */
  readonly seed?: number;
  readonly samples: number;
  /** Fraction of inputs on which both predict the same. */
  readonly agreement: number;
  /** Where trains carry codes: how many were compared, how many differ, and where they begin to. */
  readonly codes?: number;
  readonly differing?: number;
  /** Of those that differ: where what was rounded is as good as a tie. */
  readonly ties?: number;
  readonly layers?: readonly DifferingLayer[];
  /** The first layer, in the network's order, with a code that differs. */
  readonly first?: string;
  /** Whether it is good enough: {@link leastAgreement}, {@link mostDiffering}. */
  readonly passed: boolean;
}

/** A layer some of whose codes differ. */
export type DifferingLayer = Pick<LayerDifference, 'id' | 'codes' | 'differing' | 'max_difference'>;

/** A conversion passes where so many predictions are equal … */
export const leastAgreement = 0.99;
/** … and in every layer at most so many codes differ. */
export const mostDiffering = 0.1;

/** How much is run: inputs, and multiply-accumulates over all steps and inputs. */
const bounds = {
  sample: { drawn: 20, calibration: 20, operations: 1.5e10 },
  full: { drawn: 60, calibration: 1000, operations: Infinity },
} as const;

/** Another one than the import is verified with and silent periods are chosen on. */
const seed = 3;

export interface CheckOptions {
  readonly level: Exclude<VerifyLevel, 'none'>;
  readonly calibration?: Dataset | undefined;
  readonly normalisation: Normalisation;
  readonly engine: Engine;
  readonly onProgress?: OnProgress | undefined;
}

/**
 * Runs the spiking network and the quantised (or real) one it was made of on a few inputs. Where trains carry codes they
 * are compared layer by layer with those of exact arithmetic, otherwise predictions alone.
 */
export async function checkConversion(conversion: Conversion, options: CheckOptions): Promise<ConversionCheck> {
  const { spiking } = conversion;
  const images = inputsOf(conversion, options);
  const counter = (done: number, total: number): void =>
    options.onProgress?.({ phase: 'checking the SNN', done, total, unit: 'images' });
  counter(0, images.count);
  const found =
    carrierOf(spiking).trains === 'weighted'
      ? await compareCodes(conversion, images, options.engine, { counter })
      : await comparePredictions(conversion, images, options.engine, counter);
  const equal = agreement(found.spiking, found.classes);
  const from =
    options.calibration === undefined
      ? ({ inputs: 'drawn', seed } as const)
      : ({ inputs: 'calibration', data: options.calibration.name } as const);
  const within = found.layers.every(({ codes, differing }) => differing <= mostDiffering * codes);
  return {
    ...from,
    samples: images.count,
    agreement: equal,
    ...(found.layers.length === 0 ? {} : codesIn(found.layers)),
    passed: equal >= leastAgreement && within,
  };
}

function codesIn(
  layers: readonly LayerDifference[],
): Pick<ConversionCheck, 'codes' | 'differing' | 'ties' | 'layers' | 'first'> {
  const sum = (of: (layer: LayerDifference) => number): number => layers.reduce((total, one) => total + of(one), 0);
  const differing = layers.filter((layer) => layer.differing > 0);
  const [first] = differing;
  return {
    codes: sum(({ codes }) => codes),
    differing: sum((layer) => layer.differing),
    ties: sum((layer) => layer.ties ?? 0),
    layers: differing.map(({ id, codes, differing: count, max_difference }) => ({
      id,
      codes,
      differing: count,
      max_difference,
    })),
    ...(first === undefined ? {} : { first: first.id }),
  };
}

/** As many inputs as the bound allows, one at least; a batch holds the codes of every layer. */
function inputsOf({ quantised, spiking }: Conversion, { level, calibration, normalisation }: CheckOptions): Images {
  const bound = bounds[level];
  const operations = costOf(quantised).total.macs * (stepsOfNetwork(spiking) + 1);
  const most = Math.max(1, Math.floor(bound.operations / Math.max(1, operations)));
  const count = Math.min(
    most,
    calibration === undefined ? bound.drawn : Math.min(bound.calibration, calibration.length),
  );
  const values = spiking.ops.reduce((sum, { type }) => sum + elementCount(type.shape), 0);
  const batch = Math.max(1, Math.min(20, Math.floor(valuesAtOnce / values)));
  if (calibration === undefined) {
    const shape = sampleShape(spiking);
    const drawn = drawnCount(shape, count);
    return { dataset: drawnInputs(quantised, shape, drawn, seed), normalisation: {}, count: drawn, batch };
  }
  const dataset = fitToNetwork(spiking, calibration, new Findings(), { numbers: true, normalisation });
  return { dataset, normalisation, count, batch };
}

/** Values of layers given out at once, at most. */
const valuesAtOnce = 4e6;

async function comparePredictions(
  { quantised, spiking }: Conversion,
  images: Images,
  engine: Engine,
  counter: (done: number, total: number) => void,
): Promise<ComparedCodes> {
  const classes = async (network: Network, count?: typeof counter): Promise<Int32Array> => {
    const logits = await openLogits(network, engine);
    try {
      return classesOf(await outputsOf(logits.begin(), 1, images, count));
    } finally {
      await logits.dispose();
    }
  };
  return { classes: await classes(quantised), spiking: await classes(spiking, counter), layers: [] };
}

const percent = (part: number): string => `${Number((100 * part).toPrecision(3))} %`;

/** The warning of a conversion that didn't pass; `chosen`: its silent periods were chosen on inputs. */
export function checkDiagnostic(
  check: ConversionCheck,
  { spiking }: Conversion,
  chosen = false,
): Diagnostic | undefined {
  if (check.passed) return undefined;
  const { samples, first, layers = [], inputs } = check;
  const equal = Math.round(check.agreement * samples);
  const worst = layers.reduce((most, { codes, differing }) => Math.max(most, differing / codes), 0);
  const codes = first === undefined ? '' : `; codes differ from %${first} on, by layer up to ${percent(worst)}`;
  const args = { equal, samples, inputs: inputs === 'drawn' ? 'drawn inputs' : 'calibration images', codes };
  const help = first !== undefined && worst <= fewDiffering ? byRounding : remedy(spiking, first, chosen);
  return diagnostic('convert/snn-differs', args, undefined, { help });
}

/** Codes of a layer that differ by themselves, at most, where nothing but float32's rounding makes them. */
const fewDiffering = 1e-3;
const byRounding =
  'few codes differ by themselves, where rounding in float32 decides, and the others follow from them: no setting changes that; compare accuracies with spikec eval';

/** What to try next: only what isn't done already. */
function remedy(spiking: Network, first: string | undefined, chosen: boolean): string {
  const neurons = spiking.ops.filter(isNeuronLayer);
  if (spiking.coding?.name !== 'sws') return 'more --steps, or ranges measured on other images with --calibrate';
  const args = spiking.coding.args;
  if (args['encoder'] === 'drive' && spiking.ops.some(({ id, kind }) => kind === 'encode' && id === first)) {
    return '--encoder exact carries the input’s codes as they are; the drive encoder misses some';
  }
  const steps = Number(args['steps']);
  const coarse = neurons.some((op) => Number(op.attrs.amplitude ?? 1) > 1);
  if (coarse) return `${steps} steps carry fewer codes than the layers have: more --steps`;
  const beta = Number(args['beta']);
  if (!Number.isInteger(beta))
    return `sums of powers of ${beta} are few whole numbers, and codes the nearest of them: --beta 2 carries each`;
  const most = steps - 1;
  if (neurons.every((op) => Number(op.attrs.silent) >= most))
    return 'report it with the file: every layer decided on its whole input';
  if (chosen) {
    return 'more comes in late than on the inputs that silent periods were chosen on: a larger --margin, --calibrate DATA, or --silent proven';
  }
  return `layers decide before enough of their input is in: --silent auto chooses by layer, --silent ${most} lets each see all of it first`;
}
