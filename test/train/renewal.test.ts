import { expect, it } from 'vitest';
import { type Tensor, tensor } from '../../src/base/dtype.js';
import { chooseEngine } from '../../src/run/engine.js';
import { type BitPenalty, lowerForObservation } from '../../src/lower/program/index.js';
import type { Network } from '../../src/network/index.js';
import { evaluate } from '../../src/tensor/index.js';
import { type BitTraining, StepSizes, renewalProblem } from '../../src/train/index.js';
import type { Dim } from '../../src/tensor/index.js';
import { networkFrom, stepFeeds } from '../support/train.js';
import { traineeOf } from '../../src/train/index.js';

const text = `
  use "spikec/neurons" { Refined }
  network Tiny {
    input image: real[1, 8, 8]
    output image | conv(4, kernel: 3) | batchnorm | spike | conv(4, kernel: 3) | batchnorm | spike | flatten | linear(3)
  }
  config tiny {
    network Tiny  neuron Refined  coding direct(steps: 1)
    bits { weights learn(init: 4, max: 6, target: 1)  spikes learn(init: 4, max: 6, target: 1) }
  }`;
const layers = ['output.spike', 'output.spike_2'] as const;

async function opened(renewal: BitTraining['renewal']) {
  const network = networkFrom(text);
  const penalty = (kind: BitPenalty['kind']): BitPenalty => ({
    kind,
    target: 1,
    penalty: 1,
    distance: 'absolute',
    ops: network.ops.map(({ id }) => id),
  });
  const bits: BitTraining = { renewal, rateFactors: {}, penalties: [penalty('weights'), penalty('spikes')] };
  const trainee = traineeOf(network, { loss: { kind: 'cross_entropy' }, optimizer: { kind: 'sgd' }, bits });
  const states = new Map<string, Tensor>(trainee.step.states.map(({ id, initial }) => [id, initial]));
  const feeds = stepFeeds(trainee, 9);
  const sizes = (await StepSizes.open(
    network,
    chooseEngine('onnxruntime', 'train'),
    [...states.keys()],
    bits,
    undefined,
  ))!;
  const drawn = Object.fromEntries(Object.entries(feeds).filter(([id]) => !states.has(id)));
  await sizes.start(states, drawn);
  return { network, states, sizes, drawn };
}

/** Input currents with the states of the moment, by the reference evaluator. */
function currents(
  network: Network,
  states: ReadonlyMap<string, Tensor>,
  drawn: Readonly<Record<string, Tensor>>,
  id: string,
) {
  const { program } = lowerForObservation(network);
  const params = program.params.map((param) => ({ ...param, data: shaped(states.get(param.id), param) }));
  return [...evaluate({ ...program, params }, drawn)[`current ${id}`]!.data];
}

function shaped(
  state: Tensor | undefined,
  { data, shape }: { readonly data: Tensor; readonly shape: readonly Dim[] },
): Tensor {
  return state === undefined ? data : ({ ...state, shape: shape as number[] } as Tensor);
}

/** The range, of a hundred, with the least Σ|x − x_q|^2.4; unsigned codes, written anew. */
function searched(values: readonly number[], bits: number): number {
  const [most, top] = [Math.max(...values), 2 ** bits - 1];
  const error = (range: number): number =>
    values.reduce((sum, x) => {
      const step = range / top;
      const code = Math.min(top, Math.max(0, Math.round(x / step)));
      return sum + Math.abs(x - step * code) ** 2.4;
    }, 0);
  const candidates = Array.from({ length: 100 }, (_, i) => (most * (i + 1)) / 100);
  return candidates.reduce((best, range) => (error(range) < error(best) ? range : best));
}

const set = (states: Map<string, Tensor>, id: string, value: number): void => {
  states.set(id, tensor('f32', states.get(id)!.shape, [value]));
};
const theta = (states: ReadonlyMap<string, Tensor>, layer: string): number => states.get(`${layer}.theta`)!.data[0]!;

it('step sizes of neurons start at 2·mean|x|/√hi, each on what the ones before it give', async () => {
  const { network, states, sizes, drawn } = await opened('spikes');
  for (const layer of layers) {
    const x = currents(network, states, drawn, layer);
    const mean = x.reduce((sum, value) => sum + Math.abs(value), 0) / x.length;
    expect(theta(states, layer)).toBeCloseTo((2 * mean) / Math.sqrt(15), 4);
  }
  await sizes.close();
});

