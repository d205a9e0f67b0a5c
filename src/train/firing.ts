import { type Diagnostic, diagnostic } from '../base/diagnostics/index.js';
import { type Network, type Op, isNeuronLayer, opsById, roleOf } from '../network/index.js';
import type { EpochRecord } from './record.js';

/** Shown as 0.000: nobody behind such a layer learns anything from it. */
const dead = 0.0005;
/** In parts of the highest level: such a layer says the same whatever it is given. */
const saturated = 0.995;

/** Looks after each epoch for layers that never fire, or fire as much as they can; each is named once. */
export class Firing {
  readonly #named = new Set<string>();

  constructor(readonly network: Network) {}

  look({ epoch, firing }: Pick<EpochRecord, 'epoch' | 'firing'>): readonly Diagnostic[] {
    return this.network.ops.flatMap((op): Diagnostic[] => {
      const rate = firing[op.id];
      if (op.kind !== 'neuron' || rate === undefined || op.attrs.levels === undefined || this.#named.has(op.id))
        return [];
      const [lowest, highest] = op.attrs.levels;
      const learns = 'bits_max' in op.attrs;
      const full = !learns && lowest >= 0 && rate >= saturated * highest;
      if (rate >= dead && !full) return [];
      this.#named.add(op.id);
      const args = { layer: op.id, epoch, rate };
      const normalise = this.#isNormalised(op) ? '' : ', put `batchnorm` in front of it,';
      return [
        full
          ? diagnostic('train/saturated-layer', { ...args, highest }, op.place, {
              help: `raise its threshold${normalise} or lower the learning rate`,
            })
          : diagnostic('train/dead-layer', args, op.place, {
              help: `lower its threshold${normalise} or widen the surrogate`,
            }),
      ];
    });
  }

  /** Whether a normalisation lies between the layer and the weights in front of it. */
  #isNormalised({ inputs }: Op): boolean {
    const byId = opsById(this.network);
    const seen = new Set(inputs);
    for (const id of seen) {
      const op = byId.get(id)!;
      const role = roleOf(op);
      if (role === 'norm') return true;
      if (role !== 'weighted' && !isNeuronLayer(op)) for (const input of op.inputs) seen.add(input);
    }
    return false;
  }
}
