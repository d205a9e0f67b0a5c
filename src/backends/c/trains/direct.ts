import { present } from '../../../base/invariant.js';
import { type Op, optionalParam, realValues } from '../../../network/index.js';
import { NotInteger } from '../not-integer.js';
import { type Accumulator, TrainEmitter } from './emit.js';
import { imageConv, levelOf, maxKernel, squeezeKernel, writePlanes } from './level-kernels.js';
import { writeLevelNeurons } from './level-neurons.js';
import {
  type Bits,
  type Extent,
  type Potential,
  type Real,
  type Term,
  type Value,
  type Windows,
  extentOf,
  mostOfImages,
  planeBytes,
  planesOf,
  sizeOf,
} from './values.js';
import { weightArray, weightsOf } from './weights.js';

/** Networks whose steps count alike: currents of an image at every step, spikes of one level or several, means of them. */
export class DirectEmitter extends TrainEmitter {
  protected written(op: Op, from: Value): Value {
    switch (op.kind) {
      case 'encode':
        return this.#image(op, from);
      case 'neuron':
        return this.#levelNeurons(op, from);
      case 'conv':
      case 'linear':
        return this.#ofImage(op, from);
      case 'squeeze':
        return this.#squeeze(op, from);
      case 'maxpool':
        return this.#maxPool(op, from);
      default:
        throw new NotInteger(op.id, `${op.kind} has no form in integers yet`);
    }
  }

  protected potentialOf(op: Op, from: Value): Potential {
    if (from.kind === 'potential') return from;
    if (from.kind === 'image') throw new NotInteger(op.id, 'it reads spikes without a synapse');
    const { extent, steps } = from;
    const unit = from.kind === 'real' ? 1 : from.unit;
    return { kind: 'potential', terms: [{ train: from, gain: [unit] }], extent, steps };
  }

  protected shareOf(op: Op<'decode'>, steps: number): number {
    const { readout = 'mean' } = op.attrs;
    if (readout === 'mean') return 1 / steps;
    if (readout === 'sum') return 1;
    throw new NotInteger(op.id, `it reads out the ${readout} of its steps`);
  }

  protected allSteps(term: Term, acc: Accumulator, steps: number): readonly string[] {
    const planes = planesOf(term.train);
    const each = this.accumulate(term, acc, 2, planes === 1 ? 'k' : `k * ${planes}u`, `${planes}u`);
    return [`{ uint32_t k; for (k = 0; k < ${steps}u; k++) {`, ...each.map((line) => `  ${line}`), '} }'];
  }

