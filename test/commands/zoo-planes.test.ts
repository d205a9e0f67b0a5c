import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect, it } from 'vitest';
import { tensor } from '../../src/base/dtype.js';
import { lower } from '../../src/lower/program/index.js';
import { lowerModel } from '../../src/lower/model-to-network/index.js';
import { type Config, checkModel } from '../../src/model/index.js';
import type { Network } from '../../src/network/index.js';
import { evaluate } from '../../src/tensor/index.js';
import { expectBinary, expectClose, runPasses, withRandomNorms } from '../support/planes.js';
import { randomImages } from '../support/random-network.js';
import { testLoader } from '../support/spike.js';

/** The zoo's files as they are, but for widths and images, which are small. */
const small: Readonly<Record<string, readonly (readonly [string, string])[]>> = {
  'models/multibit/resnet20.spike': [
    ['width: int = 128', 'width: int = 3'],
    ['width: 16', 'width: 2'],
    ['real[3, 32, 32]', 'real[3, 8, 8]'],
  ],
  'models/ibra/resnet20.spike': [
    ['width: int = 128', 'width: int = 3'],
    ['width: 16', 'width: 2'],
    ['real[3, 32, 32]', 'real[3, 8, 8]'],
  ],
  'models/ibra/resnet18.spike': [
    ['width: int = 64', 'width: int = 2'],
    ['size: int = 32', 'size: int = 8'],
    ['size: 224', 'size: 16'],
    ['classes: 1000', 'classes: 7'],
  ],
  'models/ibra/resnet19.spike': [
    ['width: int = 128', 'width: int = 2'],
    ['real[3, 32, 32]', 'real[3, 8, 8]'],
  ],
  'models/ibra/resnet34.spike': [
    ['width: int = 64', 'width: int = 2'],
    ['size: int = 32', 'size: int = 8'],
    ['size: 224', 'size: 16'],
    ['classes: 1000', 'classes: 7'],
  ],
  'models/adaptive/sew-resnet34.spike': [
    ['width: int = 64', 'width: int = 3'],
    ['size: int = 224', 'size: int = 16'],
    ['classes: int = 1000', 'classes: int = 7'],
  ],
};

const cases = Object.entries(small).flatMap(([path, changes]) => {
  const text = changes.reduce(
    (result, [from, to]) => {
      if (!result.includes(from)) throw new Error(`${path} has no ${from}`);
      return result.replaceAll(from, to);
    },
    readFileSync(join(path), 'utf8'),
  );
  const { value, diagnostics } = checkModel({ name: basename(path), text }, testLoader());
  if (value === undefined) throw new Error(JSON.stringify(diagnostics));
  return [...value.configs.values()].map((config) => [`${basename(path)}#${config.name}`, config] as const);
});

interface Outcome {
  readonly logits: readonly number[];
  /** Layer of neurons → its integer codes at every step. */
  readonly codes: ReadonlyMap<string, readonly number[]>;
}

function outcomeOf(network: Network, image: Float32Array): Outcome {
  const { program } = lower(network, { probes: { trains: () => true } });
  const [input] = network.ops;
  const results = evaluate(program, { image: tensor('f32', [1, ...input!.type.shape], image) }, { precision: 'f64' });
  const codes = network.ops.flatMap(({ id, kind, type: { code } }) => {
    if (kind !== 'neuron' || code.kind !== 'spike') return [];
    return [[id, Array.from(results[`train ${id}`]!.data, (s) => Math.round(s / code.step))] as const];
  });
  return { logits: [...results['0']!.data], codes: new Map(codes) };
}

function trained(config: Config): Network {
  return withRandomNorms(lowerModel(config, { seed: 5 }).value!, 5);
}

it.each(cases)(
  '%s: its inference form equals its training form, codes exactly and logits to 1e-5',
  (_, config) => {
    const network = trained(config);
    const image = randomImages(3, 1, network.ops[0]!.type.shape);
    const expected = outcomeOf(network, image);
    const fired = [...expected.codes.values()].flat().filter((code) => code !== 0);
    expect(fired.length).toBeGreaterThan(100);
    const planes = runPasses(runPasses(network, 'ann'), 'planes');
    expectBinary(planes);
    for (const form of [planes, runPasses(planes, 'fuse')]) {
      const found = outcomeOf(form, image);
      // of learned steps those that were learned: in training the others are computed too
      const learned = [...expected.codes].map(([id, all]) => [id, all.slice(0, found.codes.get(id)!.length)] as const);
      expect(found.codes).toEqual(new Map(learned));
      expectClose(found.logits, expected.logits, 1e-5);
    }
  },
  240_000,
);
