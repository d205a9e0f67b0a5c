import type { OptionType } from '../options/index.js';
import type { Raw } from '../options/raw.js';
import type { Choice } from './knapsack.js';

/** A number of bits that a layer's weights may have: what it costs, and the error of the network's output it brings. */
export interface BitChoice extends Choice {
  readonly bits: number;
}

/** A budget for the bits of weights (docs/cli.md, allocate): the options of the pass allocate-bits. */
export interface BitAllocation {
  /** By layer, in the network's order. */
  readonly choices: ReadonlyMap<string, readonly BitChoice[]>;
  /** In the unit of the choices' costs. */
  readonly budget: number;
  /** Bits of weights, or S-ACE. */
  readonly unit: 'bits' | 's_ace';
  /** What layers cost whose bits aren't chosen: bytes, or S-ACE. */
  readonly fixed: number;
  /** Partial sums that the exact search may keep; beyond, bits are found greedily. */
  readonly states?: number | undefined;
}

/** A cost in words, for what is said to users: of the choices together, with what the other layers cost. */
export function costTextOf({ choices, unit, fixed }: Omit<BitAllocation, 'budget'>): (cost: number) => string {
  const whole = (n: number): string => Math.ceil(n).toLocaleString('en');
  if (unit === 's_ace') return (cost) => `an S-ACE of ${whole(cost + fixed)}`;
  const params = [...choices.values()].reduce((sum, [first]) => sum + (first === undefined ? 0 : paramsOf(first)), 0);
  return (cost) => `${whole(cost / 8 + fixed)} bytes (${(cost / params).toFixed(3)} bits a weight)`;
}

/** Weights of a layer, from what one choice of their bits costs. */
function paramsOf({ bits, cost }: BitChoice): number {
  return cost / bits;
}

/** `{"conv": [[2, 36, 0.1], [4, 72, 0.01]]}`: for each layer the choices, each its bits, cost and error. */
export const bitChoices: OptionType<ReadonlyMap<string, readonly BitChoice[]>> = {
  words: 'for each layer a list of choices [bits, cost, error]',
  example: '{"conv": [[2, 36, 0.1], [4, 72, 0.01]]}',
  read: (raw) => {
    if (raw.kind !== 'map' || raw.entries.length === 0) return undefined;
    const layers = raw.entries.map(({ key, value }) => [key, choicesIn(value)] as const);
    if (layers.some(([, choices]) => choices === undefined)) return undefined;
    return new Map(layers as readonly (readonly [string, readonly BitChoice[]])[]);
  },
};

function choicesIn(raw: Raw): readonly BitChoice[] | undefined {
  if (raw.kind !== 'list' || raw.items.length === 0) return undefined;
  const choices = raw.items.map(choiceIn);
  return choices.every((choice) => choice !== undefined) ? choices : undefined;
}

function choiceIn(raw: Raw): BitChoice | undefined {
  if (raw.kind !== 'list' || raw.items.length !== 3) return undefined;
  const [bits, cost, error] = raw.items.map((item) => (item.kind === 'number' ? item.value : NaN));
  const sound = Number.isInteger(bits) && bits! >= 1 && bits! <= 16 && cost! >= 0 && error! >= 0;
  return sound ? { bits: bits!, cost: cost!, error: error! } : undefined;
}
