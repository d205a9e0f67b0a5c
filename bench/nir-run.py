"""Runs NIR files on frames, with the tools that read them or as the format says.

Standard input: a JSON list of jobs {key, file, frames, tool, dt}; `frames` is a safetensors file with x [T, N, ...].
Writes found.safetensors, y [T * N, ...] of each key, and said.json: what failed, and under "reads" what nir.read says of a file.
Tools: euler (nir.read, and each node's equations in float64 with step dt), snntorch, norse, sinabs, each from states of 0.
"""

import json
import logging
import sys
import warnings

import nir
import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch.nn import functional

logging.disable(logging.WARNING)
warnings.filterwarnings("ignore")

SPIKING = (nir.IF, nir.LIF, nir.CubaLIF)
STATEFUL = (*SPIKING, nir.I, nir.LI, nir.CubaLI)


def reads(path):
    """A graph, and what the check of types says of it."""
    try:
        return nir.read(path), "accepted"
    except Exception as error:
        strict = f"{type(error).__name__}: {error}".split("\n")[0]
    try:
        return nir.read(path, type_check=False), f"unchecked ({strict[:90]})"
    except Exception:
        return None, f"refused ({strict[:90]})"


def opened(path):
    graph, said = reads(path)
    if graph is None:
        raise ValueError(f"nir.read: {said}")
    return graph


def flat(graph, prefix=""):
    """Nodes and edges of a graph and of those in it."""
    nodes, edges = {}, set()
    for name, node in graph.nodes.items():
        if isinstance(node, nir.NIRGraph):
            inner, between = flat(node, f"{prefix}{name}.")
            nodes |= inner
            edges |= between
        else:
            nodes[prefix + name] = node

    def port(name, kind):
        node, full = graph.nodes[name], prefix + name
        while isinstance(node, nir.NIRGraph):
            [(inner, node)] = [(n, one) for n, one in node.nodes.items() if isinstance(one, kind)]
            full = f"{full}.{inner}"
        return full

    edges |= {(port(a, nir.Output), port(b, nir.Input)) for a, b in graph.edges}
    return nodes, edges


def in_order(nodes, edges):
    """Names after those that they read, and the edges that are read a step late: out of a cycle's neurons farthest from the input."""
    distance = {name: 0 for name, node in nodes.items() if isinstance(node, nir.Input) and not any(b == name for _, b in edges)}
    front = list(distance)
    while front:
        name = front.pop(0)
        for a, b in edges:
            if a == name and b not in distance:
                distance[b] = distance[a] + 1
                front.append(b)
    late = set()
    while True:
        ready, order = set(), []
        while more := [n for n in nodes if n not in ready and all(a in ready for a, b in edges - late if b == n)]:
            order += more
            ready |= set(more)
        if len(order) == len(nodes):
            return order, late
        left = {e for e in edges - late if e[0] not in ready and e[1] not in ready}
        within = [e for e in left if reaches(left, e[1], e[0]) and isinstance(nodes[e[0]], STATEFUL)]
        if not within:
            raise ValueError("a cycle without neurons")
        late.add(max(within, key=lambda e: distance.get(e[0], 0)))


def reaches(edges, start, goal):
    seen, front = {start}, [start]
    while front:
        name = front.pop()
        if name == goal:
            return True
        for a, b in edges:
            if a == name and b not in seen:
                seen.add(b)
                front.append(b)
    return False


def wide(value):
    return torch.from_numpy(np.atleast_1d(np.asarray(value, dtype=np.float64)))


def pair(value):
    return tuple(int(v) for v in np.broadcast_to(np.asarray(value), (2,)))


def padding_of(node, axes):
    if isinstance(node.padding, str):
        return node.padding
    return tuple(int(v) for v in np.broadcast_to(np.asarray(node.padding), (axes,)))


def per_neuron(value, x):
    value = wide(value)
    return value.reshape(x.shape) if value.numel() == x.numel() else value


def without_state(node, x):
    """What a node without a state makes of one sample."""
    if isinstance(node, (nir.Affine, nir.Linear)):
        y = wide(node.weight) @ x.flatten()
        return y + wide(node.bias).flatten() if isinstance(node, nir.Affine) else y
    if isinstance(node, (nir.Conv1d, nir.Conv2d)):
        axes = 1 if isinstance(node, nir.Conv1d) else 2
        conv = functional.conv1d if axes == 1 else functional.conv2d
        stride, dilation = (tuple(int(v) for v in np.broadcast_to(np.asarray(o), (axes,))) for o in (node.stride, node.dilation))
        inner = x.reshape(x.shape[0], -1) if axes == 1 else x
        return conv(inner[None], wide(node.weight), wide(node.bias).flatten(), stride, padding_of(node, axes), dilation, int(node.groups))[0]
    if isinstance(node, (nir.SumPool2d, nir.AvgPool2d)):
        kernel = pair(node.kernel_size)
        pooled = functional.avg_pool2d(x[None], kernel, pair(node.stride), pair(node.padding))[0]
        return pooled * kernel[0] * kernel[1] if isinstance(node, nir.SumPool2d) else pooled
    if isinstance(node, nir.Flatten):
        return x.flatten()
    if isinstance(node, nir.Scale):
        return x * per_neuron(node.scale, x)
    if isinstance(node, nir.Threshold):
        return (x > per_neuron(node.threshold, x)).double()
    if isinstance(node, (nir.Input, nir.Output)):
        return x
    raise ValueError(f"{type(node).__name__} isn't run here")


