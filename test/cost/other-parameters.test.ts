import { expect, it } from 'vitest';
import { costOf } from '../../src/cost/index.js';
import { lowerModel } from '../../src/lower/model-to-network/index.js';
import { checkModel } from '../../src/model/index.js';
import { diskLoader } from '../../src/workspace/files.js';

it('learned values outside of synapses are counted beside the weights, fixed ones and batch norm are not', () => {
  const text = `use "spikec/neurons" { LIF }
network Net {
  input x: real[8, 6, 6]
  a = x | conv(16, kernel: 3) | batchnorm | groupnorm(4) | spike | reshape([16, 36]) | permute([1, 0])
  b = a | positions | layernorm | linear(5) | mean(axis: 0)
  output b
}
config c { network Net neuron LIF(tau: 2) coding direct(steps: 2) }`;
  const { value } = checkModel({ name: 'model.spike', text }, diskLoader('model.spike', false));
  const network = lowerModel(value!.configs.get('c')!, { blank: true }).value!;
  const { total } = costOf(network);
  expect(total.other_params).toBe(2 * 16 + 36 * 16 + 2 * 16);
  expect(total.params).toBe(8 * 9 * 16 + 16 * 5 + 5);
});
