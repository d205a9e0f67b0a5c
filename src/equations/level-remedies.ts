import { type SpikeLevels, spikeLevels } from './levels.js';
import type { LevelProblem } from './ranges.js';
import type { NeuronUse } from './types.js';

const bitsRule = '`integer` + `fraction`';

/** Whether the neuron's levels are a format of integer and fraction bits. */
function hasFormat({ args }: NeuronUse): boolean {
  return 'integer' in args && 'fraction' in args;
}

/** The values of one parameter that make the greatest output a level, and how many steps use their bits fully. */
export function evenRemedy(use: NeuronUse, bound: number): string {
  const choices = use.def.params.flatMap(({ name, type, learn }) =>
    type === 'int' || type === 'bool' || learn !== undefined ? [] : evenValues(use, name, bound),
  );
  const bits = Math.max(1, Math.floor(Math.log2(Math.abs(bound) + 1)));
  const full = `2^B − 1 steps use B bits fully: ${2 ** bits - 1} or ${2 ** (bits + 1) - 1}`;
  const whole = `${wholeNear(bound).join(' or ')} steps would do`;
  const nearest = choices.length === 0 ? '' : `, as with \`${choices.join('` or `')}\``;
  return `${whole}${nearest}; ${full}`;
}

function evenValues({ def, args }: NeuronUse, name: string, bound: number): string[] {
  const value = args[name]!;
  const isEven = (candidate: number): boolean => {
    const problems: LevelProblem[] = [];
    const levels = spikeLevels(
      def,
      { ...args, [name]: candidate },
      {
        onProblem: (problem) => problems.push(problem),
      },
    );
    return problems.length === 0 && levels !== undefined && levels.min < levels.max;
  };
  const among = (candidates: readonly number[]): number[] =>
    [...new Set(candidates.map((x) => Number(x.toPrecision(12))))].filter(isEven);
  const scaled = among(wholeNear(bound).map((steps) => (value * steps) / bound));
  const found = scaled.length > 0 ? scaled : among([Math.floor(value), Math.ceil(value)]);
  return found.map((candidate) => `${name}: ${candidate}`);
}

/** The whole numbers below and above, without 0. */
function wholeNear(bound: number): readonly number[] {
  return [Math.floor(bound), Math.ceil(bound)].filter((steps) => steps !== 0);
}

/** How bounds get something between them. */
export function boundsRemedy(use: NeuronUse, low: number): string {
  if (hasFormat(use)) return `${bitsRule} must be at least 1`;
  return `raise the upper bound above ${low}, or lower the lower one`;
}

/** How a neuron with one output gets more. */
export function spikeRemedy(use: NeuronUse, { max, step }: SpikeLevels): string {
  if (hasFormat(use)) return `${bitsRule} must be at least 1`;
  return `raise the upper bound by a step at least, above ${max * step}`;
}

/** How the levels get as few as `most` bits can say. */
export function fewerRemedy(use: NeuronUse, { min, max }: SpikeLevels, most: number): string {
  if (hasFormat(use)) return `${bitsRule} can be ${most} at most`;
  return `these are ${max - min} steps from the lowest to the highest level, ${2 ** most - 1} at most: bound them closer or make them larger`;
}
