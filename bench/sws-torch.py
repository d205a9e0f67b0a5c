# The same spiking network, simulated in PyTorch as its users would write it: float32, vectorised over the batch,
# time folded into the batch for synapses, a loop over steps for neurons. Reads a compiled folder.
#   python3 bench/sws-torch.py FOLDER BATCH THREADS SECONDS
# Prints one JSON line with the images per second.
import json
import struct
import sys
import time

import torch
import torch.nn.functional as F

folder, batch, threads, seconds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
torch.set_num_threads(threads)
torch.set_grad_enabled(False)


def load_safetensors(path):
    data = open(path, "rb").read()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    types = {"F32": torch.float32, "F64": torch.float64, "I32": torch.int32, "I8": torch.int8, "U8": torch.uint8}
    tensors = {}
    for name, info in header.items():
        if name == "__metadata__":
            continue
        start, end = info["data_offsets"]
        raw = bytearray(data[8 + length + start : 8 + length + end])
        tensors[name] = torch.frombuffer(raw, dtype=types[info["dtype"]]).reshape(info["shape"]).float()
    return tensors


network = json.load(open(f"{folder}/network.json"))
params = load_safetensors(f"{folder}/weights.safetensors")
beta = float(network["coding"]["args"]["beta"])
steps = int(network["coding"]["args"]["steps"])


def fold(x):
    return x.reshape(-1, *x.shape[2:])


def wide(p, rank):
    return p.reshape(-1, *([1] * (rank - 1))) if p.dim() == 1 and p.numel() > 1 else p


def scaled(op, acc):
    rank = acc.dim() - 1
    gain, bias = (params[op["params"][r]] if r in op["params"] else None for r in ("gain", "bias"))
    if gain is not None:
        acc = acc * wide(gain, rank)
    if bias is not None:
        acc = acc + wide(bias, rank)
    return acc.reshape(steps, -1, *acc.shape[1:])


def neuron(op, z):
    a = op["attrs"]
    silent, high = int(a["silent"]), a["threshold"] * beta ** int(a["silent"])
    u, p, spikes = torch.zeros_like(z[0]), torch.zeros_like(z[0]), []
    for t in range(steps + silent):
        u = u * beta + z[t] if t < steps else u * beta
        if t < silent:
            continue
        s = (u >= high).float() - ((u <= -high) & (p >= 1)).float()
        u = u - s * beta**silent
        p = p * beta + s
        spikes.append(s)
    return torch.stack(spikes)


def encode(op, x):
    a = op["attrs"]
    code = torch.clamp(torch.round(x / a["scale"]) + a["zero"], a["min"], a["max"]) - a["min"]
    return torch.stack([torch.floor(code / 2 ** (steps - 1 - k)) % 2 for k in range(steps)])


def forward(x):
    values = {}
    for op in network["ops"]:
        a, kind = op["attrs"], op["kind"]
        v = values[op["inputs"][0]] if op["inputs"] else None
        if kind == "input":
            r = x
        elif kind == "encode":
            r = encode(op, v)
        elif kind == "conv":
            top, left, bottom, right = a["pads"]
            acc = F.conv2d(F.pad(fold(v), (left, right, top, bottom)), params[op["params"]["weight"]], None, a["stride"], 0, a["dilation"], a["groups"])
            r = scaled(op, acc)
        elif kind == "linear":
            r = scaled(op, F.linear(fold(v), params[op["params"]["weight"]]))
        elif kind == "avgpool":
            size = a["kernel"][0] * a["kernel"][1]
            pooled = F.avg_pool2d(fold(v), a["kernel"], a["stride"]) * size
            r = pooled.reshape(steps, -1, *pooled.shape[1:])
        elif kind == "maxprefix":
            prefix, prefixes = torch.zeros_like(v[0]), []
            for t in range(steps):
                prefix = prefix * beta + v[t]
                prefixes.append(prefix)
            top = F.max_pool2d(fold(torch.stack(prefixes)), a["kernel"], a["stride"])
            top = top.reshape(steps, -1, *top.shape[1:])
            r = torch.cat([top[:1], top[1:] - beta * top[:-1]])
        elif kind == "flatten":
            r = v.flatten(2)
        elif kind == "neuron":
            r = neuron(op, v)
        elif kind == "decode":
            r = torch.zeros_like(v[0])
            for t in range(steps):
                r = r * beta + v[t]
        else:
            raise SystemExit(f"sws-torch: no rule for {kind}")
        values[op["id"]] = r
    return values[network["outputs"][0]]


def rate(work):
    work()
    start, images = time.time(), 0
    while time.time() - start < seconds:
        work()
        images += batch
    return images / (time.time() - start)


x = torch.rand(batch, *network["ops"][0]["attrs"]["shape"]) * 2 - 1
print(json.dumps({"images_per_second": rate(lambda: forward(x))}))
