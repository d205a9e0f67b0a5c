import { join } from 'node:path';
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { type Tensor, tensor } from '../../../src/base/dtype.js';
import { lower } from '../../../src/lower/program/index.js';
import type { Network } from '../../../src/network/index.js';
import { evaluate } from '../../../src/tensor/index.js';
import { hasTorch, readTensors, runPython, writeTensors } from '../../support/pytorch.js';
import { temporaryFolder } from '../../support/temporary-folder.js';
import { networkFrom } from '../../support/train.js';
import { random } from '../../tensor/cases.js';

const text = `
  use "spikec/spikedriven/cifar" { SpikeDriven } use "spikec/neurons" { LIF }
  config c { network SpikeDriven(dim: 16, blocks: 2, heads: 2, size: 16) neuron LIF(tau: 2) coding direct(steps: 3) }`;

/** The blocks of the description, by hand, in float64. */
const reference = `
import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file

p = {k: v.double() for k, v in load_file("p.safetensors").items()}
T, heads = 3, 2

def norm(x, name):
    return F.batch_norm(x, p[name + ".mean"], p[name + ".variance"], p[name + ".gamma"], p[name + ".beta"])

def conv(x, name, **more):
    return F.conv2d(x, p[name + ".weight"], p.get(name + ".bias"), **more)

def fire(x, theta=1.0):
    u, out = torch.zeros_like(x[0]), []
    for now in x:
        u = u / 2 + now
        s = (u >= theta).double()
        u = u * (1 - s)
        out.append(s)
    return torch.stack(out)

def each(f, x):
    return torch.stack([f(now) for now in x])

def rep(x, name):
    def one(now):
        # the border is what batch norm gives for zeros
        now = norm(F.pad(conv(now, name + ".mixed.conv"), (1, 1, 1, 1)), name + ".mixed.batchnorm")
        now = conv(now, name + ".output.conv", groups=now.shape[1])
        return norm(conv(now, name + ".output.conv_2"), name + ".output.batchnorm")
    return each(one, x)

def separable(x, name):
    wide = fire(x)
    wide = each(lambda now: norm(conv(now, name + ".wide.conv"), name + ".wide.batchnorm"), wide)
    wide = fire(wide)
    wide = each(lambda now: norm(conv(now, name + ".wide.conv_2", padding=3, groups=now.shape[1]), name + ".wide.batchnorm_2"), wide)
    def back(now):
        now = norm(F.pad(now, (1, 1, 1, 1)), name + ".output.batchnorm")
        now = conv(now, name + ".output.conv")
        return norm(conv(now, name + ".output.conv_2", groups=now.shape[1]), name + ".output.batchnorm_2")
    return each(back, fire(wide))

def conv_block(x, name):
    a = x + separable(x, name + ".a.0")
    wide = each(lambda now: norm(conv(now, name + ".wide.conv", padding=1), name + ".wide.batchnorm"), fire(a))
    return a + each(lambda now: norm(conv(now, name + ".output.conv", padding=1), name + ".output.batchnorm"), fire(wide))

def stage(x, name, first=False):
    x = x if first else fire(x)
    return each(lambda now: norm(conv(now, name + ".conv", stride=2, padding=1), name + ".batchnorm"), x)

def attention(x, name):
    s = fire(x)
    t, n, c, h, w = s.shape
    def part(one):
        y = each(lambda now: norm(now, f"{name}.{one}.0.output.batchnorm"), rep(s, f"{name}.{one}.0.output.0"))
        # tokens by features, a head each
        return fire(y).reshape(t, n, heads, c // heads, h * w).transpose(-1, -2)
    q, k, v = part("q"), part("k"), part("v")
    y = 0.125 * (q @ (k.transpose(-1, -2) @ v))
    y = fire(y.transpose(-1, -2).reshape(t, n, c, h, w), 0.5)
    return each(lambda now: norm(now, name + ".output.batchnorm"), rep(y, name + ".output.0"))

def mlp(x, name):
    wide = each(lambda now: norm(conv(now, name + ".conv"), name + ".batchnorm"), fire(x))
    return each(lambda now: norm(conv(now, name + ".conv_2"), name + ".batchnorm_2"), fire(wide))

x = p["image"].expand(T, *p["image"].shape)
x = conv_block(stage(x, "local.0.output", True), "local.1")
x = conv_block(stage(x, "local.2.output"), "local.3")
x = stage(x, "body.0.output")
for i in (1, 2):
    a = x + attention(x, f"body.{i}.a.0")
    x = a + mlp(a, f"body.{i}.output.0.output")
y = F.linear(fire(x).mean((0, 3, 4)), p["output.linear.weight"], p["output.linear.bias"])
save_file({"y": y.float(), "rate": fire(x).mean().reshape(1).float()}, "y.safetensors")
`;

/** Norms with statistics of their own, so that all layers fire. */
function stirred(network: Network): Network {
  const next = random(4);
  const params = [...network.params].map(([name, param]) => {
    const range = /variance$|gamma$/.test(name) ? [0.4, 1.2] : /mean$|beta$/.test(name) ? [-0.3, 0.7] : undefined;
    if (range === undefined) return [name, param] as const;
    const data = Float32Array.from(param.tensor.data, () => range[0]! + (range[1]! - range[0]!) * next());
    return [name, { tensor: tensor('f32', param.tensor.shape, data) }] as const;
  });
  return { ...network, params: new Map(params) };
}

it.skipIf(!hasTorch)(
  'a spike-driven transformer gives what its description gives in PyTorch, with the same weights',
  () => {
    const network = stirred(networkFrom(text));
    const next = random(5);
    const shape = [2, 3, 16, 16];
    const image = tensor(
      'f32',
      shape,
      Float32Array.from({ length: 2 * 3 * 256 }, () => 4 * next() - 2),
    );
    const folder = temporaryFolder();
    const params = Object.fromEntries([...network.params].map(([name, param]) => [name, param.tensor as Tensor]));
    writeTensors(folder, 'p.safetensors', { ...params, image });
    runPython(folder, ['-c', reference]);
    const found = readTensors(readFileSync(join(folder, 'y.safetensors')));
    // it fires, and not everywhere
    expect(found.get('rate')!.data[0]!).toBeGreaterThan(0.05);
    expect(found.get('rate')!.data[0]!).toBeLessThan(0.95);
    const y = evaluate(lower(network).program, { image }, { precision: 'f64' })['0']!;
    const wanted = found.get('y')!;
    expect(y.shape).toEqual(wanted.shape);
    y.data.forEach((v, i) => expect(Math.abs(v - wanted.data[i]!), `[${i}]`).toBeLessThan(1e-5));
  },
  240_000,
);
