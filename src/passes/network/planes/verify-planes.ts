import { type Network, type Op, opsById, traitsOf } from '../../../network/index.js';
import { definePass } from '../../pass.js';

/** Checks that `bit-planes` left no spike of several bits in front of a synapse. */
export const verifyPlanes = definePass({
  name: 'verify-planes',
  doc: 'Checks that every synapse on spikes reads binary planes, spikes 0 and 1, or ternary ones, −1, 0 and 1.',
  options: {},
  run: (network, _options, context) => {
    const trainOf = levelledTrains(network);
    for (const op of network.ops) {
      if (traitsOf(op).weights === 'none') continue;
      const train = op.inputs.map((id) => trainOf(id)).find((found) => found !== undefined);
      if (train === undefined) continue;
      const { id: from, levels } = train;
      const help = 'name the model file: a network that has planes already isn’t split again';
      context.report('convert/not-in-planes', { op: op.id, kind: op.kind, train: from, levels }, op, { help });
    }
    return network;
  },
});

interface Train {
  readonly id: string;
  readonly levels: string;
}

/** By value, a train in it with more levels than a spike and its sign. */
function levelledTrains(network: Network): (id: string) => Train | undefined {
  const byId = opsById(network);
  const known = new Map<string, Train | undefined>();
  const find = (id: string): Train | undefined => {
    if (!known.has(id)) known.set(id, trainIn(byId.get(id)!));
    return known.get(id);
  };
  const trainIn = (op: Op): Train | undefined => {
    if (traitsOf(op).relays) return op.inputs.map(find).find((found) => found !== undefined);
    const { code } = op.type;
    if (code.kind !== 'spike' || (code.min >= -1 && code.max <= 1)) return undefined;
    return { id: op.id, levels: `${code.min}…${code.max}${code.step === 1 ? '' : ` times ${code.step}`}` };
  };
  return find;
}
