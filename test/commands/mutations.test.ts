import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { hasErrors } from '../../src/base/diagnostics/index.js';
import { elementCount } from '../../src/base/dtype.js';
import { configProblems, lowerModel } from '../../src/lower/model-to-network/index.js';
import { type Config, checkWhatHolds, stepsOf } from '../../src/model/index.js';
import { forInference } from '../../src/workspace/compiled.js';
import { inferenceProgram } from '../../src/workspace/artifacts.js';
import { Findings } from '../../src/workspace/findings.js';
import { testLoader } from '../support/spike.js';

/** Model files in small: each layer, block and neuron of the zoo, at widths that compile at once. */
const files: readonly string[] = [
  readFileSync(new URL('../../models/starter.spike', import.meta.url), 'utf8'),
  `use "spikec/blocks" { BasicBlock, InterlaminarBlock, SewBlock, MembraneBlock }
   use "spikec/neurons" { LIF, MBLIF, Ternary, ILIF }
   network Residual(classes: int = 3, Block: block = BasicBlock) {
     input image: real[2, 8, 8]
     stem = image | conv(4, kernel: 3) | batchnorm | spike
     stage1 = stem | repeat(2) Block(4)
     stage2 = stage1 | Block(8, stride: 2) | eca(kernel: 3)
     pooled = stage2 | avgpool(2, stride: 2, pad: 0) | maxpool(2, stride: 1, pad: 1)
     output pooled | global_avgpool | dropout(0.5) | linear(classes)
   }
   config base { network Residual neuron LIF(tau: 4, theta: 0.6) coding direct(steps: 3) }
   config multibit extends base { neuron MBLIF(integer: 2, fraction: 1) }
   config interlaminar extends multibit { network Residual(Block: InterlaminarBlock(gamma: 0)) }
   config sew extends base { network Residual(Block: SewBlock) neuron ILIF(D: 4) }
   config membrane extends base { network Residual(Block: MembraneBlock) neuron Ternary coding events(steps: 2) }`,
  `use "spikec/neurons" { Refined }
   neuron Leaky(beta = learn(0.9, constraint: unit), threshold = within(1, above: 0)) {
     state mem = 0
     charge mem = beta * mem + x - detach(mem >= threshold) * threshold
     fire s = mem >= threshold
     surrogate fast_sigmoid(slope: 25)
   }
   neuron Back(theta = 1, a = 0.5) {
     state u[2] = 0
     state v = 0
     charge v = a * v + x / unit + sum(u)
            u = u + x
     fire s = clip(round(v / theta), 0, 4)
     reset detached v = -s * theta + v
     u = where(s > 0, 0, u)
     surrogate rectangle(width: 1)
   }
   network Small(hidden: int = 6) {
     input image: real[1, 6, 6]
     a = image | conv(4, kernel: 3, stride: 2, groups: 1, dilation: 1) | batchnorm | spike
     b = a | conv(4, kernel: [3, 1], pad: same) | spike(Back(theta: 0.5))
     c = concat(a, b) * 0.5 + concat(b, -a)
     output c | flatten | linear(hidden) | spike | linear(3)
   }
   config learned { network Small neuron Leaky coding direct(steps: 2)
     train { data mnist optimizer adam(lr: 1e-3) batchnorm tdbn loss tet(weight: 0.05) } }
   config bits { network Small(hidden: 4) neuron Refined coding direct(steps: 2)
     bits { weights 4 spikes learn(init: 2, max: 3, target: 1) layer "a" { weights learn(init: 3, max: 4, target: 2) } } }
   config rate { network Small neuron Back coding rate(steps: 2, seed: 1) }`,
];

const token = /"[^"\n]*"|[A-Za-z_]\w*|\d+(?:\.\d+)?(?:e[+-]?\d+)?|[<>=!]=|\S/g;
const strange = ['0', '1', '2', '3', '7', '1e9', '0.5', '-1', '65536', '1000000', '4096', 's', 'x', 'u', 'not', 'true'];

/** A file in which a token is replaced by another of the file or by a number, left out, or doubled. */
const mutated = fc
  .record({
    file: fc.constantFrom(...files),
    at: fc.nat(),
    other: fc.nat(),
    kind: fc.constantFrom('swap', 'strange', 'number', 'drop', 'double'),
  })
  .map(({ file, at, other, kind }) => {
    const tokens = [...file.matchAll(token)];
    const numbers = tokens.filter(([text]) => /^\d/.test(text));
    const chosen = kind === 'number' ? numbers[at % numbers.length]! : tokens[at % tokens.length]!;
    const put = {
      swap: tokens[other % tokens.length]![0],
      strange: strange[other % strange.length]!,
      number: strange[other % 11]!,
      drop: '',
      double: `${chosen[0]} ${chosen[0]}`,
    }[kind];
    return file.slice(0, chosen.index) + put + file.slice(chosen.index + chosen[0].length);
  });

/** Whether the compiler would be busy for more than a moment with it. */
function isLarge({ network }: Config): boolean {
  if (network.kind !== 'network') return true;
  const work = network.layers.map(({ shape, attrs }) => {
    const kernel = (attrs['kernel'] as readonly number[] | number | undefined) ?? 1;
    const [a = 1, b = 1] = typeof kernel === 'number' ? [kernel] : kernel;
    return elementCount(shape) * a * b;
  });
  return work.some((elements) => elements > 20_000) || network.layers.length > 100;
}

it('what check has no error for compiles, whatever small change a model file went through', () => {
  let compiled = 0;
  fc.assert(
    fc.property(mutated, (text) => {
      const { value, diagnostics } = checkWhatHolds({ name: 'm.spike', text }, testLoader());
      if (value === undefined || hasErrors(diagnostics)) return;
      for (const config of value.configs.values()) {
        if (config.network.kind !== 'network' || hasErrors(configProblems(config)) || isLarge(config)) continue;
        if ((stepsOf(config.coding) ?? 1) > 8) continue;
        const lowered = lowerModel(config);
        expect(lowered.value).toBeDefined();
        inferenceProgram(forInference(lowered.value!, new Findings()).network);
        compiled++;
      }
    }),
    { numRuns: Number(process.env['MUTATIONS'] ?? 150), seed: Number(process.env['SEED'] ?? 20261128) },
  );
  expect(compiled).toBeGreaterThan(20);
});
