import { type Cost, costOf } from '../cost/index.js';
import { lowerModel } from '../lower/model-to-network/index.js';
import { type Config, unmoved } from '../model/index.js';
import type { Network, ValueType } from '../network/index.js';
import { inferencePlan, runPlan } from '../passes/index.js';

/** What shapes and types alone say of a config's network. */
export interface CompiledConfig {
  /** As it is lowered: an op for each layer, under its id. */
  readonly network: Network;
  /** Of the network that is ready for inference. */
  readonly cost: Cost;
}

/** Networks with more weights than these aren't compiled while somebody types. */
const mostWeights = 60e6;

const known = new WeakMap<Config, CompiledConfig | undefined>();

/** As it was when the config had these words last: places in it may be of an earlier text. Nothing for configs that convert a file, that are wrong, or whose network is too large. */
export function compiledConfig(config: Config): CompiledConfig | undefined {
  const first = unmoved(config);
  if (!known.has(first)) known.set(first, compile(config));
  return known.get(first);
}

function compile(config: Config): CompiledConfig | undefined {
  if (config.network.kind !== 'network') return undefined;
  const weights = config.network.layers.reduce(
    (sum, { weight }) => sum + (weight ?? [0]).reduce((a, b) => a * b, 1),
    0,
  );
  if (weights > mostWeights) return undefined;
  const { value: network } = lowerModel(config, { blank: true });
  if (network === undefined) return undefined;
  const { network: ready } = runPlan(network, inferencePlan());
  return ready && { network, cost: costOf(ready) };
}

/** `[16, 14, 14] × 4 · {0, 1}`: shape, time steps and what the values are, as far as there is something to say. */
export function describeType({ shape, time, code }: ValueType): string {
  const steps = time === undefined || time.steps === 1 ? '' : ` × ${time.steps}`;
  const start = time === undefined || time.start === 1 ? '' : ` from step ${time.start}`;
  return `[${shape.join(', ')}]${steps}${start}${describeCode(code)}`;
}

function describeCode(code: ValueType['code']): string {
  if (code.kind !== 'spike' && code.kind !== 'quant') return '';
  const { min, max } = code;
  const scale = code.kind === 'spike' ? code.step : code.scale;
  const levels = max - min === 1 ? `{${min}, ${max}}` : `{${min} … ${max}}`;
  return ` · ${levels}${scale === 1 ? '' : ` · ${Number(scale.toPrecision(4))}`}`;
}
