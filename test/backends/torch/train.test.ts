import { spawn, spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readme } from '../../../src/workspace/torch-files.js';
import { hasTorch, python, pythonRun, runPython } from '../../support/pytorch.js';
import { doubleEngine } from '../../support/double-engine.js';
import {
  type Trained,
  expectSame,
  folderOf,
  resultOf,
  trainedHere,
  trainedInDouble,
  trainedInPyTorch,
} from '../../support/torch-training.js';
import { tinyModel } from '../../support/train.js';

const tiny = (neuron: string, train: string, more: Parameters<typeof tinyModel>[0] = {}): string =>
  tinyModel({ neuron, train: `batch 8 epochs 1 seed 3 ${train}`, ...more });

const cases: Readonly<Record<string, string>> = {
  'sgd with momentum, a schedule and augmentation': tiny(
    'LIF(tau: 2, theta: 0.7)',
    'optimizer sgd(lr: 0.1, momentum: 0.9, nesterov: true, weight_decay: 1e-3) schedule cosine(warmup: 1) augment [flip, crop(padding: 1)] normalize channels(mean: [0.3], std: [0.25])',
  ),
  'adam, learned parameters of neurons': tiny('PLIF(theta: 0.7)', 'optimizer adam(lr: 1e-2) schedule step(every: 1)'),
  'adamw, label smoothing, tdBN': tiny(
    'MBLIF',
    'optimizer adamw(lr: 1e-2) loss cross_entropy(smoothing: 0.1) batchnorm tdbn',
  ),
  'TET and dropout': tiny('ILIF', 'optimizer sgd(lr: 0.05) loss tet(weight: 0.2)', {
    body: 'image | conv(4, kernel: 3) | batchnorm | spike | avgpool(2) | flatten | dropout(0.5) | linear(3)',
  }),
  'squared error, max pooling and a rate coding': tiny('LIF(theta: 0.5)', 'optimizer sgd(lr: 0.1) loss mse', {
    coding: 'rate(steps: 4)',
    body: 'image | conv(4, kernel: 3) | batchnorm | spike | maxpool(2) | flatten | linear(3)',
  }),
  'neurons of two currents and of random numbers': tiny(
    'NoisyLIF(theta: 0.3, noise: 0.1)',
    'optimizer adam(lr: 1e-2)',
    {
      declarations:
        'use "spikec/neurons" { NoisyLIF, RandomLeakLIF, TwoCompartment } use "spikec/blocks" { Recurrent }',
      body: `(image | flatten | linear(6)) | spike(image | flatten | linear(6), TwoCompartment(theta: 0.3)) | linear(6)
      | spike(RandomLeakLIF(theta: 0.3)) | Recurrent(6) | linear(3)`,
    },
  ),
  'the first spike': tiny('LIF(theta: 0.3)', 'optimizer adam(lr: 1e-2)', {
    body: 'image | conv(4, kernel: 3) | spike | avgpool(2) | flatten | linear(3) | spike | readout(first_spike)',
  }),
  'a recurrent layer': tiny('LIF(tau: 2, theta: 0.3)', 'optimizer adam(lr: 1e-2)', {
    declarations: 'use "spikec/blocks" { Recurrent }',
    body: 'image | flatten | Recurrent(6) | linear(3)',
  }),
};

