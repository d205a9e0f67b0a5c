import { type Diagnostic, diagnostic } from '../../base/diagnostics/index.js';
import { elementCount } from '../../base/dtype.js';
import { mostElements } from '../../base/limits.js';
import { type Config, type Layer, type OwnNetwork, stepsOf } from '../../model/index.js';
import { asImage } from '../../network/index.js';
import { BitPlan, mostBits } from './bits.js';

type Found = { readonly what: string; readonly elements: number; readonly layer: Layer; readonly help: string };

/**
 * Values and weights that nothing could hold: the first value (over its steps, with the padding its reader adds) above
 * {@link mostElements}, and the layer with whose weights those of the network together are.
 */
export function sizeProblems(config: Config, network: OwnNetwork): readonly Diagnostic[] {
  const found = [firstValue(config, network), firstWeights(network)].filter((one) => one !== undefined);
  return found.map(({ what, elements, layer, help }) =>
    diagnostic('model/too-large', { what, elements, limit: mostElements }, layer.place, { help }),
  );
}

function firstValue(config: Config, { layers }: OwnNetwork): Found | undefined {
  const plan = new BitPlan(config.bits, config.coding);
  const steps = plan.squeezes ? 1 : (stepsOf(config.coding) ?? 1);
  const shapes = new Map(layers.map((layer) => [layer.id, layer.shape]));
  for (const layer of layers) {
    const own = plan.squeezes && layer.kind === 'spike' ? mostBits(plan.stepsOf(layer.id)) : steps;
    const elements = elementCount(layer.shape) * own;
    const over = own === 1 ? '' : ` over ${own} steps`;
    const help = 'make it smaller: fewer channels or features, a stride or a pooling layer before, fewer steps';
    if (elements > mostElements) return { what: `the value of \`${layer.id}\`${over} has`, elements, layer, help };
    const pads = layer.attrs['pads'] as readonly number[] | undefined;
    const [channels, height, width] = pads === undefined ? [] : asImage(shapes.get(layer.inputs[0]!) ?? []);
    if (pads === undefined || channels === undefined) continue;
    const padded = channels * (height! + pads[0]! + pads[2]!) * (width! + pads[1]! + pads[3]!);
    if (padded * steps > mostElements) {
      const what = `what \`${layer.id}\` reads, with its padding [${pads.join(', ')}]${over}, has`;
      return { what, elements: padded * steps, layer, help: 'make `pad`, `kernel` or `dilation` smaller' };
    }
  }
  return undefined;
}

function firstWeights({ layers }: OwnNetwork): Found | undefined {
  let total = 0;
  for (const layer of layers) {
    const own = weightsOf(layer);
    total += own;
    if (total <= mostElements) continue;
    const help = 'make it smaller: fewer channels or features, a smaller `kernel`, `groups`, or pooling before it';
    if (own > mostElements) return { what: `the weight of \`${layer.id}\` has`, elements: own, layer, help };
    return { what: `with \`${layer.id}\`, the network's weights together have`, elements: total, layer, help };
  }
  return undefined;
}

/** Weights and biases, and the statistics of norms. */
function weightsOf({ kind, weight, shape, attrs }: Layer): number {
  if (weight !== undefined) return elementCount(weight) + weight[0]!;
  return kind === 'batchnorm' ? 4 * shape[(attrs['axis'] as number | undefined) ?? 0]! : 0;
}
