import {
  type Hardware,
  annCost,
  measuredCost,
  costOf as networkCost,
  type AnnCost,
  type FunctionCost,
  type Range,
  takesEvents,
  withEventSpikes,
  type LayerCost,
  type MeasuredLayer,
  type MeasuredTotal,
  type TotalCost,
  type TrainCounts,
} from '../cost/index.js';
import { present } from '../base/invariant.js';
import { SpikeCounter } from './metrics/index.js';
import type { Network } from '../network/index.js';
import { evaluate } from './evaluate.js';
import { eventRange } from './event-range.js';
import { hardwareOf } from '../workspace/hardware.js';
import type { Opened } from '../workspace/open.js';
import type { Findings } from '../workspace/findings.js';
import type { CommonOptions } from '../workspace/types.js';
import type { EvalOptions, EvalResult } from './types.js';

/** Data on which the spikes of a network are counted. */
export type CostData = Pick<EvalOptions, 'dataset' | 'normalisation' | 'limit' | 'batch' | 'engine' | 'threads'>;

export interface CostOptions extends CommonOptions {
  /** Count multi-bit spikes as binary planes in virtual time steps. */
  readonly planes?: boolean;
  /** Count layers with a constant real input at every step, not once. */
  readonly everyStep?: boolean;
  /** Energies in place of the config's. */
  readonly hardware?: Partial<Hardware>;
  /** Also run the network, for what its spikes cost. */
  readonly data?: CostData;
}

export type CostRow = LayerCost & Partial<MeasuredLayer>;

/** The keys are those of `cost --json`. */
export interface CostResult {
  readonly layers: readonly CostRow[];
  /** Of neurons that apply a function to whole codes; missing where there are none. */
  readonly functions?: readonly FunctionCost[];
  readonly total: TotalCost & Partial<MeasuredTotal>;
  readonly hardware: Hardware;
  readonly ann: AnnCost;
  /** What the figures from spikes were measured on. */
  readonly measured?: Pick<EvalResult, 'samples' | 'accuracy' | 'regression' | 'source' | 'seconds' | 'engine'>;
  /** Where the data are event frames of whole numbers, which count as spikes. */
  readonly events?: EventInput;
}

export interface EventInput extends Range {
  /** What it would cost to multiply by them instead, an image. */
  readonly as_real: { readonly real_macs: number; readonly energy_pj: number };
}

/** Costs of an opened target: its compiled network, its hardware, and what it does on data. */
export async function costOfOpened(opened: Opened, options: CostOptions, findings: Findings): Promise<CostResult> {
  const { network } = opened.compiled(options.planes === true ? { planes: true } : {});
  const cost = networkCost(network, { everyStep: options.everyStep === true });
  const hardware = { ...hardwareOf(opened.hardware), ...options.hardware };
  const value: CostResult = { ...cost, hardware, ann: annCost(cost, hardware) };
  return options.data === undefined ? value : measured(opened, { ...options, data: options.data }, value, findings);
}

/** The figures of layers that read event frames, as products of real values in place of additions. */
function asReal(
  { layers, total }: CostResult,
  figures: ReturnType<typeof measuredCost>,
  { e_mac, e_ac }: Hardware,
): EventInput['as_real'] {
  const real = layers.filter(({ input }) => input === 'real');
  const additions = real.reduce((sum, { id }) => sum + (figures.layers.get(id)?.sops ?? 0), 0);
  const energy_pj = e_mac * total.real_macs + e_ac * (figures.total.sops - additions);
  return { real_macs: total.real_macs, energy_pj };
}

/** Runs the network on data. */
async function measured(
  opened: Opened,
  options: CostOptions & { readonly data: CostData },
  cost: CostResult,
  findings: Findings,
): Promise<CostResult> {
  const { data } = options;
  const { network } = opened.compiled(options.planes === true ? { planes: true } : {});
  const range = takesEvents(network) ? eventRange(network, data.dataset, data.normalisation, data.limit) : undefined;
  const asSpikes = (one: Network): Network => (range === undefined ? one : withEventSpikes(one, range));
  let counter: SpikeCounter | undefined;
  const countSpikes = (run: Network): SpikeCounter => (counter = new SpikeCounter(asSpikes(run)));
  const found = await evaluate(opened, { ...options, ...data, countSpikes }, findings);
  const { samples, accuracy, regression, source, seconds, engine } = found;
  const spikes = present(counter, 'cost: nothing was counted');
  const countsOf = (id: string): TrainCounts => spikes.countsOf(id);
  const { hardware } = cost;
  const counted = asSpikes(network);
  const layered = range === undefined ? cost : networkCost(counted, { everyStep: options.everyStep === true });
  const figures = measuredCost(spikes.network, layered, countsOf, samples, hardware, counted);
  return {
    ...cost,
    layers: layered.layers.map((layer) => ({ ...layer, ...figures.layers.get(layer.id) })),
    total: { ...layered.total, ...figures.total },
    ann: annCost(layered, hardware),
    ...(range === undefined ? {} : { events: { ...range, as_real: asReal(cost, figures, hardware) } }),
    measured: {
      samples,
      ...(accuracy === undefined ? {} : { accuracy }),
      ...(regression === undefined ? {} : { regression }),
      ...(source === undefined ? {} : { source }),
      seconds,
      engine,
    },
  };
}
