import { expect, it } from 'vitest';
import { type Tensor, tensor } from '../../src/base/dtype.js';
import { onnxruntimeEngine } from '../../src/engines/onnxruntime.js';
import { traineeOf, withoutGradient } from '../../src/train/index.js';
import { networkFrom, stepFeeds, tinyModel } from '../support/train.js';

const neurons = [
  'IF',
  'IF(soft: false)',
  'LIF(tau: 2, soft: true)',
  'PLIF',
  'MBLIF(integer: 2, fraction: 1)',
  'MBLIF(integer: 1, fraction: 0)',
  'MBIF(integer: 1, fraction: 3)',
  'MLF(k: 3)',
  'Ternary(theta: 0.7)',
  'BackEI',
  'CubaLIF',
  'ALIF',
  'KLIF',
  'QIF',
  'EIF',
  'Izhikevich',
  'AdEx',
  'ResonateAndFire',
  'ILIF',
  'IBLIF',
  'IBRALIF',
  'Refined(bits: 3)',
  'Refined(bits: 3, signed: true)',
];

it.each(neurons)('%s trains: a gradient reaches every weight, and the loss falls', async (neuron) => {
  const name = neuron.replace(/\(.*/, '');
  const text = tinyModel({ neuron }).replace('{ LIF, PLIF, MBLIF, ILIF, Ternary, BackEI, Refined }', `{ ${name} }`);
  const trainee = traineeOf(networkFrom(text), { loss: { kind: 'cross_entropy' }, optimizer: { kind: 'adam' } });
  expect(withoutGradient(trainee)).toEqual([]);
  const executable = await onnxruntimeEngine.open(trainee.step.program, { threads: 1 });
  let feeds: Record<string, Tensor> = { ...stepFeeds(trainee, 12), learning_rate: tensor('f32', [], [0.02]) };
  const losses: number[] = [];
  for (let i = 0; i < 12; i++) {
    const results = await executable.step({ ...feeds, step: tensor('f32', [], [i + 1]) });
    losses.push(results['loss']!.data[0]!);
    feeds = { ...feeds, ...Object.fromEntries(trainee.step.states.map(({ id }) => [id, results[`next.${id}`]!])) };
  }
  await executable.dispose();
  expect(losses.at(-1)).toBeLessThan(0.7 * losses[0]!);
  for (const { id } of trainee.step.states)
    expect(
      feeds[id]!.data.every((x) => Number.isFinite(x)),
      id,
    ).toBe(true);
});

it('a multi-bit neuron with one level fires and learns as LIF with the same surrogate does', async () => {
  const run = async (neuron: string, declarations: string): Promise<number[]> => {
    const trainee = traineeOf(networkFrom(tinyModel({ neuron, declarations })), {
      loss: { kind: 'cross_entropy' },
      optimizer: { kind: 'sgd' },
    });
    const executable = await onnxruntimeEngine.open(trainee.step.program, { threads: 1 });
    const results = await executable.step(stepFeeds(trainee, 6));
    await executable.dispose();
    return ['loss', 'next.output.conv.weight', 'next.output.linear.weight'].flatMap((name) => [...results[name]!.data]);
  };
  const body = (fire: string, reset: string): string => `state u = 0  charge u = 0.5 * u + x  fire s = ${fire}
    reset detached u = where(${reset}, 0, u)  surrogate triangle(width: 0.8) }`;
  const binary = await run('One', `neuron One(theta = 1) { ${body('u >= theta', 's')}`);
  const levels = await run('Many', `neuron Many(theta = 1) { ${body('levels(u / theta, bits: 1.0)', 's > 0')}`);
  levels.forEach((value, i) => expect(value).toBeCloseTo(binary[i]!, 5));
});
