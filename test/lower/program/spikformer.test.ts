import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { tensor } from '../../../src/base/dtype.js';
import { fusedEngine } from '../../../src/engines/fused/index.js';
import { onnxruntimeEngine } from '../../../src/engines/onnxruntime.js';
import { tfjsEngine } from '../../../src/engines/tfjs.js';
import { lower } from '../../../src/lower/program/index.js';
import type { Network } from '../../../src/network/index.js';
import { evaluate } from '../../../src/tensor/index.js';
import { nativeEngines } from '../../support/native.js';
import { type NpzArray, readNpzArrays } from '../../support/npz-arrays.js';
import { networkFrom } from '../../support/train.js';

const folder = join(import.meta.dirname, '../../../../shared/cases/turn2/peers/attention');
const present = existsSync(folder);
if (!present) console.warn(`SKIPPED: Spikformers of another library: ${folder} isn't there`);

type Arrays = ReadonlyMap<string, NpzArray>;

/** Rows `part` of three of a fused projection. */
function third({ data }: NpzArray, part: number): Float32Array {
  const size = data.length / 3;
  return Float32Array.from(data.slice(part * size, (part + 1) * size));
}

/** The network with another library's weights: each of our layers by the name of theirs, and which third of it. */
function carried(
  network: Network,
  arrays: Arrays,
  names: Readonly<Record<string, string | [string, number]>>,
): Network {
  const params = new Map(network.params);
  const roles = {
    weight: 'weight',
    bias: 'bias',
    gamma: 'weight',
    beta: 'bias',
    mean: 'running_mean',
    variance: 'running_var',
  };
  for (const [name, param] of network.params) {
    const [layer, role] = [name.slice(0, name.lastIndexOf('.')), name.slice(name.lastIndexOf('.') + 1)];
    if (role === 'scale') continue;
    const theirs = names[layer];
    if (theirs === undefined) throw new Error(`no weights for ${name}`);
    const [their, part] = typeof theirs === 'string' ? [theirs, undefined] : theirs;
    const array = arrays.get(`weights.${their}.${roles[role as keyof typeof roles]}`);
    // theirs have no bias in front of batch norm
    const data =
      array === undefined
        ? new Float32Array(param.tensor.data.length)
        : part === undefined
          ? array.data
          : third(array, part);
    expect(data.length, name).toBe(param.tensor.data.length);
    params.set(name, { tensor: tensor('f32', param.tensor.shape, Float32Array.from(data)) });
  }
  return { ...network, params };
}

// SpikingJelly takes the maximum of potentials and fires then; the original pools spikes
const tiny = `
  use "spikec/attention" { InputDecayLIF, PositionedTokens, SpikformerBlock }
  block Stage(channels: int, pool: bool = true) {
    input x
    c = x | conv(channels) | batchnorm
    output where(pool, c | maxpool(3, stride: 2, pad: 1), c) | spike
  }
  network Tiny {
    input image: real[2, 8, 8]
    tokens = image | Stage(2, pool: false) | Stage(4, pool: false) | Stage(8) | Stage(16) | PositionedTokens(16)
    body = tokens | SpikformerBlock(4, 16, heads: 2, ratio: 2)
    output body | mean(axis: 0) | linear(5)
  }
  config tiny { network Tiny  neuron InputDecayLIF  coding direct(steps: 3) }
`;

/** Our layers' names → theirs. */
function named(): Record<string, string | [string, number]> {
  const names: Record<string, string | [string, number]> = { 'output.linear': 'head' };
  const pair = (ours: string, conv: string, norm: string, kind = 'conv', part?: number): void => {
    names[`${ours}.${kind}`] = part === undefined ? conv : [conv, part];
    names[`${ours}.batchnorm`] = part === undefined ? norm : [norm, part];
  };
  const stage = (ours: string, theirs: string): void =>
    pair(ours, `${theirs}.conv_bn.block.0`, `${theirs}.conv_bn.block.1`);
  for (let i = 0; i < 4; i++) stage(`tokens.${i}.c`, `patch_embed.stages.${i}`);
  stage('tokens.4.rpe', 'patch_embed.positional_encoding');
  const linear = (ours: string, theirs: string, part?: number): void =>
    pair(`${ours}.output`, `${theirs}.0`, `${theirs}.1`, 'linear', part);
  ['q', 'k', 'v'].forEach((one, i) => linear(`body.0.a.0.${one}.0`, 'blocks.0.attn.qkv_conv_bn', i));
  linear('body.0.a.0.output.0', 'blocks.0.attn.proj_conv_bn');
  linear('body.0.output.0.output.0', 'blocks.0.mlp.fc1');
  linear('body.0.output.0.output.1', 'blocks.0.mlp.fc2');
  return names;
}

const engines = [onnxruntimeEngine, fusedEngine, tfjsEngine('cpu'), ...nativeEngines];

it.runIf(present)('a Spikformer with the weights of SpikingJelly’s gives its logits, on every engine', async () => {
  const arrays = readNpzArrays(join(folder, 'spikformer_tiny.npz'));
  const network = carried(networkFrom(tiny), arrays, named());
  const { shape, data } = arrays.get('x')!;
  const x = tensor('f32', shape, Float32Array.from(data));
  // [steps, images, classes] → their mean over steps
  const y = arrays.get('y_f64')!;
  const [steps, images, classes] = y.shape as [number, number, number];
  const wanted = Array.from({ length: images * classes }, (_, i) => {
    let sum = 0;
    for (let t = 0; t < steps; t++) sum += y.data[t * images * classes + i]!;
    return sum / steps;
  });
  const { program } = lower(network);
  const close = (found: ArrayLike<number>, where: string): void =>
    wanted.forEach((v, i) => expect(Math.abs(found[i]! - v), `${where} [${i}]`).toBeLessThan(1e-5));
  close(evaluate(program, { image: x })['0']!.data, 'reference');
  for (const engine of engines) {
    const opened = await engine.open(program);
    close((await opened.step({ image: x }))['0']!.data, engine.name);
    await opened.dispose();
  }
});
