"""Rate conversion over T steps in PyTorch: IF neurons by hand (soft reset, the first layer once), or SpikingJelly's ann2snn.

Weights are random: what dense steps take doesn't depend on them. A line "STEPS" on stdin: so many batches; answers JSON.
"""
import argparse
import json
import resource
import sys
import time

import torch
from torch import nn

parser = argparse.ArgumentParser()
for name in ("network", "how"):
    parser.add_argument(f"--{name}")
for name, value in (("threads", 2), ("batch", 100), ("steps", 32)):
    parser.add_argument(f"--{name}", type=int, default=value)
options = parser.parse_args()
torch.set_num_threads(options.threads)
torch.manual_seed(1)


class Block(nn.Module):
    def __init__(self, before, channels, stride):
        super().__init__()
        self.a = nn.Conv2d(before, channels, 3, stride, 1)
        self.relu1 = nn.ReLU()
        self.b = nn.Conv2d(channels, channels, 3, 1, 1)
        self.relu2 = nn.ReLU()
        self.down = nn.Identity() if stride == 1 else nn.Conv2d(before, channels, 1, stride)

    def forward(self, x):
        return self.relu2(self.b(self.relu1(self.a(x))) + self.down(x))


if options.network == "lenet5":
    shape = (1, 28, 28)
    first = nn.Conv2d(1, 6, 5, 1, 2)
    rest = nn.Sequential(
        nn.ReLU(), nn.AvgPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(), nn.AvgPool2d(2), nn.Flatten(),
        nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10),
    )
else:
    shape = (3, 32, 32)
    first = nn.Conv2d(3, 16, 3, 1, 1)
    blocks = [Block(16, 16, 1) for _ in range(3)]
    for before, channels in ((16, 32), (32, 64)):
        blocks += [Block(before, channels, 2)] + [Block(channels, channels, 1) for _ in range(2)]
    rest = nn.Sequential(nn.ReLU(), *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


class IF(nn.Module):
    def __init__(self):
        super().__init__()
        self.u = 0.5

    def forward(self, x):
        u = self.u + x
        spikes = (u >= 1).float()
        self.u = u - spikes
        return spikes


def with_neurons(module):
    for name, child in module.named_children():
        if isinstance(child, nn.ReLU):
            setattr(module, name, IF())
        else:
            with_neurons(child)
    return module


images = torch.rand(options.batch, *shape) * 2 - 1
if options.how == "hand":
    net = with_neurons(rest).eval()
    neurons = [module for module in net.modules() if isinstance(module, IF)]

    def step():
        for neuron in neurons:
            neuron.u = 0.5
        current = first(images)
        total = 0
        for _ in range(options.steps):
            total = total + net(current)
        return float(total[0, 0])

else:
    from spikingjelly.activation_based import ann2snn

    loader = [(images, torch.zeros(options.batch))]
    recipe = ann2snn.RateCodingRecipe(dataloader=loader, mode="max")
    net = ann2snn.FXConverter(recipe).convert(nn.Sequential(first, *rest).eval()).eval()

    def step():
        for module in net.modules():
            if hasattr(module, "reset"):
                module.reset()
        total = 0
        for _ in range(options.steps):
            total = total + net(images)
        return float(total[0, 0])


base = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
with torch.no_grad():
    for line in sys.stdin:
        wall, cpu = time.perf_counter(), time.process_time()
        for _ in range(int(line)):
            loss = step()
        answer = {
            "seconds": time.perf_counter() - wall,
            "cpu": time.process_time() - cpu,
            "loss": loss,
            "step_mib": (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - base) / 1024,
        }
        print(json.dumps(answer), flush=True)
