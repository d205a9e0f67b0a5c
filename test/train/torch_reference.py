# conv3x3(4) - batch norm - neurons - average pool 2 - linear(3) in PyTorch: the reference of against-pytorch.test.ts.
# One JSON object in the file of its argument {neuron, steps, optimizer, count, images, labels, weights}, one on stdout.
import json
import sys

import torch
import torch.nn.functional as F

torch.set_num_threads(1)
job = json.load(open(sys.argv[1]))
T = job["steps"]
names = list(job["weights"])
w = {k: torch.tensor(v["data"], dtype=torch.float32).reshape(v["shape"]) for k, v in job["weights"].items()}
learned = [k for k in names if not k.endswith(("mean", "variance"))]
for k in learned:
    w[k].requires_grad_(True)
images = torch.tensor(job["images"]["data"], dtype=torch.float32).reshape(job["images"]["shape"])
labels = torch.tensor(job["labels"])


class Step(torch.autograd.Function):
    @staticmethod
    def forward(ctx, v):
        ctx.save_for_backward(v)
        return (v >= 0).float()

    @staticmethod
    def backward(ctx, g):
        (v,) = ctx.saved_tensors
        return g * (v.abs() < 0.5).float()


class Round(torch.autograd.Function):
    """clip(round(u), 0, 4); the gradient is 1 where 0 <= u <= 4 (IBRA eq. 16)."""

    @staticmethod
    def forward(ctx, u):
        ctx.save_for_backward(u)
        return u.round().clamp(0, 4)

    @staticmethod
    def backward(ctx, g):
        (u,) = ctx.saved_tensors
        return g * ((u >= 0) & (u <= 4)).float()


def neurons(x):
    u, out = torch.zeros_like(x[0]), []
    for t in range(T):
        if job["neuron"] == "ILIF":
            u = 0.25 * u + x[t]
            s = Round.apply(u)
            u = u - s.detach()
        else:
            keep = 1 - torch.sigmoid(w["output.spike.a"]) if job["neuron"] == "PLIF" else 0.5
            u = keep * u + x[t]
            s = Step.apply(u - 1)
            u = u * (1 - s)
        out.append(s)
    return torch.stack(out)


def forward():
    h = F.conv2d(images.repeat(T, 1, 1, 1), w["output.conv.weight"], padding=1)
    mean, variance = w["output.batchnorm.mean"], w["output.batchnorm.variance"]
    h = F.batch_norm(h, mean, variance, w["output.batchnorm.gamma"], w["output.batchnorm.beta"], True, 0.1, 1e-5)
    h = neurons(h.view(T, -1, *h.shape[1:]))
    h = F.avg_pool2d(h.flatten(0, 1), 2).flatten(1)
    h = F.linear(h, w["output.linear.weight"], w["output.linear.bias"])
    return F.cross_entropy(h.view(T, -1, 3).mean(0), labels)


params = [w[k] for k in learned]
o = job["optimizer"]
groups = [
    {"params": [w[k] for k in learned if not k.startswith("output.spike")]},
    {"params": [w[k] for k in learned if k.startswith("output.spike")], "weight_decay": 0},
]
groups = [g for g in groups if g["params"]]
if o == "sgd":
    optimizer = torch.optim.SGD(groups, lr=0.1, momentum=0.9, nesterov=True, weight_decay=1e-2)
elif o == "adam":
    optimizer = torch.optim.Adam(groups, lr=1e-2, weight_decay=1e-2)
else:
    optimizer = torch.optim.AdamW(groups, lr=1e-2, weight_decay=1e-1)

losses, gradients = [], None
for i in range(job["count"]):
    optimizer.zero_grad()
    loss = forward()
    loss.backward()
    losses.append(loss.item())
    if gradients is None:
        gradients = {k: w[k].grad.flatten().tolist() for k in learned}
    optimizer.step()
states = {k: v.detach().flatten().tolist() for k, v in w.items()}
print(json.dumps({"losses": losses, "gradients": gradients, "states": states}))