  /** The train of levels that a layer gives. */
  #levelTrain(op: Op, extent: Extent): Bits {
    const { code } = op.type;
    if (code.kind !== 'spike') throw new NotInteger(op.id, 'it gives no spikes');
    const top = Math.max(code.max, -code.min, 1);
    if (!Number.isInteger(top) || top >= 2 ** 15) throw new NotInteger(op.id, 'its levels need more than 15 bits');
    return this.bits(op, extent, code.min < 0, { depth: Math.floor(Math.log2(top)) + 1, top, unit: code.step });
  }

  /** The image as it is, at every step. */
  #image(op: Op<'encode'>, from: Value): Value {
    const extent = extentOf(op.type.shape);
    if (from.kind !== 'image' || extent === undefined || op.attrs.coding !== 'direct')
      throw new NotInteger(op.id, 'it doesn’t give the image at every step');
    const steps = present(op.type.time, `c: %${op.id} has no time`).steps;
    return { kind: 'real', from: from.name, type: 'f32', planar: true, most: mostOfImages, extent, steps };
  }

  /** What a synapse makes of the image, once for all steps. */
  #ofImage(op: Op<'conv' | 'linear'>, from: Value): Value {
    const to = extentOf(op.type.shape);
    if (from.kind !== 'real' || !from.planar || to === undefined)
      throw new NotInteger(op.id, 'it reads neither spikes nor the image');
    if (op.kind === 'linear' && op.type.shape.length > 1) throw new NotInteger(op.id, 'it is a linear layer of tokens');
    const { kernel, stride, pads, dilation, groups } = op.kind === 'conv' ? op.attrs : pointwise;
    const windows: Windows = { from: from.extent, to, kernel, stride, pads, dilation, groups };
    const weights = weightsOf(this.network, op, windows);
    const array = weightArray(this.source, weights, true);
    if (weights.bits !== 8) this.source.helper('spk_bits');
    const name = this.source.define(`spk_image_${weights.bits}`, imageConv(weights.bits));
    const buffer = this.arena.add('f64', sizeOf(to), this.position);
    const args = [this.real(from), this.source.address(buffer, 0), '&s', array].join(', ');
    this.source.line(`{ ${this.windows(windows)} ${name}(${args}); }`);
    const most = from.most * weights.most;
    const sums: Real = { kind: 'real', from: buffer, type: 'f64', planar: false, most, extent: to, steps: from.steps };
    const bias = optionalParam(this.network, op, 'bias');
    const term: Term = { train: sums, gain: weights.scale };
    const potential = { kind: 'potential' as const, terms: [term], extent: to, steps: from.steps };
    return bias === undefined ? potential : { ...potential, bias: realValues(bias) };
  }

  readonly real = (train: Real): string => (typeof train.from === 'string' ? train.from : this.use(train.from));

  #squeeze(op: Op<'squeeze'>, from: Value): Value {
    const { steps } = op.attrs;
    if (from.kind !== 'bits' || steps === undefined) throw new NotInteger(op.id, 'it reads no known steps of spikes');
    if (steps === 1) return { ...from, steps: 1 };
    const train = this.#levelTrain(op, from.extent);
    const name = this.#ofPlanes('spk_squeeze', train, squeezeKernel);
    const n = sizeOf(from.extent);
    const args = ['&t', `${steps}u`, `${from.depth}u`, `${n}u`, this.source.address(train.buffer, 0)];
    this.source.line(`{ ${this.train(from, 2)} ${name}(${args.join(', ')}, ${planeBytes(from.extent)}u); }`);
    return train;
  }

  #maxPool(op: Op<'maxpool'>, from: Value): Value {
    const extent = extentOf(op.type.shape);
    if (from.kind !== 'bits' || extent === undefined) throw new NotInteger(op.id, 'it reads no spikes in bits');
    const { kernel, stride, pads } = op.attrs;
    const train = { ...this.#levelTrain(op, extent), unit: from.unit };
    if (train.depth !== from.depth) throw new NotInteger(op.id, 'it changes levels');
    const name = this.#ofPlanes('spk_max', train, maxKernel);
    const windows = this.windows({ from: from.extent, to: extent, kernel, stride, pads, dilation: [1, 1], groups: 1 });
    const bytes = planeBytes(extent);
    const to = `${this.source.address(train.buffer, 0)} + k * ${bytes * train.depth * (train.signed ? 2 : 1)}u`;
    const args = ['&t', `k * ${from.depth}u`, `${from.depth}u`, to, `${bytes}u`, '&s'].join(', ');
    this.source.line(`{ uint32_t k; ${this.train(from, 2)} ${windows}`);
    this.source.line(`  for (k = 0; k < ${from.steps}u; k++) ${name}(${args}); }`);
    return train;
  }

  /** A function that writes levels as bits, for those of a train. */
  #ofPlanes(stem: string, { buffer, depth, signed }: Bits, text: (name: string, planes: string) => string): string {
    const form = `${depth}${signed ? '_signed' : ''}`;
    this.source.define('spk_level', levelOf);
    const planes = this.source.define(`spk_planes_${form}`, writePlanes(depth, signed));
    const to = this.source.address(buffer, 0);
    this.source.line(`{ uint32_t i; for (i = 0; i < ${buffer.count}u; i++) ${to}[i] = 0; }`);
    const name = `${stem}_${form}`;
    return this.source.define(name, text(name, planes));
  }

  #levelNeurons(op: Op<'neuron'>, from: Value): Value {
    const potential = this.potentialOf(op, from);
    const train = this.#levelTrain(op, potential.extent);
    writeLevelNeurons({
      ...this.firing(op, potential, train),
      depth: train.depth,
      signed: train.signed,
      // a train may count steps of the output in place of what they stand for
      unit: op.attrs.amplitude ?? train.unit,
      real: this.real,
    });
    return train;
  }
}

/** The windows of a linear layer. */
const pointwise = {
  kernel: [1, 1],
  stride: [1, 1],
  pads: [0, 0, 0, 0],
  dilation: [1, 1],
  groups: 1,
} as const;
