"""Losses of logits [steps, N, outputs], and of several terms: averaged over the batch, as spikec has them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

import detection

# losses that compare outputs with classes alone
OF_CLASSES = ("cross_entropy", "tet")


@dataclass
class Truth:
    """What outputs are compared with: classes [N], numbers [N, outputs], or boxes."""

    labels: Tensor
    # those that the samples are mixed with, and what is left of their own
    partners: Tensor | None = None
    share: float = 1.0
    # of the whole batch's labels, by the place of a loss among the terms: the mean weight of their classes
    weights: tuple[float, ...] = ()

    def to(self, device: torch.device) -> Truth:
        partners = None if self.partners is None else self.partners.to(device)
        return Truth(self.labels.to(device), partners, self.share, self.weights)

    def part(self, here: slice) -> Truth:
        partners = None if self.partners is None else self.partners[here]
        return Truth(self.labels[here], partners, self.share, self.weights)


def terms_of(spec: dict[str, Any]) -> list[tuple[float, dict[str, Any]]]:
    """Factors and losses of a sum, or of one loss."""
    if spec["kind"] != "sum":
        return [(1.0, spec)]
    return [(term["factor"], term["loss"]) for term in spec["terms"]]


def mean_weights(spec: dict[str, Any], labels: Tensor) -> tuple[float, ...]:
    """Of the classes of a whole batch, for each term; 1 for one that weighs no classes."""
    found = [loss.get("weights") if loss["kind"] == "cross_entropy" else None for _, loss in terms_of(spec)]
    return tuple(1.0 if w is None else float(torch.tensor(w, dtype=torch.float64)[labels].mean()) for w in found)


def gives_logits(spec: dict[str, Any]) -> bool:
    """Whether outputs are logits of numbers from 0 to 1."""
    kinds = {loss["kind"] for _, loss in terms_of(spec)} - {"firing"}
    return kinds == {"bce"}


def reads_firing(spec: dict[str, Any]) -> bool:
    """Whether a term is of how much layers fire."""
    return any(loss["kind"] == "firing" for _, loss in terms_of(spec))


def loss_of(spec: dict[str, Any], logits: Tensor, truth: Truth, rates: list[Tensor] | None = None) -> Tensor:
    """The loss of logits [steps, N, outputs]; of samples that are mixed, that of both labels by their shares.

    `rates`: how much the neurons of each layer fire in a step, in levels, on average.
    """
    total: Tensor | None = None
    for place, (factor, one) in enumerate(terms_of(spec)):
        mean_weight = truth.weights[place] if truth.weights else 1.0
        if one["kind"] == "firing":
            value = logits.new_zeros(()) if not rates else ((torch.stack(rates) - one["target"]) ** 2).mean()
        else:
            value = _one(one, logits, truth.labels, mean_weight)
            if truth.partners is not None:
                value = value * truth.share + _one(one, logits, truth.partners, mean_weight) * (1 - truth.share)
        value = value if factor == 1 else value * factor
        total = value if total is None else total + value
    assert total is not None
    return total


def _one(spec: dict[str, Any], logits: Tensor, labels: Tensor, mean_weight: float) -> Tensor:
    steps, n, classes = logits.shape
    if spec["kind"] == "yolo":
        return detection.loss(logits.sum(0) * (1 / steps), labels, spec)
    wanted = labels.to(logits.dtype)
    if labels.dim() == 1:
        wanted = functional.one_hot(labels, classes).to(logits.dtype)
        smoothing = spec.get("smoothing", 0)
        if smoothing:
            wanted = wanted * (1 - smoothing) + smoothing / classes
    if wanted.shape != (n, classes):
        raise SystemExit(f"a sample's labels are {list(wanted.shape[1:])} numbers, the network has {classes} outputs")
    if spec["kind"] == "tet":
        share, phi = spec.get("lambda", 0.05), spec.get("phi", 1)
        likelihood = (wanted * functional.log_softmax(logits, -1)).sum() / n
        away = logits - phi
        tet: Tensor = likelihood * (-(1 - share) / steps) + (away * away).sum() / n * (share / (steps * classes))
        return tet
    mean = logits.sum(0) * (1 / steps)
    if spec["kind"] == "cross_entropy":
        likelihood = wanted * functional.log_softmax(mean, -1)
        if "weights" in spec:
            likelihood = likelihood * mean.new_tensor(spec["weights"])
        loss: Tensor = -likelihood.sum() / (n * mean_weight)
        return loss
    return _each(spec, mean, wanted).sum() / n * (1 / classes)


def _each(spec: dict[str, Any], outputs: Tensor, wanted: Tensor) -> Tensor:
    """The losses that are means over all outputs, of each output [N, outputs]."""
    kind = spec["kind"]
    if kind == "mse":
        return (outputs - wanted) ** 2
    if kind == "l1":
        return (outputs - wanted).abs()
    if kind == "huber":
        return functional.huber_loss(outputs, wanted, reduction="none", delta=spec.get("delta", 1))
    if kind == "bce":
        weights = outputs.new_tensor(spec["weights"]) if "weights" in spec else None
        return functional.binary_cross_entropy_with_logits(outputs, wanted, pos_weight=weights, reduction="none")
    raise ValueError(f"no loss {kind}")