/** What else a training is told. */
const settings: Readonly<Record<string, string>> = {
  'gradients held to a length, the greater rates of some layers, others frozen': tiny(
    'LIF(tau: 2, theta: 0.7)',
    'optimizer sgd(lr: 0.1, momentum: 0.9, weight_decay: 1e-2) clip norm(max: 0.5) groups [layers("*.linear", rate: 2, decay: 0)] freeze ["*.conv"]',
  ),
  'gradients held to a size, a moving average of the weights, random erasing': tiny(
    'LIF(tau: 2, theta: 0.7)',
    'optimizer adam(lr: 1e-2) clip value(max: 0.01) average ema(decay: 0.8) augment [flip, erase(probability: 0.8)]',
  ),
  'weights of classes, a sum of losses, mixed samples': tiny(
    'LIF(tau: 2, theta: 0.7)',
    'optimizer sgd(lr: 0.1) loss 0.5 * cross_entropy(weights: [1, 2, 0.5]) + 2 * huber(delta: 0.3) + tet(weight: 0.2) augment [crop(padding: 1), mixup(alpha: 0.4), cutmix(alpha: 1)]',
  ),
  'a rate that falls where the loss stands still': tinyModel({
    neuron: 'LIF(tau: 2, theta: 0.7)',
    train: 'batch 8 epochs 4 seed 3 validation 0.3 optimizer sgd(lr: 2) schedule plateau(factor: 0.5, patience: 0)',
  }),
  'images of other sizes': tiny(
    'LIF(tau: 2, theta: 0.7)',
    'optimizer sgd(lr: 0.1) augment [flip, crop(padding: 1), scale(0.3), erase(probability: 0.3)] normalize channels(mean: [0.3], std: [0.25])',
  ),
  'recordings that begin later, whose events are lost': tiny(
    'LIF(tau: 2, theta: 0.7)',
    'optimizer sgd(lr: 0.1) augment [flip, jitter(steps: 1), drop(0.2), mixup(alpha: 1)]',
    { coding: 'events(steps: 3)' },
  ),
  'how much layers fire, one of them in a cycle': tiny(
    'MBLIF(tau: 2, theta: 0.35)',
    'optimizer sgd(lr: 0.1) loss cross_entropy + 2 * firing(target: 0.4)',
    {
      declarations: 'use "spikec/blocks" { Recurrent }',
      body: 'image | conv(4, kernel: 3) | batchnorm | spike | avgpool(2) | flatten | Recurrent(6) | linear(3)',
    },
  ),
  'each class by itself, absolute differences, rectangles of other samples': tiny(
    'LIF(tau: 2, theta: 0.7)',
    'optimizer sgd(lr: 0.1) loss bce(weights: [1, 2, 3]) + l1 augment [cutmix(alpha: 1)]',
  ),
};

/** Residual networks of few neurons, whose losses stay together in float32; of larger ones see `models.test.ts`. */
const blocks = (config: string, block = 'BasicBlock', first = ''): string => `
  use "spikec/blocks" { BasicBlock, InterlaminarBlock, SewBlock }
  use "spikec/neurons" { LIF, MBLIF, ILIF, IBRALIF, Refined }
  network Small {
    input image: real[1, 8, 8]
    ${first}
    stem = ${first === '' ? 'image' : 'coded'} | conv(4, kernel: 3) | batchnorm | spike
    body = stem | ${block}(4) | ${block}(8, stride: 2)
    output body | global_avgpool | linear(3)
  }
  config c { network Small ${config}
    train { data mnist optimizer sgd(lr: 0.05, momentum: 0.9, weight_decay: 1e-4) batch 8 epochs 1 seed 2 } }`;

const coded = 'coded = image | spike(Refined(signed: true))';

const attention = (config: string, neuron: string): string => `
  use "spikec/attention" { InputDecayLIF, PatchStage, PositionedTokens, SpikformerBlock }
  use "spikec/neurons" { Refined }
  network Small {
    input image: real[1, 8, 8]
    tokens = image | PatchStage(4) | PatchStage(8) | PositionedTokens(8)
    body = tokens | SpikformerBlock(4, 8, heads: 2, ratio: 2, scale: 0.25, Attention: ${neuron})
    output body | mean(axis: 0) | linear(3)
  }
  config c { network Small ${config}
    train { data mnist optimizer sgd(lr: 0.05, momentum: 0.9, weight_decay: 1e-4) batch 8 epochs 1 seed 2 } }`;

