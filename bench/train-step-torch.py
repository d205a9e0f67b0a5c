# The network of bench/train-step.ts, hand-written in PyTorch (eager), one JSON line per round.
# Reads lines "STEPS" from stdin, runs that many training steps, answers with seconds and CPU seconds.
import json
import resource
import sys
import time

import torch
from torch import nn
import torch.nn.functional as F

torch.set_num_threads(int(sys.argv[1]))
BATCH, T = int(sys.argv[2]), int(sys.argv[3])


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


def lif(x, theta=1.0, decay=0.5):
    """x [T, N, ...] -> spikes [T, N, ...]; hard reset, detached."""
    u = torch.zeros_like(x[0])
    out = []
    for t in range(x.shape[0]):
        u = decay * u + x[t]
        s = Spike.apply(u - theta)
        u = u * (1 - s.detach())
        out.append(s)
    return torch.stack(out)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.c1, self.b1 = nn.Conv2d(1, 32, 3, padding=1, bias=False), nn.BatchNorm2d(32)
        self.c2, self.b2 = nn.Conv2d(32, 64, 3, padding=1, bias=False), nn.BatchNorm2d(64)
        self.l1, self.l2 = nn.Linear(64 * 49, 128), nn.Linear(128, 10)

    def forward(self, x):
        n = x.shape[0]
        h = self.b1(self.c1(x))  # constant in time: computed once
        h = lif(h.unsqueeze(0).expand(T, *h.shape))
        h = F.avg_pool2d(h.flatten(0, 1), 2)
        h = self.b2(self.c2(h))
        h = lif(h.view(T, n, *h.shape[1:]))
        h = F.avg_pool2d(h.flatten(0, 1), 2).flatten(1)
        h = lif(self.l1(h).view(T, n, -1))
        return self.l2(h.flatten(0, 1)).view(T, n, -1).mean(0)


torch.manual_seed(1)
net = Net()
optimizer = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9)
images = torch.rand(BATCH, 1, 28, 28)
labels = torch.randint(0, 10, (BATCH,))


def step():
    optimizer.zero_grad()
    loss = F.cross_entropy(net(images), labels)
    loss.backward()
    optimizer.step()
    return loss.item()


base = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
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
    }
    print(json.dumps(answer), flush=True)
