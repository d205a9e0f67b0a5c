import { type AutoSilence, autoSilence, certainSilence } from '../allocate/auto-silence.js';
import { diagnostic } from '../base/diagnostics/index.js';
import { present } from '../base/invariant.js';
import type { Config } from '../model/index.js';
import { type Network, numberAttr } from '../network/index.js';
import { trainCapacity } from '../passes/index.js';
import { chooseEngine } from '../run/engine.js';
import type { PassPlan } from '../passes/index.js';
import type { Conversion } from '../workspace/compiled.js';
import { conversionPlan, convertNetwork } from '../workspace/conversion.js';
import { Findings } from '../workspace/findings.js';
import { usualSteps } from './model-text.js';
import type { ConvertOptions } from './options.js';

/** Of `sws(steps: …)`. */
const mostSteps = 24;

/** Coding steps, and the conversion with them and without silent steps where there is one already. */
export interface FoundSteps {
  readonly steps: number;
  readonly tried?: Conversion;
}

/** Coding steps that carry every code, 8 at least; of steps that were asked for, what they lose is said. */
export function stepsFor(
  network: Network,
  config: Config,
  { beta = 2, ...options }: ConvertOptions,
  findings: Findings,
): FoundSteps {
  const plan = conversionPlan(config, new Findings(), { silent: () => 0 });
  const tried = converted(network, plan, findings);
  const { quantised, spiking } = tried;
  const trains = new Set(spiking.ops.flatMap(({ id, attrs }) => (numberAttr(attrs, 'amplitude', 1) > 1 ? [id] : [])));
  const ranges = quantised.ops.flatMap(({ id, type: { code } }) =>
    trains.has(id) && code.kind === 'quant' ? [code.max - code.min] : [],
  );
  const range = Math.max(0, ...ranges);
  const first = options.steps ?? usualSteps;
  if (ranges.length === 0) return { steps: first, tried };
  let enough = first;
  while (trainCapacity(beta, enough) < range) enough++;
  const steps = options.steps ?? Math.min(enough, mostSteps);
  if (options.steps === undefined && steps === enough) return steps === first ? { steps, tried } : { steps };
  const amplitude = Math.ceil(range / trainCapacity(beta, steps));
  const args = { layers: trains.size, steps, amplitude };
  const help =
    enough <= mostSteps ? `--steps ${enough} carries every code` : 'a larger --beta carries more in as many steps';
  findings.all.push(diagnostic('convert/coarse-codes', args, config.coding?.place, { help }));
  return steps === first ? { steps, tried } : { steps };
}

/** Silent periods by layer, unless the options say how long all are. */
export async function silenceFor(
  network: Network,
  config: Config,
  {
    silent = 'auto',
    keep: kept = 'codes',
    margin,
    calibrate: calibration,
    normalisation = {},
    onProgress,
  }: ConvertOptions,
  { tried }: FoundSteps,
  memory: number,
  findings: Findings,
): Promise<AutoSilence | undefined> {
  if (typeof silent === 'number') return undefined;
  const convert = (periods: (id: string) => number): Conversion =>
    converted(network, conversionPlan(config, new Findings(), { silent: periods }), findings);
  const unsilenced = tried ?? convert(() => 0);
  if (silent === 'proven') return certainSilence(unsilenced);
  const engine = chooseEngine(undefined, 'infer');
  const found = await autoSilence(unsilenced, convert, {
    kept,
    margin,
    calibration,
    normalisation,
    engine,
    memory,
    onProgress,
  });
  if (found.searched !== undefined) {
    const { searched, layers } = found;
    findings.all.push(diagnostic('convert/partly-searched', { searched, layers: layers.length }));
  }
  return found;
}

/** A conversion tried on the way; what its passes have to say, the last one says again. */
function converted(network: Network, plan: PassPlan, findings: Findings): Conversion {
  const said = findings.all.length;
  const { conversion } = convertNetwork(network, plan, findings);
  findings.all.length = said;
  return present(conversion, 'convert: the pipeline ended early');
}
