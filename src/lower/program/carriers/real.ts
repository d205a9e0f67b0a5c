import type { Op } from '../../../network/index.js';
import type { Value } from '../../../tensor/index.js';
import { type Lowering, type Precision, folded } from '../context.js';
import type { Carried, Carrier } from './carrier.js';
import { FoldedValues } from './folded.js';

/** Networks without time: a value is one tensor [N, …shape] in the precision of the lowering. */
export const real: Carrier = {
  coding: undefined,
  doc: 'real values without time; quantised values are the reals they stand for',
  trains: 'none',
  precision: 'f32',
  begin: (lowering) => new RealNetwork(lowering, lowering.options.precision),
};

/** What has a value without time, an op a tensor. */
export class RealNetwork extends FoldedValues implements Carried {
  lower(op: Op): void {
    this.set(op.id, op.kind === 'input' ? image(this.lowering, op, this.dtype) : this.act(op));
  }

  real(id: string): Value {
    return this.of(id);
  }

  output(id: string): Value {
    // what is trained is judged by its logits; what is imported gives out what its file does
    return this.lowering.options.trainable === true ? this.logits(id) : this.of(id);
  }

  logits(id: string): Value {
    this.lowering.builder.at(id);
    return this.flat(this.of(id));
  }

  train(op: Op): Value {
    return this.of(op.id);
  }

  current(): undefined {
    return undefined;
  }

  counts(): undefined {
    return undefined;
  }

  codes(): undefined {
    return undefined;
  }

  trace(): undefined {
    return undefined;
  }
}

/** The program's input for images, in a precision; it is fed in f32. */
export function image({ builder }: Lowering, op: Op, precision: Precision): Value {
  const fed = builder.input(op.id, 'f32', folded(1, op.type.shape));
  return precision === 'f32' ? fed : builder.at(op.id).cast(fed, precision);
}
