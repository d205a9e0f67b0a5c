import { present } from '../../../base/invariant.js';
import { type Attrs, type Op, type Rewriter, numberAttr, realParam, rewrite } from '../../../network/index.js';
import type { MeanOptions, Pass, PassContext } from '../../pass.js';
import { outputsOfMeans } from './carries-means.js';
import { readOutTail } from './sites.js';

const allowed = new Set([
  'input',
  'conv',
  'linear',
  'affine',
  'add',
  'concat',
  'avgpool',
  'globalavgpool',
  'maxpool',
  'flatten',
  'reshape',
  'pad',
  'clip',
]);

/**
 * Neurons stand for the activations (SPEC §8). With clip(x, 0, λ) and neurons whose outputs reach `top`, the
 * current is x·top/λ and a train's mean stands for mean·λ/top. The input is a constant current, the read-out
 * the mean of the logits over the steps. Max pooling becomes the running maximum of spike counts,
 * M_t = max_i Σ_{τ≤t} s_i,τ, s_t = M_t − M_t−1: a train with the same levels, whose mean is the maximum.
 */
export const insertNeurons: Pass = {
  name: 'insert-neurons',
  doc: 'Puts layers of neurons in the place of clip(x, 0, λ), the input as a constant current, the mean of the logits as the read-out; max pooling becomes the running maximum of spike counts.',
  run: (network, context) => {
    const means = present(context.options.means, 'insert-neurons: no neuron was chosen');
    const { steps } = context.options;
    const tail = readOutTail(network);
    if (!isConvertible(network.ops, tail, means, context)) return network;
    const decoded = new Map<string, string>();
    const decode = (id: string, to: Rewriter): string => {
      if (to.builder.typeOf(id).time === undefined) return id;
      const known = decoded.get(id);
      if (known !== undefined) return known;
      const made = to.builder.add({ id: `${id}.readout`, kind: 'decode', inputs: [id], attrs: { coding: 'direct' } });
      decoded.set(id, made);
      return made;
    };
    /** what a train stands for: id of the value → the train and its unit */
    const carriers = new Map<string, Carrier>();
    const valued = (id: string, carrier: Carrier, to: Rewriter): string => {
      const value = scaled(`${id}.value`, carrier.train, carrier.unit, to);
      carriers.set(value, carrier);
      return value;
    };
    const result = rewrite(network, (op, inputs, to) => {
      if (op.kind === 'input') {
        const input = to.copy(op, inputs);
        return to.builder.add({
          id: `${op.id}.encode`,
          kind: 'encode',
          inputs: [input],
          attrs: { coding: 'direct', steps },
        });
      }
      if (tail.has(op.id)) {
        return to.copy(
          op,
          inputs.map((id) => decode(id, to)),
        );
      }
      if (op.kind === 'clip') return valued(op.id, emitNeurons(op, inputs, to, means), to);
      const carrier = carriers.get(inputs[0]!);
      if (op.kind === 'maxpool' && carrier !== undefined) {
        const attrs = { ...op.attrs, beta: 1 };
        return valued(op.id, { ...carrier, train: to.copy(op, [carrier.train], { kind: 'maxprefix', attrs }) }, to);
      }
      const made = to.copy(op, inputs);
      return network.outputs.includes(op.id) ? decode(made, to) : made;
    });
    return { ...result, coding: { name: 'direct', args: { steps } } };
  },
};

/** A train and what a mean of 1 stands for. */
interface Carrier {
  readonly train: string;
  readonly unit: number;
}

function scaled(id: string, from: string, factor: number, to: Rewriter): string {
  const scale = to.param(`${id}.scale`, realParam([1], [factor]));
  return to.builder.add({ id, kind: 'affine', inputs: [from], params: { scale } });
}

function emitNeurons(op: Op, inputs: readonly string[], to: Rewriter, { neuron }: MeanOptions): Carrier {
  const { def, args, levels } = neuron;
  to.builder.neuron(def);
  const unit = numberAttr(op.attrs, 'max') / (levels.max * levels.step);
  const current = scaled(`${op.id}.current`, inputs[0]!, 1 / unit, to);
  const attrs: Attrs = { neuron: def.name, levels: [levels.min, levels.max], amplitude: levels.step, ...args };
  return { train: to.copy(op, [current], { kind: 'neuron', attrs }), unit };
}

/** Reports every op without a spiking form, and neurons that don't carry means. */
function isConvertible(
  ops: readonly Op[],
  tail: ReadonlySet<string>,
  means: MeanOptions,
  context: PassContext,
): boolean {
  let sound = true;
  const spiking = new Set<string>();
  for (const op of ops) {
    if (tail.has(op.id)) continue;
    if (op.kind === 'clip' || (op.kind === 'maxpool' && spiking.has(op.inputs[0]!))) spiking.add(op.id);
    const badPool = op.kind === 'maxpool' && !spiking.has(op.id);
    const badPad = op.kind === 'pad' && op.attrs['value'] !== 0;
    if (allowed.has(op.kind) && !badPool && !badPad) continue;
    sound = false;
    context.report('convert/no-spiking-form', { op: op.id, kind: op.kind, coding: 'direct' }, op, {
      ...(badPool ? { help: 'max pooling has to read the result of a relu: put the relu before it' } : {}),
    });
  }
  const { neuron } = means;
  const { steps } = context.options;
  if (!sound) return false;
  const wrong = outputsOfMeans(neuron, steps);
  if (wrong === undefined) return true;
  const args = { neuron: neuron.def.name, steps, current: wrong.current, mean: wrong.mean };
  context.report('convert/neuron-loses-mean', args);
  return false;
}
