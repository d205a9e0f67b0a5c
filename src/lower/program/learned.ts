import { type NeuronDef, stepParameter } from '../../equations/index.js';
import type { Op } from '../../network/index.js';
import type { ProgramBuilder, Value } from '../../tensor/index.js';

/** round(x) with the gradient of x (ABA eq. 9-11). Training holds learned bits in 1 … N, so nothing is clipped here. */
export function learnedWhole(builder: ProgramBuilder, x: Value): Value {
  return builder.round(x, { surrogate: 'ste' });
}

/** x itself, whose gradient is multiplied by `factor`. */
export function scaledGradient(builder: ProgramBuilder, x: Value, factor: Value | number): Value {
  const fixed = builder.detach(x);
  return builder.add(fixed, builder.mul(builder.sub(x, fixed), factor));
}

/**
 * What a neuron's equations see of its learned parameters: whole bits where the op has `NAME_max`, and for bits and
 * step size a gradient times g = 1/√(neurons·hi), hi the highest level (ABA A.6, after LSQ).
 */
export class LearnedParameters {
  readonly #bits: Value | undefined;
  readonly #signed: boolean;

  constructor(
    readonly builder: ProgramBuilder,
    readonly op: Op<'neuron'>,
    readonly def: NeuronDef,
    readonly neurons: number,
    raw: (name: string) => Value | undefined,
  ) {
    this.#signed = (op.attrs.levels?.[0] ?? 0) < 0;
    const bits = 'bits_max' in op.attrs ? raw('bits') : undefined;
    this.#bits = bits === undefined ? undefined : learnedWhole(builder, builder.detach(bits));
  }

  value(name: string, raw: Value): Value {
    if (name === 'bits' && this.#bits !== undefined) {
      return learnedWhole(this.builder, scaledGradient(this.builder, raw, this.#factor()));
    }
    if (name === stepParameter(this.def)) return scaledGradient(this.builder, raw, this.#factor());
    return raw;
  }

  #factor(): Value | number {
    const { builder, neurons } = this;
    if (this.#bits === undefined) {
      return 1 / Math.sqrt(neurons * Math.max(1, this.op.attrs.levels?.[1] ?? 1));
    }
    const two = builder.scalar(this.#bits.dtype, 2);
    const exponent = this.#signed ? builder.sub(this.#bits, 1) : this.#bits;
    const hi = builder.max(builder.sub(builder.pow(two, exponent), 1), 1);
    return builder.div(builder.scalar(hi.dtype, 1), builder.sqrt(builder.mul(hi, neurons)));
  }
}
