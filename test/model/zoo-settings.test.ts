import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { type Config, checkModel } from '../../src/model/index.js';
import { testLoader } from '../support/spike.js';

/** What a paper's table of settings says of a configuration of `models/`. Paths lead to checked values. */
interface Row {
  readonly source: string;
  readonly configs: readonly string[];
  readonly settings: Readonly<Record<string, unknown>>;
}

const momentum = 0.9;

const rows: readonly Row[] = [
  {
    source: 'MBM Tab. 7: lr 0.1, batch 64, SGD, weight decay 1e-4, 100 epochs, time constant 4, threshold 0.6, T 4',
    configs: ['base', 'base_ic', 'mb20', 'mb11', 'mb21', 'mb21_ic'].map((name) => `multibit/resnet20#${name}`),
    settings: {
      'train.optimizer.name': 'sgd',
      'train.optimizer.args.lr': 0.1,
      'train.optimizer.args.momentum': momentum,
      'train.optimizer.args.weight_decay': 1e-4,
      'train.batch': 64,
      'train.epochs': 100,
      'neuron.args.tau': 4,
      'neuron.args.theta': 0.6,
      'coding.args.steps': 4,
    },
  },
  {
    source: 'MBM Tab. 8: lr 0.1, batch 32, SGD, weight decay 1e-3, 100 epochs, time constant 4, threshold 1, T 40',
    configs: ['base', 'mb21', 'mb21_ic'].map((name) => `multibit/dvs#${name}`),
    settings: {
      'train.optimizer.name': 'sgd',
      'train.optimizer.args.lr': 0.1,
      'train.optimizer.args.weight_decay': 1e-3,
      'train.batch': 32,
      'train.epochs': 100,
      'neuron.args.tau': 4,
      'neuron.args.theta': 1,
      'coding.name': 'events',
      'coding.args.steps': 40,
    },
  },
  {
    source: 'ABA A.5.1: 200 epochs, batch 128, lr 0.1, penalties 4e-2, 4e-2, 1e-2, bits start at 4/4/2, at most 6/6/3',
    configs: [
      ...['', 111, 121, 231, 331, 341, 441, 442].map((target) => `adaptive/resnet20#adaptive${target}`),
      'adaptive/resnet18#adaptive',
      'adaptive/resnet18#adaptive221',
    ],
    settings: {
      'train.optimizer.name': 'sgd',
      'train.optimizer.args.lr': 0.1,
      'train.batch': 128,
      'train.epochs': 200,
      'bits.weights.args.penalty': 4e-2,
      'bits.spikes.args.penalty': 4e-2,
      'bits.steps.args.penalty': 1e-2,
      'bits.weights.args.init': 4,
      'bits.spikes.args.init': 4,
      'bits.steps.args.init': 2,
      'bits.weights.args.max': 6,
      'bits.spikes.args.max': 6,
      'bits.steps.args.max': 3,
      'bits.renewal': 'spikes',
    },
  },
  {
    source: 'ABA A.5.2: 200 epochs, batch 4 x 128, lr 0.1, penalties 8e-2, 8e-2, 1e-2, at most 6/6/2 bits',
    configs: ['a441_221', 'a441_241', 'a442_241'].map((name) => `adaptive/sew-resnet34#${name}`),
    settings: {
      'train.optimizer.args.lr': 0.1,
      'train.batch': 512,
      'train.epochs': 200,
      'bits.weights.args.penalty': 8e-2,
      'bits.spikes.args.penalty': 8e-2,
      'bits.steps.args.penalty': 1e-2,
      'bits.weights.args.max': 6,
      'bits.spikes.args.max': 6,
      'bits.steps.args.max': 2,
    },
  },
  {
    source: 'IBRA Tab. 1 and 4: the LIF of IBRA eq. 1-3 at T = 4',
    configs: ['resnet18', 'resnet19', 'resnet20', 'resnet34'].map((file) => `ibra/${file}#lif`),
    settings: { 'coding.args.steps': 4, 'neuron.args.theta': 1 },
  },
  {
    source: 'IBRA Tab. 1: D = 5.11, N = 100 in one step, the best setting',
    configs: ['resnet18', 'resnet19', 'resnet20', 'resnet34'].map((file) => `ibra/${file}#ibra9`),
    settings: { 'coding.args.steps': 1, 'neuron.args.D': 5.11, 'neuron.args.N': 100 },
  },
];

function configOf(path: string): Config {
  const [file, name] = path.split('#') as [string, string];
  const source = `models/${file}.spike`;
  const { value, diagnostics } = checkModel({ name: source, text: readFileSync(source, 'utf8') }, testLoader());
  expect(diagnostics).toEqual([]);
  const config = value!.configs.get(name);
  expect(config, path).toBeDefined();
  return config!;
}

/** The value at a path; `settings` between a section and its entry is left out. */
function at(config: Config, path: string): unknown {
  const [section, ...rest] = path.split('.') as [keyof Config, ...string[]];
  let value: unknown = config[section];
  if (section === 'train' || section === 'bits') value = (value as { settings: unknown } | undefined)?.settings;
  for (const key of rest) value = (value as Record<string, unknown> | undefined)?.[key];
  return value;
}

it.each(rows.flatMap(({ source, configs, settings }) => configs.map((path) => ({ source, path, settings }))))(
  '$path has the settings of $source',
  ({ path, settings }) => {
    const config = configOf(path);
    expect(Object.fromEntries(Object.keys(settings).map((key) => [key, at(config, key)]))).toEqual(settings);
  },
);

it('learned bits go to the targets that the names of configs say', () => {
  const unnamed: Readonly<Record<string, string>> = { 'resnet20#adaptive': '221', 'resnet18#adaptive': '111' };
  const configs = rows.flatMap((row) => row.configs).filter((path) => path.startsWith('adaptive/'));
  for (const path of configs) {
    const said = /(\d{3})$/.exec(path)?.[1] ?? unnamed[path.replace('adaptive/', '')];
    const config = configOf(path);
    const reached = ['weights', 'spikes', 'steps'].map((kind) => at(config, `bits.${kind}.args.target`));
    expect(reached.join(''), path).toBe(said);
  }
});