def step(node, x, state, dt):
    """One forward Euler step of neurons."""

    def of(name):
        return per_neuron(getattr(node, name), x)

    if isinstance(node, (nir.CubaLIF, nir.CubaLI)):
        i, v = state if state is not None else (torch.zeros_like(x), torch.zeros_like(x))
        i = i + dt / of("tau_syn") * (of("w_in") * x - i)
        v = v + dt / of("tau_mem") * (of("v_leak") - v + of("r") * i)
    else:
        v = state[1] if state is not None else torch.zeros_like(x)
        i = None
        if isinstance(node, (nir.I, nir.IF)):
            v = v + dt * of("r") * x
        else:
            v = v + dt / of("tau") * (of("v_leak") - v + of("r") * x)
    if not isinstance(node, SPIKING):
        return v, (i, v)
    spikes = v > of("v_threshold")
    return spikes.double(), (i, torch.where(spikes, of("v_reset").expand_as(v), v))


def delayed(node, past, dt):
    x = past[-1]
    by = [round(float(d) / dt) for d in per_neuron(node.delay, x).expand_as(x).flatten()]
    flat_past = [one.flatten() for one in past]
    return torch.stack([flat_past[-1 - d][i] if d < len(past) else torch.zeros(()).double() for i, d in enumerate(by)]).reshape(x.shape)


def euler(graph, x, dt):
    nodes, edges = flat(graph)
    order, late = in_order(nodes, edges)
    [source] = [n for n in nodes if isinstance(nodes[n], nir.Input) and not any(b == n for _, b in edges)]
    [sink] = [n for n in nodes if isinstance(nodes[n], nir.Output) and not any(a == n for a, _ in edges)]
    trains = []
    for n in range(x.shape[1]):
        states, before, past, ys = {}, {}, {}, []
        for t in range(x.shape[0]):
            now = {}
            for name in order:
                node = nodes[name]
                if name == source:
                    now[name] = x[t, n].double()
                    continue
                read = [now[a] for a, b in sorted(edges - late) if b == name]
                for a, b in sorted(late):
                    if b == name:
                        back = before.get(a)
                        # nothing has come back before the first step
                        read.append(wide(0.0) if back is None else back)
                current = sum(read)
                if isinstance(node, nir.Delay):
                    past.setdefault(name, []).append(current)
                    now[name] = delayed(node, past[name], dt)
                elif isinstance(node, STATEFUL):
                    now[name], states[name] = step(node, current, states.get(name), dt)
                else:
                    if isinstance(node, (nir.Affine, nir.Linear)) and current.numel() == 1:
                        current = current.flatten().expand(node.weight.shape[-1])
                    now[name] = without_state(node, current)
            before = now
            ys.append(now[sink])
        trains.append(torch.stack(ys))
    return torch.stack(trains, 1)


def of_tool(tool, path, x):
    graph = opened(path)
    if tool == "sinabs":
        from sinabs.nir import from_nir

        y = from_nir(graph, batch_size=x.shape[1])(x.transpose(0, 1).flatten(0, 1))
        y = y[0] if isinstance(y, tuple) else y
        return y.reshape(x.shape[1], x.shape[0], *y.shape[1:]).transpose(0, 1)

    def built():
        if tool == "norse":
            import norse.torch

            return norse.torch.from_nir(graph)
        from snntorch.import_nir import import_from_nir

        return import_from_nir(opened(path))

    # one input after another: NIR's axes have no batch, and Flatten takes whatever axis is first
    trains = []
    for n in range(x.shape[1]):
        net, state, ys = built(), None, []
        for t in range(x.shape[0]):
            y, state = net(x[t, n], state)
            ys.append(y)
        trains.append(torch.stack(ys))
    return torch.stack(trains, 1)


def main():
    found, said, seen = {}, {}, {}
    for job in json.load(sys.stdin):
        key, path = job["key"], job["file"]
        if job["tool"] == "reads":
            seen[key] = reads(path)[1]
            continue
        x = load_file(job["frames"])["x"]
        try:
            with torch.no_grad():
                y = euler(opened(path), x, job["dt"]) if job["tool"] == "euler" else of_tool(job["tool"], path, x)
            found[key] = y.flatten(0, 1).double().contiguous()
        except Exception as error:
            said[key] = f"{type(error).__name__}: {error}"[:200]
    save_file(found, "found.safetensors")
    with open("said.json", "w", encoding="utf-8") as file:
        json.dump({"failed": said, "reads": seen}, file)


main()
