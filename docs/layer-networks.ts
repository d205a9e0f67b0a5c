import { convertedBy } from '../src/convert/supported-ops.js';
import { type Network, NetworkBuilder, type OpKind, opKinds } from '../src/network/index.js';
import { withWeightBits } from '../src/passes/index.js';
import { networkOfKind } from '../src/testing/op-cases.js';
import { spikingNetworkOf } from '../src/testing/spiking-cases.js';
import { tensor } from '../src/base/dtype.js';
import { forInference } from '../src/workspace/compiled.js';
import { Findings } from '../src/workspace/findings.js';
import { withPlanes } from '../src/workspace/planes.js';

/** How somebody comes by a network: without time, as files and conversions have it; as it trains; that compiled; converted. */
export const forms = ['values', 'trained', 'compiled', 'converted'] as const;

/** Small networks with a layer of a kind. Weights are in 8 bits where they aren't trained. */
export type LayerNetworks = Readonly<Partial<Record<(typeof forms)[number], Network>>>;

const eightBits = (network: Network): Network => withWeightBits(network, () => 8);

/** A network of spikes compiled, its weights in 8 bits. */
function compiledOf(network: Network): Network {
  return eightBits(forInference(network, new Findings()).network);
}

/** A value joins another that is two layers on: in time it waits. */
function skipping(): Network {
  const b = new NetworkBuilder('skipping');
  const quantise = (id: string, from: string, scale: number): string =>
    b.add({ id, kind: 'quantize', inputs: [from], attrs: { scale, zero: 0, min: 0, max: 255 } });
  b.add({ id: 'image', kind: 'input', attrs: { shape: [8] } });
  const early = quantise('q1', linear(b, 'first', quantise('q0', 'image', 1 / 255), [8, 8]), 0.01);
  const late = quantise('q2', linear(b, 'second', early, [8, 8]), 0.01);
  const sum = quantise('q3', b.add({ id: 'sum', kind: 'add', inputs: [early, late] }), 0.02);
  return b.finish([linear(b, 'fc', sum, [3, 8])]);
}

function linear(b: NetworkBuilder, id: string, from: string, shape: readonly [number, number]): string {
  const values = Array.from({ length: shape[0] * shape[1] }, (_, i) => ((i * 37) % 19) / 20 - 0.35);
  const weight = b.param(`${id}.weight`, { tensor: tensor('f32', shape, values) });
  return b.add({ id, kind: 'linear', inputs: [from], params: { weight } });
}

/** Values that no quantiser follows, as a sum of two: a conversion carries their digits. */
function unquantised(): Network {
  const b = new NetworkBuilder('unquantised');
  const quantise = (id: string, from: string, scale: number): string =>
    b.add({ id, kind: 'quantize', inputs: [from], attrs: { scale, zero: 0, min: 0, max: 255 } });
  b.add({ id: 'image', kind: 'input', attrs: { shape: [8] } });
  const q = quantise('q0', 'image', 1 / 255);
  const curve = b.add({ id: 'curve', kind: 'sigmoid', inputs: [linear(b, 'first', q, [8, 8])] });
  const joined = b.add({
    id: 'joined',
    kind: 'add',
    inputs: [linear(b, 'second', curve, [8, 8]), linear(b, 'early', q, [8, 8])],
  });
  return b.finish([linear(b, 'fc', quantise('q1', joined, 0.02), [3, 8])]);
}

interface Conversion {
  readonly spiking: Network;
  /** On the way, before values become spikes. */
  readonly quantised: Network | undefined;
}

function converted(network: Network): Conversion | undefined {
  const { network: spiking, diagnostics, runs } = convertedBy(eightBits(network), 'sws', { steps: 8, silent: 8 });
  if (spiking === undefined || diagnostics.some(({ severity }) => severity === 'error')) return undefined;
  return { spiking, quantised: runs.find(({ pass }) => pass === 'digits')?.network };
}

const has = (kind: OpKind, network: Network | undefined): network is Network =>
  network?.ops.some((op) => op.kind === kind) === true;

/** The networks that there are of each kind. */
export function allLayerNetworks(): ReadonlyMap<OpKind, LayerNetworks> {
  const values = new Map(opKinds.map((kind) => [kind, networkOfKind(kind)]));
  const conversions = new Map(
    [...values].flatMap(([kind, network]) => {
      const made = network === undefined ? undefined : converted(network);
      return made === undefined ? [] : [[kind, made] as const];
    }),
  );
  const further = [skipping(), unquantised()].flatMap((network) => converted(network) ?? []);
  const planes = withPlanes(compiledOf(spikingNetworkOf('conv', 'MBLIF')!), new Findings()).network;
  return new Map(
    opKinds.map((kind) => {
      const trained = spikingNetworkOf(kind);
      const compiled = trained === undefined ? planes : compiledOf(trained);
      const own = conversions.get(kind);
      const others = [...conversions.values(), ...further];
      const found: Record<(typeof forms)[number], Network | undefined> = {
        values: values.get(kind) ?? others.map(({ quantised }) => quantised).find((one) => has(kind, one)),
        trained,
        compiled: has(kind, compiled) ? compiled : undefined,
        converted: [...(own === undefined ? [] : [own]), ...others]
          .map(({ spiking }) => spiking)
          .find((one) => has(kind, one)),
      };
      return [kind, Object.fromEntries(Object.entries(found).filter(([, network]) => network !== undefined))] as const;
    }),
  );
}