it('changed bits renew the step size from the present batch, a later layer on what the renewed one gives', async () => {
  const { network, states, sizes, drawn } = await opened('spikes');
  expect(await sizes.renew(states, () => Promise.resolve(states), drawn, 1)).toEqual([]);
  const before = new Map(states);
  for (const layer of layers) set(states, `${layer}.bits`, 3.2);
  const stale = currents(network, states, drawn, layers[1]);
  const events = await sizes.renew(states, () => Promise.resolve(states), drawn, 2);
  expect(events.map(({ layer, kind, bits, step }) => [layer, kind, bits.from, bits.to, step])).toEqual(
    layers.map((layer) => [layer, 'spikes', 4, 3, 2]),
  );
  for (const layer of layers) {
    const range = searched(currents(network, states, drawn, layer), 3);
    expect(theta(states, layer), layer).toBeCloseTo(range / 7, 4);
    expect(theta(states, layer)).not.toBeCloseTo(before.get(`${layer}.theta`)!.data[0]!, 3);
  }
  // the second layer saw the first one's new step size
  expect(currents(network, states, drawn, layers[1])).not.toEqual(stale);
  expect(await sizes.renew(states, () => Promise.resolve(states), drawn, 3)).toEqual([]);
  await sizes.close();
});

it('what a checkpoint remembers of step sizes is looked at before a training goes on with it', async () => {
  const { network, sizes } = await opened('spikes');
  const [renewal, bits] = [sizes.state, { penalties: [{}, {}] as unknown as BitPenalty[] }];
  expect(renewalProblem(undefined, network, bits)).toBeUndefined();
  expect(renewalProblem(renewal, network, bits)).toBeUndefined();
  const [first] = Object.keys(renewal.observers);
  const { [first!]: _, ...others } = renewal.observers;
  expect(renewalProblem({ ...renewal, observers: others }, network, bits)).toBe(`"${first}" has no observer`);
  const odd = { ...others, [first!]: { bits: 2, range: { lo: null, hi: 1 } } };
  expect(renewalProblem({ ...renewal, observers: odd }, network, bits)).toBe(`"${first}" has no observer`);
  for (const targets of [
    [],
    [...renewal.targets, ...renewal.targets],
    [null, null],
    [{ distance: 1 }, { distance: 1 }],
  ])
    expect(renewalProblem({ ...renewal, targets }, network, bits)).toBe('its targets are not those of the config');
  for (const other of [null, 3, [], 'x']) expect(renewalProblem(other, network, bits)).toContain('lacks');
  await sizes.close();
});

it('a second renewal takes nine tenths of the new range and one of the old', async () => {
  const { network, states, sizes, drawn } = await opened('spikes');
  const [layer, other] = layers;
  set(states, `${layer}.bits`, 3);
  await sizes.renew(states, () => Promise.resolve(states), drawn, 1);
  const first = theta(states, layer) * 7;
  set(states, `${layer}.bits`, 2);
  await sizes.renew(states, () => Promise.resolve(states), drawn, 2);
  const second = searched(currents(network, states, drawn, layer), 2);
  expect(Math.abs(second - first)).toBeGreaterThan(1e-3);
  expect(theta(states, layer)).toBeCloseTo((0.1 * first + 0.9 * second) / 3, 4);
  expect(theta(states, other)).toBe(theta((await opened('spikes')).states, other));
  await sizes.close();
});

it('renewal ends for good behind the step that brings the mean below 24 % of the first distance to the target', async () => {
  const { states, sizes, drawn } = await opened('spikes');
  // the distance is 3 at the start: with 1 bit and 2 bits it is 0.5, below 0.72
  set(states, `${layers[0]}.bits`, 1);
  set(states, `${layers[1]}.bits`, 2);
  const renewed = await sizes.renew(states, () => Promise.resolve(states), drawn, 1);
  expect(renewed.map(({ layer, bits }) => [layer, bits.to])).toEqual([
    [layers[0], 1],
    [layers[1], 2],
  ]);
  expect(sizes.state.targets.map(({ ended }) => ended)).toEqual([false, true]);
  for (const layer of layers) set(states, `${layer}.bits`, 4);
  expect(await sizes.renew(states, () => Promise.resolve(states), drawn, 2)).toEqual([]);
  await sizes.close();
});

it('bits that all come to their target in one step are renewed in it', async () => {
  const { states, sizes, drawn } = await opened('spikes');
  const before = layers.map((layer) => theta(states, layer));
  for (const layer of layers) set(states, `${layer}.bits`, 1);
  const renewed = await sizes.renew(states, () => Promise.resolve(states), drawn, 1);
  expect(renewed.map(({ layer }) => layer)).toEqual(layers);
  // one bit of a range that four shared: the step is several times as large
  for (const [i, layer] of layers.entries()) expect(theta(states, layer)).toBeGreaterThan(1.5 * before[i]!);
  await sizes.close();
});