const residual: Readonly<Record<string, string>> = {
  'multi-bit spikes with interlaminar connections': blocks(
    'neuron MBLIF(tau: 4, theta: 0.6) coding direct(steps: 2)',
    'InterlaminarBlock',
  ),
  'range alignment': blocks('neuron IBRALIF(D: 1.5, N: 10) coding direct(steps: 1)'),
  'integer spikes, summed behind the spike': blocks('neuron ILIF(D: 4) coding direct(steps: 3)', 'SewBlock'),
  'learned bits with renewal that settle': blocks(
    `neuron Refined coding direct(steps: 1)
     bits { weights learn(init: 4, max: 6, target: 2, rate: 4) spikes learn(init: 4, max: 6, target: 2, rate: 4)
            steps learn(init: 2, max: 2, target: 1, penalty: 0.4, rate: 0.2) renewal spikes settle 0.6 }`,
    'BasicBlock',
    coded,
  ),
  'learned bits whose weights are renewed': blocks(
    `neuron Refined coding direct(steps: 1)
     bits { weights learn(init: 4, max: 6, target: 2, rate: 4) spikes learn(init: 4, max: 6, target: 3, rate: 4) steps 2 renewal all }`,
    'BasicBlock',
    coded,
  ),
  'fixed bits with step sizes from the weights': blocks(
    'neuron Refined coding direct(steps: 1) bits { weights 2 spikes 2 steps 1 step_size max }',
  ),
  'spiking self-attention, spikes summed': attention(
    'neuron InputDecayLIF(theta: 0.6) coding direct(steps: 2)',
    'InputDecayLIF(theta: 0.1)',
  ),
  'spiking self-attention with learned bits': attention(
    `neuron Refined coding direct(steps: 1)
     bits { weights learn(init: 4, max: 6, target: 2, rate: 4) spikes learn(init: 4, max: 6, target: 2, rate: 4)
            steps learn(init: 2, max: 2, target: 1, penalty: 0.4, rate: 0.2) renewal spikes settle 0.6 }`,
    'Refined',
  ),
  'weights of one bit': blocks('neuron Refined coding direct(steps: 1) bits { weights 1 spikes 2 steps 1 }'),
};

/** Starts the processes of a training with PyTorch loaded. */
const ranks = join(import.meta.dirname, '../../support/ranks.py');

/** How a user starts them. */
const torchrun = ['-m', 'torch.distributed.run', '--standalone', '--nproc-per-node', '2'];

/** Kills one process of a launch with SIGKILL when its first epoch is saved; gives the launch's exit code. */
function killedAfterEpoch(folder: string, args: readonly string[]): Promise<number> {
  const launch = spawn(python, args, {
    cwd: folder,
    env: { ...process.env, OMP_NUM_THREADS: '1', PYTHON_EXEC: python },
  });
  let killed = false;
  launch.stdout.on('data', (text: Buffer) => {
    if (killed || !text.toString().includes('"record"')) return;
    killed = true;
    const { stdout } = spawnSync('pgrep', ['-P', String(launch.pid)], { encoding: 'utf8' });
    process.kill(Number(stdout.trim().split('\n').at(-1)), 'SIGKILL');
  });
  launch.stderr.resume();
  return new Promise((resolve) => launch.on('close', (code) => resolve(code ?? 1)));
}

