# A converted network in PyTorch as its users would write it: float32, vectorised over the batch, time folded into the batch for synapses, a loop
# over the steps for neurons, what is constant in time computed once. Reads a compiled folder and raw images.
#   python3 bench/codings-torch.py FOLDER IMAGES BATCH THREADS
import json
import resource
import struct
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F

folder, images, batch, threads = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
torch.set_num_threads(threads)


def load_safetensors(path):
    data = open(path, "rb").read()
    (length,) = struct.unpack("<Q", data[:8])
    types = {"F32": torch.float32, "F64": torch.float64, "I32": torch.int32, "I8": torch.int8, "U8": torch.uint8}
    tensors = {}
    for name, info in json.loads(data[8 : 8 + length]).items():
        if name != "__metadata__":
            start, end = info["data_offsets"]
            raw = bytearray(data[8 + length + start : 8 + length + end])
            tensors[name] = torch.frombuffer(raw, dtype=types[info["dtype"]]).reshape(info["shape"]).float()
    return tensors


network = json.load(open(f"{folder}/network.json"))
params = load_safetensors(f"{folder}/weights.safetensors")
for name, said in network["params"].items():
    quant = said.get("quant")
    if quant is not None:
        p = params[name]
        wide = [-1 if i == quant["axis"] else 1 for i in range(p.dim())]
        params[name] = (p - params[f"{name}.zero"].reshape(wide)) * params[f"{name}.scale"].reshape(wide)
coding, args = network["coding"]["name"], network["coding"]["args"]
steps = int(args["steps"])
whole = coding in ("ttfs", "pattern")
T = torch.arange(steps, dtype=torch.float32)
if coding == "phase":
    period = int(args["period"])
    counts = period * 2.0 ** -(1 + T % period)
elif coding == "pattern":
    counts = steps * 2.0 ** -(T + 1)
elif coding == "ttfs":
    counts = steps - T if args["tau"] == 0 else steps * torch.exp(-T / args["tau"])


def parameter(op, role):
    name = op["params"].get(role)
    if name is None:
        return None
    p = params[name]
    return p.reshape(-1, *([1] * (len(shapes[op["id"]]) - 1))) if p.dim() == 1 and p.numel() > 1 else p


def start_half(like, start):
    return torch.full_like(like, start)


def integrate(x, u, fire):
    """Steps of currents through neurons; a constant current [1, N, …] at every step."""
    given = []
    for t in range(steps):
        s, u = fire(u + x[t if len(x) > 1 else 0], t)
        given.append(s)
    return torch.stack(given)


def threshold(u):
    s = (u >= 1).float()
    return s, u - s


def neuron(op, x):
    """Currents [T or 1, N, …] to what the layer's spikes are worth, [T or 1, N, …]."""
    kind, a = op["attrs"]["neuron"], op["attrs"]
    if kind == "IF" and coding == "offset":
        look = int(args["look"])
        u, n = start_half(x[0], 0.5), torch.zeros_like(x[0])
        low, high = start_half(u, 1e6), start_half(u, -1e6)
        for t in range(look):
            u = u + x[t if len(x) > 1 else 0]
            fired = u >= 1
            n = n + fired
            low, high = torch.where(fired, torch.minimum(low, u), low), torch.where(fired, high, torch.maximum(high, u))
            u = u - fired.float()
        up = torch.where(high > -1e6, (1.001 - high).clamp(min=1), torch.ones_like(u))
        shift = torch.where((u < 0) & (n >= 1), -(low - 1 + 0.001).clamp(min=1), torch.where(u >= 1, up, torch.zeros_like(u)))
        return integrate(x, shift + 0.5, lambda u, t: threshold(u))
    if kind == "IF":
        return integrate(x, start_half(x[0], a["start"]), lambda u, t: threshold(u))
    if kind == "SignedIF":
        sent = torch.zeros_like(x[0])

        def signed(u, t):
            nonlocal sent
            s = (u >= 1).float() - ((u <= -a["below"]) & (sent >= 1)).float()
            sent = sent + s
            return s, u - s

        return integrate(x, start_half(x[0], a["start"]), signed)
    if kind == "MBIF":
        scale, most = 2 ** int(a["fraction"]), 2 ** int(a["integer"] + a["fraction"]) - 1

        def several(u, t):
            s = (u * scale).floor().clamp(0, most) / scale
            return s, u - s

        return integrate(x, start_half(x[0], a["start"]), several)
    if kind == "IBRALIF":
        return (x * a["N"]).round().clamp(0, round(a["D"] * a["N"])) / a["N"]
    if kind == "Phase":

        def phase(u, t):
            s = (u >= counts[t]).float() * counts[t]
            return s, u - s

        return integrate(x, torch.zeros_like(x[0]), phase)
    if kind == "Burst":
        g = torch.ones_like(x[0])

        def burst(u, t):
            nonlocal g
            fired = u >= g * a["theta"]
            s = fired * g * a["theta"]
            g = torch.where(fired, (g * a["beta"]).clamp(max=a["beta"] ** a["longest"]), torch.ones_like(g))
            return s, u - s

        return integrate(x, torch.zeros_like(x[0]), burst)
    if kind == "Switch":
        # the switched current is on while the neuron fires
        return integrate(x, start_half(x[0], a["start"]), lambda u, t: threshold(u))
    if kind == "Pattern":
        u, sum_ = x[0] * steps + a["start"] * steps * 2.0**-steps, torch.zeros_like(x[0])
        for t in range(steps):
            s = (u >= counts[t]).float() * counts[t]
            u, sum_ = u - s, sum_ + s
        return (sum_ / steps)[None]
    if kind == "FirstSpike":
        u, done, sum_ = x[0] * steps, torch.zeros_like(x[0], dtype=torch.bool), torch.zeros_like(x[0])
        for t in range(steps):
            least = counts[t] - 0.5 if args["tau"] == 0 else counts[t] * np.exp(-0.5 / args["tau"])
            now = (u >= least) & ~done
            done, sum_ = done | now, sum_ + now * counts[t]
        return (sum_ / steps)[None]
    raise SystemExit(f"codings-torch: no rule for {kind}")


