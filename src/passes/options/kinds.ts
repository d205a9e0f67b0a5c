import type { Place } from '../../base/source.js';
import { type PerLayer, byPattern, everyLayer } from './per-layer.js';
import type { Raw } from './raw.js';
import type { OptionType } from './types.js';

/** A whole number. */
export function whole(least: number, most: number): OptionType<number> {
  return {
    words: `a whole number from ${least} to ${most}`,
    example: String(Math.min(most, Math.max(least, 8))),
    read: (raw) =>
      raw.kind === 'number' && Number.isSafeInteger(raw.value) && raw.value >= least && raw.value <= most
        ? raw.value
        : undefined,
  };
}

/** A finite number above a bound, up to another. */
export function real(above: number, most = Infinity): OptionType<number> {
  const upTo = most === Infinity ? '' : `, at most ${most}`;
  return {
    words: above === -Infinity ? 'a number' : `a number above ${above}${upTo}`,
    example: most === Infinity ? '2.5' : String(most),
    read: (raw) =>
      raw.kind === 'number' && Number.isFinite(raw.value) && raw.value > above && raw.value <= most
        ? raw.value
        : undefined,
  };
}

/** A list of numbers above a bound. */
export function reals(above: number): OptionType<readonly number[]> {
  const each = real(above);
  return {
    words: `a list of ${each.words.replace('a number', 'numbers')}`,
    example: `[${each.example}, ${each.example}]`,
    read: (raw) => {
      if (raw.kind !== 'list') return undefined;
      const values = raw.items.map(each.read);
      return values.every((value) => value !== undefined) && values.length > 0 ? values : undefined;
    },
  };
}

/** One of some words. */
export function oneOf<const W extends string>(words: readonly W[]): OptionType<W> {
  return {
    words: words.map((word) => `\`${word}\``).join(' or '),
    example: words[0]!,
    read: (raw) => (raw.kind === 'word' ? words.find((word) => word === raw.value) : undefined),
  };
}

/** `true` or `false`; the name of the option alone is `true`. */
export const flag: OptionType<boolean> = {
  words: '`true` or `false`',
  example: 'true',
  read: (raw) => (raw.kind === 'flag' ? raw.value : undefined),
};

/** A value for every layer, or values by patterns of layers. */
export function perLayer<T>(type: OptionType<T>): OptionType<PerLayer<T>> {
  return {
    words: `${type.words}, for every layer or by layer`,
    example: `{"stage1.*": ${type.example}}`,
    read: (raw) => {
      if (raw.kind !== 'map') {
        const value = type.read(raw);
        return value === undefined ? undefined : everyLayer(value);
      }
      const values = raw.entries.map(({ key: pattern, value, place }) => ({ pattern, value: type.read(value), place }));
      return values.every(({ value }) => value !== undefined) ? byPattern(values) : undefined;
    },
  };
}

/** A type of neuron by its name, with arguments; what isn't given has the default of its definition. */
export interface NeuronChoice {
  readonly name: string;
  readonly args: Readonly<Record<string, number>>;
  readonly place?: Place | undefined;
}

/** `IF(start=0.5)` */
export const neuronChoice: OptionType<NeuronChoice> = {
  words: 'a type of neuron with numbers as arguments',
  example: 'IF(start=0.5)',
  read: (raw) => {
    if (raw.kind === 'word') return { name: raw.value, args: {}, place: raw.place };
    if (raw.kind !== 'call') return undefined;
    const args = raw.args.map(({ key, value }) => [key, argumentOf(value)] as const);
    if (args.some(([, value]) => value === undefined)) return undefined;
    return { name: raw.name, args: Object.fromEntries(args) as Record<string, number>, place: raw.place };
  },
};

/** `phase(period=8)` */
export const codingChoice: OptionType<NeuronChoice> = {
  ...neuronChoice,
  words: 'a coding with numbers as arguments',
  example: 'phase(period=8)',
};

/** A truth value is 0 or 1. */
function argumentOf(raw: Raw): number | undefined {
  if (raw.kind === 'number') return raw.value;
  return raw.kind === 'flag' ? Number(raw.value) : undefined;
}
