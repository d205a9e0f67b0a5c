"""Learned bits: their penalties, when they settle, and the renewal of step sizes when they change (ABA)."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, distributed, nn

from layers import whole

Named = dict[str, Tensor]
Fixed = int | dict[str, Any]

NEAR_SETTLED, ON_ITS_WAY, LATELY = 0.1, 0.05, 0.1
NEAR_RENEWED, MOMENTUM = 0.24, 0.9
CANDIDATES, POWER, SAMPLED = 100, 2.4, 16384


def now(bits: Fixed, params: Named) -> int:
    """Bits or steps as they stand: given, or rounded within 1 ... most."""
    if isinstance(bits, int):
        return bits
    return int(min(bits["most"], max(1, round(params[bits["param"]].item()))))


def mean_bits(holders: list[dict[str, Any]], params: Named) -> float:
    total = sum(holder["size"] for holder in holders)
    return float(sum(now(holder["bits"], params) * holder["size"] for holder in holders) / total)


def penalty(term: dict[str, Any], params: Named) -> Tensor:
    """The term of the loss of one target: its distance from the mean of the bits, or the square, times lambda."""
    total = sum(holder["size"] for holder in term["holders"])
    parts = [whole(params[h["bits"]["param"]].reshape(())) * (h["size"] / total) for h in term["holders"]]
    mean: Tensor = parts[0]
    for part in parts[1:]:
        mean = mean + part
    away = mean - term["target"]
    distance: Tensor = away * away if term["distance"] == "square" else away.abs()
    return distance * float(term["penalty"])


def record(holders: dict[str, list[dict[str, Any]]], params: Named) -> dict[str, Any] | None:
    """Bits by layer, and their means; None where none is learned."""
    if not any(isinstance(one["bits"], dict) for of in holders.values() for one in of):
        return None
    layers: dict[str, dict[str, int]] = {}
    means: dict[str, Any] = {}
    for kind, of in holders.items():
        for one in of:
            layers.setdefault(one["layer"], {})[kind] = now(one["bits"], params)
        if of:
            means[kind] = mean_bits(of, params)
    return {**means, "layers": layers}


class Settling:
    """Learned bits stay from a share of the training on, once their mean is near its target."""

    def __init__(self, terms: list[dict[str, Any]], settle: float | None, state: list[dict[str, Any]] | None) -> None:
        self._terms = terms
        self._settle = settle
        self.state = state or [{"settled": False} for _ in terms]

    def staying(self) -> set[str]:
        """Parameters that stay as they are."""
        return {
            holder["bits"]["param"]
            for term, state in zip(self._terms, self.state, strict=True)
            if state["settled"]
            for holder in term["holders"]
        }

    def look(self, params: Named, step: int, share: float) -> list[dict[str, Any]]:
        events = []
        settle = math.inf if self._settle is None else self._settle
        for term, state in zip(self._terms, self.state, strict=True):
            if state["settled"]:
                continue
            mean = mean_bits(term["holders"], params)
            distance = abs(mean - term["target"])
            if share < settle - LATELY:
                state["before"] = min(state.get("before", distance), distance)
                continue
            nearest = min(state.get("nearest", distance), distance)
            approaches = "before" in state and nearest < state["before"] - ON_ITS_WAY
            near = distance <= NEAR_SETTLED or (distance <= nearest and not approaches)
            state["nearest"] = nearest
            state["settled"] = share >= (1 + settle) / 2 or (share >= settle and near)
            if state["settled"]:
                events.append({"step": step, "kind": term["kind"], "target": term["target"], "mean": mean})
        return events


def _bounds(bits: int, signed: bool) -> tuple[int, int]:
    if signed and bits == 1:
        return -1, 1
    return (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)


def initial_step(values: Tensor, bits: int, signed: bool) -> float:
    """2 mean|x| / sqrt(hi); 1 where all is 0."""
    mean = values.double().abs().mean().item() if values.numel() else 0.0
    return 1.0 if mean == 0 else 2 * mean / math.sqrt(_bounds(bits, signed)[1])


def step_of(lo: float, hi: float, bits: int) -> float:
    return (hi - lo) / _bounds(bits, False)[1]


def best_range(values: Tensor, bits: int, signed: bool) -> tuple[float, float] | None:
    """The clipping range that quantises values to some bits with the least error (ABA Alg. 2)."""
    flat = values.detach().reshape(-1).double()
    hi = max(0.0, flat.max().item())
    lo = min(0.0, flat.min().item()) if signed else 0.0
    if hi - lo <= 0:
        return None
    least, most = _bounds(bits, signed)
    farthest = max(hi / most if most > 0 else 0.0, lo / least if least < 0 else 0.0)
    step = step_of(lo, hi, bits)
    last = max(CANDIDATES, math.ceil(CANDIDATES * farthest / step)) if step > 0 else CANDIDATES
    sample = flat[:: max(1, flat.numel() // SAMPLED)]
    best, range_ = math.inf, None
    for i in range(1, last + 1):
        candidate = (lo * i / CANDIDATES, hi * i / CANDIDATES)
        size = step_of(*candidate, bits)
        v = sample / size
        codes = torch.where(v >= 0, 1.0, -1.0) if signed and bits == 1 else torch.round(v).clamp(least, most)
        error = (sample - size * codes).abs().pow(POWER).sum().item()
        if range_ is None or error < best:
            best, range_ = error, candidate
    return range_


def _gathered(x: Tensor, steps: int) -> Tensor:
    """The currents of all processes, as one process would have them."""
    if not distributed.is_initialized() or distributed.get_world_size() == 1:
        return x
    parts = [torch.empty_like(x) for _ in range(distributed.get_world_size())]
    distributed.all_gather(parts, x.contiguous())
    apart = [part.reshape(steps, x.shape[0] // steps, *x.shape[1:]) for part in parts]
    return torch.cat(apart, 1).flatten(0, 1)


class StepSizes:
    """Step sizes that follow the data: where they start, and their renewal when bits change."""

    def __init__(self, quantised: list[dict[str, Any]], terms: list[dict[str, Any]], renewal: str) -> None:
        self._quantised = quantised
        self._terms = terms
        self._renewal = renewal
        self.state: dict[str, Any] = {"observers": {}, "targets": []}

    def start(self, network: nn.Module, run: Callable[[], object], params: Named) -> None:
        """Step sizes of neurons from the first batch, each on what those before it give."""

        def set_step(one: dict[str, Any], x: Tensor) -> None:
            size = initial_step(_gathered(x, one["steps"]), now(one["bits"], params), one["signed"])
            params[one["step"]].data.fill_(size)

        self._observed(network, run, [one for one in self._quantised if one["kind"] == "spikes"], set_step)
        self.state["observers"] = {one["step"]: {"bits": now(one["bits"], params)} for one in self._quantised}
        self.state["targets"] = [
            {"distance": abs(mean_bits(term["holders"], params) - term["target"]), "ended": False}
            for term in self._terms
        ]

    def renew(
        self, network: nn.Module, run: Callable[[], object], params: Named, step: int
    ) -> list[dict[str, Any]]:
        """Renews step sizes whose bits have changed, before a step."""
        if self._renewal == "none":
            return []
        events: list[dict[str, Any]] = []
        waiting = []
        for one in self._quantised:
            bits, last = now(one["bits"], params), self.state["observers"][one["step"]]
            if bits == last["bits"]:
                continue
            group = next(
                (
                    i
                    for i, term in enumerate(self._terms)
                    if term["kind"] == one["kind"] and any(h["op"] == one["layer"] for h in term["holders"])
                ),
                None,
            )
            on = group is not None and not self.state["targets"][group]["ended"]
            if on and self._renewal in ("all", one["kind"]):
                waiting.append({**one, "from": last["bits"], "to": bits})
            else:
                last["bits"] = bits

        def found(one: dict[str, Any], x: Tensor) -> None:
            last = self.state["observers"][one["step"]]
            last["bits"] = one["to"]
            values = params[one["weight"]] if one["kind"] == "weights" else _gathered(x, one["steps"])
            new = best_range(values, one["to"], one["signed"])
            if new is None:
                return
            lo, hi = new
            if "range" in last:
                old = last["range"]
                lo, hi = ((1 - MOMENTUM) * old[k] + MOMENTUM * v for k, v in (("lo", lo), ("hi", hi)))
            last["range"] = {"lo": lo, "hi": hi}
            before = params[one["step"]].item()
            params[one["step"]].data.fill_(step_of(lo, hi, one["to"]))
            after = params[one["step"]].item()
            events.append(
                {
                    "step": step,
                    "layer": one["layer"],
                    "kind": one["kind"],
                    "bits": {"from": one["from"], "to": one["to"]},
                    "step_size": {"from": before, "to": after},
                }
            )

        if all(one["kind"] == "weights" for one in waiting):
            for one in waiting:
                found(one, torch.zeros(0))
        else:
            self._observed(network, run, waiting, found)
        # behind the renewal: the change that brought the mean near to its target is renewed still
        for term, target in zip(self._terms, self.state["targets"], strict=True):
            away = abs(mean_bits(term["holders"], params) - term["target"])
            target["ended"] = target["ended"] or away < NEAR_RENEWED * target["distance"]
        return events

    def _observed(
        self,
        network: nn.Module,
        run: Callable[[], object],
        wanted: list[dict[str, Any]],
        see: Callable[[dict[str, Any], Tensor], None],
    ) -> None:
        """
        Runs the network without a trace, and shows each wanted layer's input before the layer is run. Neurons of a cycle are
        shown the currents of all steps behind the last; what is behind them is run again.
        """
        waiting = {id(one): one for one in wanted}
        kept = {name: buffer.clone() for name, buffer in network.named_buffers()}
        again = True
        while again and waiting:
            again = False
            stops = [stop for one in wanted if id(one) in waiting for stop in _watched(network, one, waiting, see)]
            try:
                with torch.no_grad():
                    run()
            except _RunAgain:
                again = True
            finally:
                for stop in stops:
                    stop()
                for name, buffer in network.named_buffers():
                    buffer.copy_(kept[name])


class _RunAgain(Exception):
    """A cycle has been run to its end, with a step size that is another one now."""


def _watched(
    network: nn.Module,
    one: dict[str, Any],
    waiting: dict[int, dict[str, Any]],
    see: Callable[[dict[str, Any], Tensor], None],
) -> list[Callable[[], object]]:
    """Shows the input of a layer that is waited for, once; what ends it."""
    module: Any = network.get_submodule(one["module"])

    def hook(_: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        if waiting.pop(id(one), None) is not None:
            see(one, inputs[0].detach())

    stops: list[Callable[[], object]] = [module.register_forward_pre_hook(hook).remove]
    step = getattr(module, "step", None)
    if one["kind"] != "spikes" or not callable(step):
        return stops
    currents: list[Tensor] = []

    def stepped(x: Tensor, states: Any, learned: Any, t: int, *more: Any) -> Any:
        made = step(x, states, learned, t, *more)
        if id(one) in waiting:
            currents.append(x.detach())
            if len(currents) == one["steps"]:
                del waiting[id(one)]
                see(one, torch.cat(currents))
                raise _RunAgain
        return made

    module.__dict__["step"] = stepped
    return [*stops, lambda: module.__dict__.pop("step")]