def crossing(op, x, coming):
    """FirstCrossing: what is on at each step, and what is still to come."""
    u, on, given, more = torch.zeros_like(x[0]), torch.zeros_like(x[0]), [], []
    for t in range(steps):
        now = x[t if len(x) > 1 else 0]
        u = u + now
        waits = 0 if coming is None else coming[t]
        on = torch.maximum(on, (u - waits >= 1).float())
        given.append(on)
        more.append((now > 0).float() * (1 - on))
    return torch.stack(given), torch.stack(more)


def over(x, act):
    y = act(x.reshape(-1, *x.shape[2:]))
    return y.reshape(len(x), -1, *y.shape[1:])


def synapse(op, v, sized=False):
    a, kind = op["attrs"], op["kind"]
    size = (lambda p: None if p is None else p.abs()) if sized else (lambda p: p)
    bias = None if sized else params.get(op["params"].get("bias"))
    if kind == "conv":
        top, left, bottom, right = a["pads"]
        same = top == bottom and left == right
        pad = (lambda x: x) if same else (lambda x: F.pad(x, (left, right, top, bottom)))
        return over(v, lambda x: F.conv2d(pad(x), size(params[op["params"]["weight"]]), bias, a["stride"], (top, left) if same else 0, a["dilation"], a["groups"]))
    if kind == "linear":
        return over(v, lambda x: F.linear(x, size(params[op["params"]["weight"]]), bias))
    if kind == "affine":
        scale, shift = size(parameter(op, "scale")), None if sized else parameter(op, "shift")
        return v * scale if shift is None else v * scale + shift
    gain, own = size(parameter(op, "gain")), None if sized else parameter(op, "bias")
    pooled = over(v, lambda x: F.avg_pool2d(x, a["kernel"], a["stride"])) if kind == "avgpool" else v.mean((3, 4), keepdim=True)
    pooled = pooled if gain is None else pooled * gain
    return pooled if own is None else pooled + own


shapes = {}
x = torch.from_numpy(np.fromfile(images, dtype=np.float32)).reshape(batch, *network["ops"][0]["attrs"]["shape"])


def forward():
    values, coming = {}, {}
    for op in network["ops"]:
        kind, ids = op["kind"], op["inputs"]
        v = values[ids[0]] if ids else None
        if kind == "input":
            r = x[None]
        elif kind in ("encode", "delay", "planes", "gather", "identity"):
            r = v
        elif kind == "neuron" and op["attrs"]["neuron"] == "FirstCrossing":
            r, coming[op["id"]] = crossing(op, v, coming.get(ids[0]))
        elif kind == "neuron":
            r = neuron(op, v)
        elif kind == "flatten":
            r = v.flatten(2)
        elif kind == "add":
            r = v + values[ids[1]]
        elif kind == "decode":
            r = v.mean(0)
        else:
            r = synapse(op, v)
        values[op["id"]] = r
        if kind != "neuron" and any(id in coming for id in ids):
            c = coming.get(ids[0])
            if kind == "flatten":
                c = c.flatten(2)
            elif kind == "add":
                c = sum(coming[id] for id in ids if id in coming)
            elif kind in ("conv", "linear", "affine", "avgpool", "globalavgpool"):
                c = synapse(op, c, True)
            coming[op["id"]] = c
    return values[network["outputs"][0]]


for op in network["ops"]:
    shapes[op["id"]] = op["type"]["shape"] if "type" in op else [0, 0, 0]

base = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
with torch.inference_mode():
    for line in sys.stdin:
        wall, cpu = time.perf_counter(), time.process_time()
        for _ in range(int(line)):
            result = forward()
        answer = {"seconds": time.perf_counter() - wall, "cpu": time.process_time() - cpu, "loss": float(result.abs().sum())}
        answer["step_mib"] = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - base) / 1024
        print(json.dumps(answer), flush=True)
