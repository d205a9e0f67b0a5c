import { present } from '../../../base/invariant.js';
import type { Op } from '../../../network/index.js';
import { NotInteger } from '../not-integer.js';
import { floatLiteral } from '../source.js';
import { type Accumulator, TrainEmitter } from './emit.js';
import { encodeDigits, maxPrefix } from './kernels.js';
import { writeNeurons } from './neurons.js';
import { type Potential, type Term, type Value, extentOf, planeBytes } from './values.js';

/** Networks of stepwise weighted spikes. */
export class StepwiseEmitter extends TrainEmitter {
  protected written(op: Op, from: Value): Value {
    switch (op.kind) {
      case 'encode':
        return this.#encode(op, from);
      case 'neuron':
        return this.#neurons(op, from);
      case 'maxprefix':
        return this.#maxPrefix(op, from);
      default:
        throw new NotInteger(op.id, `${op.kind} has no form in integers yet`);
    }
  }

  protected potentialOf(op: Op, from: Value): Potential {
    if (from.kind === 'potential') return from;
    throw new NotInteger(op.id, 'it reads spikes without a synapse');
  }

  protected shareOf(): number {
    return 1;
  }

  protected allSteps(term: Term, acc: Accumulator, steps: number, beta: number, n: number): readonly string[] {
    if (term.train.kind === 'bits') return this.accumulate(term, acc, beta, '0', `${steps}u`);
    return [
      `{ uint32_t i, k; for (k = 0; k < ${steps}u; k++) {`,
      `  for (i = 0; i < ${n}u; i++) ${acc.text}[i] *= ${beta};`,
      ...this.accumulate(term, acc, beta, 'k', '1u').map((line) => `  ${line}`),
      '} }',
    ];
  }

  #encode(op: Op<'encode'>, from: Value): Value {
    const { beta, scale, zero, min, max, amplitude = 1, steps, encoder, rounding = 'half_even' } = op.attrs;
    if (from.kind !== 'image' || encoder !== 'exact')
      throw new NotInteger(op.id, 'it doesn’t encode the image exactly');
    const numbers = [scale, zero, min, max, amplitude].map((x) => present(x, `c: %${op.id} lacks a number`));
    if (beta !== 2 || rounding !== 'half_even' || !Number.isInteger(zero) || steps > 24) {
      throw new NotInteger(op.id, 'its codes are no binary digits');
    }
    const extent = extentOf(op.type.shape);
    if (extent === undefined) throw new NotInteger(op.id, 'it has no rows and columns');
    const train = this.bits(op, extent, false);
    this.source.helper('spk_round_f32');
    this.source.define('spk_encode', encodeDigits);
    const [channels, height, width] = extent;
    const args = [`${channels}u`, `${height * width}u`, `${steps}u`, ...numbers.map(floatLiteral)].join(', ');
    this.source.line(`spk_encode(${from.name}, ${this.source.address(train.buffer, 0)}, ${args});`);
    return train;
  }

  #maxPrefix(op: Op<'maxprefix'>, from: Value): Value {
    if (from.kind !== 'bits') throw new NotInteger(op.id, 'it reads no spikes in bits');
    const { kernel, stride, pads, beta } = op.attrs;
    const extent = extentOf(op.type.shape)!;
    if (from.steps > 32 || !Number.isInteger(beta)) throw new NotInteger(op.id, 'its trains have no whole prefixes');
    const train = this.bits(op, extent, true);
    this.source.define('spk_max_prefix', maxPrefix);
    const windows = this.windows({ from: from.extent, to: extent, kernel, stride, pads, dilation: [1, 1], groups: 1 });
    const [own, to] = [this.train(from, beta), this.source.address(train.buffer, 0)];
    this.source.line(`{ ${own} ${windows} spk_max_prefix(&t, ${from.steps}u, ${to}, ${planeBytes(extent)}u, &s); }`);
    return train;
  }

  #neurons(op: Op<'neuron'>, from: Value): Value {
    const potential = this.potentialOf(op, from);
    const train = this.bits(op, potential.extent, op.type.code.kind !== 'spike' || op.type.code.min < 0);
    writeNeurons(this.firing(op, potential, train));
    return train;
  }
}
