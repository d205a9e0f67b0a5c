# The networks of bench/train-step.mjs, hand-written in PyTorch: eager, compiled (torch.compile), or with SpikingJelly's
# neurons. Reads lines "STEPS" from stdin, runs that many training steps, answers with a JSON line: seconds, CPU seconds.
import argparse
import json
import os
import resource
import sys
import time

import torch
from torch import nn
import torch.nn.functional as F

options = argparse.ArgumentParser()
options.add_argument("--network", choices=["mnist", "resnet20", "lif", "recurrent", "spikformer", "a221"], required=True)
options.add_argument("--how", choices=["eager", "compile", "spikingjelly", "emitted", "emitted-eager"], required=True)
options.add_argument("--folder", help="what `compile --emit torch` wrote, for `--how emitted` and `emitted-eager`")
options.add_argument("--threads", type=int, required=True)
options.add_argument("--batch", type=int, required=True)
options.add_argument("--steps", type=int, required=True)
given = options.parse_args()
torch.set_num_threads(given.threads)
T = given.steps
# without batch norm hardly a neuron would reach 1
THETA = 0.4 if given.network in ("lif", "recurrent") else 1.0


class Spike(torch.autograd.Function):
    """Heaviside step with a rectangular surrogate of width 1."""

    @staticmethod
    def forward(ctx, v):
        ctx.save_for_backward(v)
        return (v >= 0).to(v.dtype)

    @staticmethod
    def backward(ctx, grad):
        (v,) = ctx.saved_tensors
        return grad * (v.abs() < 0.5).to(grad.dtype)


class Lif(nn.Module):
    """x [T, N, ...] -> spikes [T, N, ...]; hard reset, detached."""

    def forward(self, x):
        u = torch.zeros_like(x[0])
        out = []
        for t in range(x.shape[0]):
            u = 0.5 * u + x[t]
            s = Spike.apply(u - THETA)
            u = u * (1 - s.detach())
            out.append(s)
        return torch.stack(out)


def neurons():
    if given.how != "spikingjelly":
        return Lif()
    from spikingjelly.activation_based import neuron, surrogate

    return neuron.LIFNode(
        tau=2.0,
        decay_input=False,
        v_threshold=THETA,
        v_reset=0.0,
        detach_reset=True,
        step_mode="m",
        surrogate_function=surrogate.Rect(),
    )


def folded(layer, x):
    """A layer on all steps at once: x [T, N, ...]."""
    y = layer(x.flatten(0, 1))
    return y.view(x.shape[0], x.shape[1], *y.shape[1:])


class Mnist(nn.Module):
    def __init__(self):
        super().__init__()
        self.c1, self.b1 = nn.Conv2d(1, 32, 3, padding=1, bias=False), nn.BatchNorm2d(32)
        self.c2, self.b2 = nn.Conv2d(32, 64, 3, padding=1, bias=False), nn.BatchNorm2d(64)
        self.l1, self.l2 = nn.Linear(64 * 49, 128), nn.Linear(128, 10)
        self.n1, self.n2, self.n3 = neurons(), neurons(), neurons()

    def forward(self, x):
        h = self.b1(self.c1(x))  # constant in time: computed once
        h = self.n1(h.unsqueeze(0).expand(T, *h.shape))
        h = folded(lambda y: self.b2(self.c2(F.avg_pool2d(y, 2))), h)
        h = self.n2(h)
        h = self.n3(folded(lambda y: self.l1(F.avg_pool2d(y, 2).flatten(1)), h))
        return folded(self.l2, h).mean(0)


