import { tensor } from '../../../base/dtype.js';
import { type Op, type Param, consumersOf, rewrite } from '../../../network/index.js';
import { definePass } from '../../pass.js';
import { readOutTail } from '../read-out.js';
import { Regions, stepsOf } from './pointwise.js';

/**
 * A quantised function of one value (Q of SiLU, of HardSwish, of x·Q(sigmoid x) …) has finitely many steps: it is
 * exactly a table of its thresholds and levels (docs/sws.md). Inner quantisers that nothing else reads are part of it.
 * What stands behind the read-out stays as it is: it acts on real values.
 */
export const tables = definePass({
  name: 'tables',
  doc: 'Turns every quantised function of one value (SiLU, HardSwish, sigmoid …, with the quantisers inside of it) into a table of its steps, exact in float64.',
  options: {},
  run: (network) => {
    const regions = new Regions(network);
    const consumers = consumersOf(network);
    const isReadOut = ({ id }: Op): boolean => network.outputs.includes(id) && consumers.get(id)!.length === 0;
    // as in to-spikes: quantisers before the last become neurons
    const tail = readOutTail(network, (op) => op.kind === 'quantize' && !isReadOut(op));
    return rewrite(network, (op, inputs, to) => {
      if (op.kind !== 'quantize' || tail.has(op.id)) return to.copy(op, inputs);
      const region = regions.before(op);
      if (region === undefined) return to.copy(op, inputs);
      const { thresholds, levels } = stepsOf(network, region, op);
      const scale = region.root.type.code.kind === 'quant' ? region.root.type.code.scale : 1;
      const list = (values: readonly number[]): Param => ({ tensor: tensor('f64', [values.length], values) });
      const params = {
        thresholds: to.param(`${op.id}.thresholds`, list(thresholds.map((t) => t * scale))),
        levels: to.param(`${op.id}.levels`, list(levels)),
      };
      return to.copy(op, [to.renamed(region.root.id)], { kind: 'table', params });
    });
  },
});