describe.skipIf(!hasTorch)('training in PyTorch', () => {
  it.each(Object.entries({ ...cases, ...residual }))(
    '%s: losses and weights of every step are those of spikec',
    async (name, text) => {
      // learned bits change within ten steps; of these images no weight of one bit lies within float32's rounding of its threshold
      const count = /learned|one bit/.test(name) ? 80 : 48;
      expectSame(trainedInPyTorch(text, count), await trainedHere(text, count));
    },
    240_000,
  );

  // in float64: in float32 a membrane within 10⁻⁷ of its threshold would decide
  const close = { losses: 1e-6, states: 1e-4 };

  it.each(Object.entries(settings))(
    '%s: losses and weights of every step are those of the reference evaluator',
    async (_, text) => expectSame(trainedInDouble(text, 48), await trainedHere(text, 48, doubleEngine), close),
    120_000,
  );

  it.each(['mse', '0.5 * bce + l1', 'bce', 'huber(delta: 0.2)'])(
    'labels that are numbers (%s): losses, weights and mean errors are those of spikec',
    async (loss) => {
      const text = tiny('LIF(tau: 2, theta: 0.7)', `optimizer sgd(lr: 0.1) validation 0.25 loss ${loss}`);
      expectSame(trainedInDouble(text, 48, true), await trainedHere(text, 48, doubleEngine, true), close);
    },
    120_000,
  );

  it('the input itself as what outputs are compared with: as spikec has it', async () => {
    const text = tinyModel({
      neuron: 'LIF(tau: 2, theta: 0.7)',
      train:
        'batch 8 epochs 1 seed 3 optimizer adam(lr: 1e-2) loss mse(target: reconstruction) augment [flip, mixup(alpha: 0.5)]',
      body: 'image | flatten | linear(6) | spike | linear(64)',
    });
    expectSame(trainedInDouble(text, 48), await trainedHere(text, 48, doubleEngine), close);
  }, 120_000);

  it('two processes with half of each batch are one process with the whole of it', () => {
    const text = cases['sgd with momentum, a schedule and augmentation']!;
    const folder = folderOf(text, 160);
    const train = ['train.py', '--samples', 'samples.safetensors', '--said'];
    const one = resultOf(folder, runPython(folder, [...train, '--batch', '8']));
    expect(one.losses).toHaveLength(20);
    const two = resultOf(folder, runPython(folder, [ranks, '2', ...train, '--batch', '4']));
    expectSame(two, one);
    const mixed = folderOf(settings['weights of classes, a sum of losses, mixed samples']!, 48);
    const whole = resultOf(mixed, runPython(mixed, [...train, '--batch', '8']));
    expectSame(resultOf(mixed, runPython(mixed, [ranks, '2', ...train, '--batch', '4'])), whole);
    const fires = folderOf(settings['how much layers fire, one of them in a cycle']!, 48);
    const sums = resultOf(fires, runPython(fires, [...train, '--batch', '8']));
    expectSame(resultOf(fires, runPython(fires, [ranks, '2', ...train, '--batch', '4'])), sums);
    const alone = resultOf(folder, runPython(folder, [ranks, '2', ...train, '--batch', '4', '--no-sync-bn']));
    expect(Math.abs(alone.losses[0]! - one.losses[0]!)).toBeGreaterThan(1e-4);
  }, 120_000);

  it('torchrun takes the commands of the docs, and options of train.py for none of its own', () => {
    const folder = folderOf(tiny('LIF(tau: 2, theta: 1)', 'optimizer sgd(lr: 0.1)'), 8);
    const texts = ['docs/pytorch.md', 'docs/tutorials/pytorch.md'].map((path) => readFileSync(path, 'utf8'));
    const written = [readme('tiny', new Map([['train.py', '']])), ...texts];
    const commands = written.flatMap((text) => [...text.matchAll(/^\$ torchrun (.*)$/gm)].map(([, args]) => args!));
    expect(commands.length).toBeGreaterThanOrEqual(3);
    const help = runPython(folder, ['train.py', '--help']);
    const options = [...help.matchAll(/^ {2}(-\S+?),? /gm)].map(([, option]) => option!);
    expect(options).toContain('--resume');
    const parsed = runPython(folder, [
      '-c',
      `import sys
from torch.distributed.run import get_args_parser
for line in sys.argv[1:]:
    print(get_args_parser().parse_args(line.split()).training_script)`,
      ...commands,
      ...options.map((option) => `--nproc-per-node 2 train.py ${option} 1`),
    ]);
    expect(parsed).toBe('train.py\n'.repeat(commands.length + options.length));
  });

  it.each([
    ['of torchrun', [], (folder, train) => killedAfterEpoch(folder, [...torchrun, ...train])],
    ['with shards', ['--fsdp'], (folder, train) => pythonRun(folder, [ranks, '2', '--kill', ...train]).status],
  ] satisfies [string, string[], (folder: string, train: readonly string[]) => number | Promise<number>][])(
    'two processes %s, one of them killed in its second epoch, go on by --resume to the numbers of an unbroken run',
    async (_, more, broken) => {
      const text = cases['sgd with momentum, a schedule and augmentation']!;
      const folder = folderOf(text, 80);
      const train = [
        'train.py',
        '--samples',
        'samples.safetensors',
        '--said',
        '--batch',
        '4',
        '--epochs',
        '3',
        ...more,
      ];
      const whole = resultOf(folder, runPython(folder, [ranks, '2', ...train]));
      rmSync(join(folder, 'run'), { recursive: true });
      expect(await broken(folder, train)).not.toBe(0);
      const rest = resultOf(folder, runPython(folder, [ranks, '2', ...train, '--resume']));
      const plain = ({ epoch, loss, accuracy }: Trained['records'][number]) => ({ epoch, loss, accuracy });
      expect(rest.records.map(plain)).toEqual(whole.records.slice(-rest.records.length).map(plain));
      expect(rest.records.length).toBeLessThan(3);
      expect(rest.records.length).toBeGreaterThan(0);
      for (const [name, { data }] of whole.states) expect(rest.states.get(name)!.data, name).toEqual(data);
    },
    240_000,
  );

  it('gradients of parts of a batch are summed to those of the batch, where batch norm does not see the parts', () => {
    const text = tiny('PLIF(theta: 0.7)', 'optimizer sgd(lr: 0.1)', {
      body: 'image | conv(4, kernel: 3) | spike | avgpool(2) | flatten | dropout(0.25) | linear(3)',
    });
    const folder = folderOf(text, 80);
    const train = ['train.py', '--samples', 'samples.safetensors', '--said'];
    const one = resultOf(folder, runPython(folder, train));
    const parts = resultOf(folder, runPython(folder, [...train, '--accumulate', '4']));
    expectSame(parts, one);
  });

  it('synapses in bfloat16 train too, and torch.compile and torch.export take the whole network', () => {
    const folder = folderOf(residual['multi-bit spikes with interlaminar connections']!, 80);
    const train = ['train.py', '--samples', 'samples.safetensors', '--said'];
    const one = resultOf(folder, runPython(folder, train));
    const half = resultOf(folder, runPython(folder, [...train, '--amp']));
    expect(half.losses[9]! / one.losses[9]!).toBeGreaterThan(0.8);
    expect(half.losses[9]! / one.losses[9]!).toBeLessThan(1.2);
    expect(half.losses).not.toEqual(one.losses);
    expect(runPython(folder, ['-c', whole])).toBe('equal equal equal\n');
  }, 120_000);
});

/** Compiled without a break, forwards and backwards, and exported. */
const whole = `
import torch
from model import Network
from safetensors.torch import load_file
torch.manual_seed(0)
x = torch.rand(4, 1, 8, 8)
networks = [Network(), Network()]
for network in networks:
    network.load_state_dict(load_file("weights.safetensors"))
eager, compiled = networks[0], torch.compile(networks[1], fullgraph=True, backend="aot_eager")
results = [network(x) for network in (eager, compiled)]
for result in results:
    result.square().sum().backward()
pairs = zip(networks[0].parameters(), networks[1].parameters())
close = all(torch.allclose(a.grad, b.grad, atol=1e-6) for a, b in pairs)
eager.eval()
exported = torch.export.export(eager, (x,))
same = torch.allclose(exported.module()(x), eager(x), atol=1e-6)
print(*("equal" if fits else "unequal" for fits in (torch.allclose(*results, atol=1e-6), close, same)))
`;