class Block(nn.Module):
    def __init__(self, before, channels, stride):
        super().__init__()
        self.c1 = nn.Conv2d(before, channels, 3, padding=1, stride=stride, bias=False)
        self.c2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.b1, self.b2 = nn.BatchNorm2d(channels), nn.BatchNorm2d(channels)
        self.n1, self.n2 = neurons(), neurons()
        plain = stride == 1 and before == channels
        self.around = None
        if not plain:
            self.around = nn.Sequential(
                nn.Conv2d(before, channels, 1, stride=stride, bias=False), nn.BatchNorm2d(channels)
            )

    def forward(self, x):
        h = self.n1(folded(lambda y: self.b1(self.c1(y)), x))
        h = folded(lambda y: self.b2(self.c2(y)), h)
        return self.n2(h + (x if self.around is None else folded(self.around, x)))


class ResNet20(nn.Module):
    def __init__(self):
        super().__init__()
        self.c1, self.b1, self.n1 = nn.Conv2d(3, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), neurons()
        shapes = [(16, 16, 1)] * 3 + [(16, 32, 2)] + [(32, 32, 1)] * 2 + [(32, 64, 2)] + [(64, 64, 1)] * 2
        self.blocks = nn.ModuleList(Block(*shape) for shape in shapes)
        self.last = nn.Linear(64, 10)

    def forward(self, x):
        h = self.b1(self.c1(x))
        h = self.n1(h.unsqueeze(0).expand(T, *h.shape))
        for block in self.blocks:
            h = block(h)
        return folded(lambda y: self.last(y.mean((2, 3))), h).mean(0)


class Layers(nn.Module):
    """Two layers of 256 neurons; `recurrent` feeds the first one's spikes back, a step later."""

    def __init__(self, recurrent):
        super().__init__()
        self.l1, self.l2, self.l3 = nn.Linear(784, 256), nn.Linear(256, 256), nn.Linear(256, 10)
        self.back = nn.Linear(256, 256) if recurrent else None
        self.n1, self.n2 = neurons(), neurons()

    def forward(self, x):
        drive = self.l1(x.flatten(1))  # constant in time: computed once
        if self.back is None:
            h = self.n1(drive.unsqueeze(0).expand(T, *drive.shape))
        elif given.how == "spikingjelly":
            self.n1.step_mode = "s"
            s, out = torch.zeros_like(drive), []
            for _ in range(T):
                s = self.n1(drive + self.back(s))
                out.append(s)
            h = torch.stack(out)
        else:
            u, s, out = torch.zeros_like(drive), torch.zeros_like(drive), []
            for _ in range(T):
                u = 0.5 * u + drive + self.back(s)
                s = Spike.apply(u - THETA)
                u = u * (1 - s.detach())
                out.append(s)
            h = torch.stack(out)
        return folded(self.l3, self.n2(folded(self.l2, h))).mean(0)


class Sigmoid(torch.autograd.Function):
    """Heaviside step with the derivative of sigmoid(4 v)."""

    @staticmethod
    def forward(ctx, v):
        ctx.save_for_backward(v)
        return (v >= 0).to(v.dtype)

    @staticmethod
    def backward(ctx, grad):
        (v,) = ctx.saved_tensors
        y = torch.sigmoid(4 * v)
        return grad * (4 * y * (1 - y))


class InputDecayLif(nn.Module):
    """x [T, N, ...] -> spikes [T, N, ...]; the input decays as the membrane does; hard reset, detached."""

    def __init__(self, theta):
        super().__init__()
        self.theta = theta

    def forward(self, x):
        u = torch.zeros_like(x[0])
        out = []
        for t in range(x.shape[0]):
            u = u + (x[t] - u) / 2
            s = Sigmoid.apply(u - self.theta)
            u = u * (1 - s.detach())
            out.append(s)
        return torch.stack(out)


def decaying(theta=1.0):
    if given.how != "spikingjelly":
        return InputDecayLif(theta)
    from spikingjelly.activation_based import neuron, surrogate

    return neuron.LIFNode(
        tau=2.0,
        v_threshold=theta,
        v_reset=0.0,
        detach_reset=True,
        step_mode="m",
        surrogate_function=surrogate.Sigmoid(4.0),
    )


