import { type Diagnostic, diagnostic } from '../../base/diagnostics/index.js';
import { present } from '../../base/invariant.js';
import { bitsFor } from '../../base/quantiser.js';
import { Environment, type Expr, assignmentsOf, evaluateExpr, partsOf, spikeLevels } from '../../equations/index.js';
import { type Bits, type CodingChoice, type NeuronUse, LayerPatterns, bitValues, stepsOf } from '../../model/index.js';
import type { Attrs } from '../../network/index.js';
import { ProgramBuilder } from '../../tensor/index.js';

/** `learn(init, max, target, penalty, rate)`: a real number per layer, rounded where it is used (ABA eq. 9-11). */
export interface LearnedBits {
  readonly init: number;
  /** The bound N. */
  readonly max: number;
  readonly target: number;
  /** λ of the loss's term |B̄ − target|. */
  readonly penalty: number;
  /** Learning rate of the bits. */
  readonly rate: number;
}

export const bitKinds = ['weights', 'spikes', 'steps'] as const;
export type BitKind = (typeof bitKinds)[number];

export type BitSetting = number | LearnedBits;

/** A config's `bits { … }`, by layer. */
export class BitPlan {
  readonly #layers: LayerPatterns<Bits['layers'][number]>;

  constructor(
    readonly bits: Bits | undefined,
    readonly coding: CodingChoice | undefined,
  ) {
    this.#layers = new LayerPatterns(bits?.layers ?? []);
  }

  /** What holds for a layer; later patterns win. Undefined: nothing is said, the values are real. */
  of(kind: BitKind, id: string): BitSetting | undefined {
    let found: Bits['layers'][number]['settings'][BitKind] = this.bits?.settings[kind];
    for (const { settings } of this.#layers.of(id)) if (kind in settings) found = settings[kind];
    return typeof found === 'object' ? found.args : found;
  }

  /** Whether trains are squeezed to their mean: where `steps` is set, unless `squeeze false`. */
  get squeezes(): boolean {
    const { squeeze } = this.bits?.settings ?? {};
    return squeeze === true || (squeeze !== false && this.#mentions('steps'));
  }

  /** Whether the step sizes of weights follow from the greatest weight (plain uniform quantisation) instead of learning. */
  get plain(): boolean {
    return this.bits !== undefined && bitValues(this.bits.settings).step_size === 'max';
  }

  /** Steps of a layer of neurons, where trains are squeezed. */
  stepsOf(id: string): BitSetting {
    return this.of('steps', id) ?? present(stepsOf(this.coding), 'lower: a squeezed train without steps');
  }

  /** T of a layer of neurons; nothing where no coding says it, or where that is to be learned. */
  localSteps(id: string): number | undefined {
    if (this.coding === undefined) return undefined;
    const steps = this.squeezes ? this.stepsOf(id) : stepsOf(this.coding);
    return typeof steps === 'number' ? steps : undefined;
  }

  /** What can't be: learned bits on a fixed range, squeezing without a constant input, learned steps without squeezing. */
  problems(): readonly Diagnostic[] {
    const { bits, coding } = this;
    if (bits === undefined) return [];
    if (this.plain && this.#learns('weights')) {
      const text = '`step_size max` with learned bits of weights: its step sizes follow from fixed bits';
      const help = 'fix the bits, or leave out `step_size`';
      return [diagnostic('model/conflict', { problem: text }, bits.place, { help })];
    }
    if (coding === undefined) return [];
    const problem = (text: string, help: string): Diagnostic =>
      diagnostic('model/conflict', { problem: text }, bits.place, {
        help,
        related: [{ place: coding.place, message: 'the coding' }],
      });
    if (this.squeezes && coding.name !== 'direct') {
      const what = this.#learns('steps') ? 'learned steps' : '`steps` in `bits`';
      const text = `${what} need an input that is the same at every step; \`coding ${coding.name}\` has none`;
      return [problem(text, 'use `coding direct(…)`, or set `squeeze false` and leave out `steps`')];
    }
    if (!this.squeezes && this.#mentions('steps')) {
      return [
        problem(
          '`steps` in `bits` with `squeeze false`: without squeezing all layers have the steps of the coding',
          'leave out one of the two',
        ),
      ];
    }
    return [];
  }

  #settingsOf(kind: BitKind): unknown[] {
    return [this.bits?.settings[kind], ...this.#layers.all.map(({ settings }) => settings[kind])].filter(
      (value) => value !== undefined,
    );
  }

  #mentions(kind: BitKind): boolean {
    return this.#settingsOf(kind).length > 0;
  }

  #learns(kind: BitKind): boolean {
    return this.#settingsOf(kind).some((value) => typeof value === 'object');
  }
}

/** The bits a setting starts with. */
export function initialBits(setting: BitSetting): number {
  return typeof setting === 'number' ? setting : setting.init;
}

/** The greatest bits a setting can come to. */
export function mostBits(setting: BitSetting): number {
  return typeof setting === 'number' ? setting : setting.max;
}

/** Attributes `NAME` for fixed bits, `NAME_max` for learned ones. */
export function bitAttrs(name: string, setting: BitSetting): Attrs {
  return typeof setting === 'number' ? { [name]: setting } : { [`${name}_max`]: setting.max };
}

