import { type Diagnostic, diagnostic } from '../base/diagnostics/index.js';
import { type Network, type Op, isNeuronLayer, opsById, roleOf } from '../network/index.js';
import type { EpochRecord } from './record.js';

/** Shown as 0.000: nobody behind such a layer learns anything from it. */
const dead = 0.0005;
/** In parts of the highest level: such a layer says the same whatever it is given. */
const saturated = 0.995;

interface Found {
  readonly op: Op;
  readonly rate: number;
}

/** Looks after each epoch for layers that never fire, or fire as much as they can; each is named once, those of an epoch together. */
export class Firing {
  readonly #named = new Set<string>();

  constructor(readonly network: Network) {}

  look({ epoch, firing }: Pick<EpochRecord, 'epoch' | 'firing'>): readonly Diagnostic[] {
    const silent: Found[] = [];
    const full = new Map<number, Found[]>();
    for (const op of this.network.ops) {
      const rate = firing[op.id];
      if (op.kind !== 'neuron' || rate === undefined || op.attrs.levels === undefined || this.#named.has(op.id))
        continue;
      const [lowest, highest] = op.attrs.levels;
      const learns = 'bits_max' in op.attrs;
      const isFull = !learns && lowest >= 0 && rate >= saturated * highest;
      if (rate >= dead && !isFull) continue;
      this.#named.add(op.id);
      if (!isFull) silent.push({ op, rate });
      else full.set(highest, [...(full.get(highest) ?? []), { op, rate }]);
    }
    const found = [...full].map(([highest, layers]): Diagnostic => {
      const args = { ...namesOf(layers), epoch, rate: Math.min(...layers.map(({ rate }) => rate)), highest };
      const help = `raise ${thresholds(layers)}${this.#normalising(layers)} or lower the learning rate`;
      return diagnostic('train/saturated-layer', args, layers[0]!.op.place, { help });
    });
    if (silent.length === 0) return found;
    const args = { ...namesOf(silent), epoch, rate: Math.max(...silent.map(({ rate }) => rate)) };
    const help = `lower ${thresholds(silent)}${this.#normalising(silent)} or widen the surrogate`;
    return [diagnostic('train/dead-layer', args, silent[0]!.op.place, { help }), ...found];
  }

  #normalising(layers: readonly Found[]): string {
    const them = layers.length === 1 ? 'it' : 'them';
    return layers.every(({ op }) => this.#isNormalised(op)) ? '' : `, put \`batchnorm\` in front of ${them},`;
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

function namesOf(layers: readonly Found[]): { layers: readonly string[] } {
  return { layers: layers.map(({ op }) => op.id) };
}

function thresholds({ length }: readonly Found[]): string {
  return length === 1 ? 'its threshold' : 'their thresholds';
}