class Stage(nn.Module):
    def __init__(self, before, channels, pool):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(before, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels)
        self.neurons, self.pool = decaying(), pool

    def forward(self, x):
        if x.dim() == 4:  # constant in time: computed once
            now = self.norm(self.conv(x))
            s = self.neurons(now.unsqueeze(0).expand(T, *now.shape))
        else:
            s = self.neurons(folded(lambda y: self.norm(self.conv(y)), x))
        return folded(lambda y: F.max_pool2d(y, 3, 2, 1), s) if self.pool else s


class TokenLayer(nn.Module):
    """A linear layer with bias, batch norm over samples, steps and tokens, and spikes: x [T, N, tokens, features]."""

    def __init__(self, before, features):
        super().__init__()
        self.linear, self.norm, self.neurons = nn.Linear(before, features), nn.BatchNorm1d(features), decaying()

    def forward(self, x):
        y = self.linear(x)
        return self.neurons(self.norm(y.flatten(0, 2)).view(y.shape))


class Spikformer(nn.Module):
    """That of models/spikformer, 64 features, one block, four heads, 16 tokens."""

    def __init__(self, dim=64, heads=4):
        super().__init__()
        self.heads = heads
        sizes = [3, dim // 8, dim // 4, dim // 2, dim]
        self.stages = nn.Sequential(*(Stage(sizes[i], sizes[i + 1], i > 0) for i in range(4)))
        self.rpe = Stage(dim, dim, False)
        self.q, self.k, self.v, self.out = (TokenLayer(dim, dim) for _ in range(4))
        self.attention = decaying(0.5)
        self.wide, self.narrow = TokenLayer(dim, 4 * dim), TokenLayer(4 * dim, dim)
        self.last = nn.Linear(dim, 10)

    def forward(self, x):
        h = self.stages(x)
        h = (h + self.rpe(h)).flatten(3).transpose(-1, -2)

        def part(layer):
            y = layer(h)
            return y.view(*y.shape[:3], self.heads, -1).transpose(2, 3)

        scores = 0.125 * (part(self.q) @ part(self.k).transpose(-1, -2))
        y = (scores @ part(self.v)).transpose(2, 3).flatten(3)
        h = h + self.out(self.attention(y))
        h = h + self.narrow(self.wide(h))
        return self.last(h.mean(2)).mean(0)


torch.manual_seed(1)
builders = {
    "mnist": Mnist,
    "resnet20": ResNet20,
    "lif": lambda: Layers(False),
    "recurrent": lambda: Layers(True),
    "spikformer": Spikformer,
}
if given.how.startswith("emitted"):
    sys.path.insert(0, given.folder)
    from layers import channels_innermost
    from model import Network

    from safetensors.torch import load_file

    net = Network()
    net.load_state_dict(load_file(os.path.join(given.folder, "weights.safetensors")))
    # as train.py does on a CPU
    channels_innermost(net)
else:
    net = builders[given.network]()
optimizer = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9)
images = torch.rand(given.batch, *((3, 32, 32) if given.network in ("resnet20", "spikformer", "a221") else (1, 28, 28)))
labels = torch.randint(0, 10, (given.batch,))


def loss_of(images, labels):
    return F.cross_entropy(net(images), labels)


if given.how in ("compile", "emitted"):
    loss_of = torch.compile(loss_of)


def step():
    if given.how == "spikingjelly":
        from spikingjelly.activation_based import functional

        functional.reset_net(net)
    optimizer.zero_grad()
    loss = loss_of(images, labels)
    loss.backward()
    optimizer.step()
    return loss.item()




def resident():
    """KiB of memory that the process holds now."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize() / 1024


base = resident()
for line in sys.stdin:
    steps = int(line)
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(steps):
        loss = step()
    answer = {
        "seconds": time.perf_counter() - wall,
        "cpu": time.process_time() - cpu,
        "loss": loss,
        "step_mib": (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - base) / 1024,
        "rss_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    print(json.dumps(answer), flush=True)