/** The neuron with the spikes' bits, its levels those of the most bits; or what is wrong. */
export function neuronWithBits(
  use: NeuronUse,
  setting: BitSetting,
  levels: number,
  place: Bits['place'],
): NeuronUse | Diagnostic {
  const { def } = use;
  const refuse = (problem: string, help: string): Diagnostic =>
    diagnostic('model/conflict', { problem }, place, {
      help,
      related: [{ place: use.place, message: `the neuron \`${def.name}\`` }],
    });
  if (!def.params.some(({ name }) => name === 'bits')) {
    const own = bitsFor(levels);
    if (setting === own) return use;
    const wanted = typeof setting === 'number' ? `${setting}` : 'learned';
    const problem = `\`spikes\` asks for ${wanted} bits, but the neuron \`${def.name}\` has no parameter \`bits\` and fires ${own}`;
    return refuse(problem, 'use a neuron with a parameter `bits`, such as `Refined` of "spikec/neurons"');
  }
  if (typeof setting === 'object') {
    const fixed = assignmentsOf(def, 'fire').some(({ value }) => calls(value, 'levels'));
    if (fixed || def.surrogate?.name !== 'ste') {
      const problem = `the bits of \`${def.name}\` can't be learned: it needs \`clip(floor(…), …)\` or \`clip(round(…), …)\` with \`surrogate ste(…)\``;
      return refuse(problem, 'use `Refined` of "spikec/neurons", or write the neuron like it');
    }
    if (!surrogateFits(use, setting.max)) {
      const problem = `the bits of \`${def.name}\` can't be learned: its \`ste(lo: …, hi: …)\` must pass up to its lowest and its highest level, whatever \`bits\` is`;
      return refuse(problem, 'bound it as `Refined` of "spikec/neurons" does: half a level inside of what is clipped');
    }
  }
  return { ...use, args: { ...use.args, bits: mostBits(setting) } };
}

/**
 * Whether cutting where the surrogate stops passing gives the clipped value, for every number of bits: floor(v) or
 * round(v) at the surrogate's bounds must be the bounds of its `clip`.
 */
function surrogateFits({ def, args }: NeuronUse, most: number): boolean {
  const { lo, hi } = def.surrogate?.args ?? {};
  const rounds = assignmentsOf(def, 'fire').some(({ value }) => calls(value, 'round'));
  const [least, spread] = rounds ? [-0.5, 1] : [0, 1];
  const within = (
    bound: Expr | number | undefined,
    level: number,
    values: Readonly<Record<string, number>>,
  ): boolean => {
    const at = bound === undefined ? level : typeof bound === 'number' ? bound : constantOf(bound, values);
    return at >= level + least && at <= level + least + spread;
  };
  for (let bits = 1; bits <= most; bits++) {
    const values = { ...args, bits };
    const levels = clippedLevels(def, values) ?? spikeLevels(def, values);
    if (levels === undefined) return false;
    if (!within(lo, levels.min, values) || !within(hi, levels.max, values)) return false;
  }
  return true;
}

/** The bounds of the first clip(floor(…), lo, hi) or clip(round(…), lo, hi) in the equations. */
function clippedLevels(
  def: NeuronUse['def'],
  given: Readonly<Record<string, number>>,
): { readonly min: number; readonly max: number } | undefined {
  const values: Record<string, number> = { ...given };
  for (const { target, value } of assignmentsOf(def, 'fire')) {
    const clip = clipOfLevels(value);
    if (clip !== undefined) return { min: constantOf(clip.args[1]!, values), max: constantOf(clip.args[2]!, values) };
    const known = constantOf(value, values);
    if (!Number.isNaN(known)) values[target] = known;
  }
  return undefined;
}

function clipOfLevels(expr: Expr): Extract<Expr, { kind: 'call' }> | undefined {
  const inner = expr.kind === 'call' && expr.callee === 'clip' ? expr.args[0] : undefined;
  if (expr.kind === 'call' && inner?.kind === 'call' && ['floor', 'round'].includes(inner.callee)) return expr;
  return partsOf(expr)
    .map(clipOfLevels)
    .find((found) => found !== undefined);
}

/** An expression of parameters; NaN where it is more. */
export function constantOf(expr: Expr, values: Readonly<Record<string, number>>): number {
  const names = namesIn(expr);
  if (names.some((name) => !(name in values))) return NaN;
  const value = evaluateExpr(expr, {
    builder: new ProgramBuilder('constant'),
    env: new Environment(Object.entries(values)),
    force: () => {
      throw new TypeError('constantOf: a parameter is no current');
    },
  });
  return typeof value === 'number' || typeof value === 'boolean' ? Number(value) : NaN;
}

function namesIn(expr: Expr): readonly string[] {
  if (expr.kind === 'name') return [expr.name];
  return partsOf(expr).flatMap(namesIn);
}

function calls(expr: Expr, callee: string): boolean {
  return (expr.kind === 'call' && expr.callee === callee) || partsOf(expr).some((part) => calls(part, callee));
}
