"""Random changes of a batch that need as many random numbers as they need: erased rectangles, mixed samples."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from data import Stream, shuffled_by


class Drawn:
    """The numbers of a stream one after the other, from the one behind `given`."""

    def __init__(self, stream: Stream, given: int) -> None:
        self._stream = stream
        self.given = given
        self._ahead: list[float] = []

    def next(self) -> float:
        if not self._ahead:
            self._ahead = self._stream.numbers(self.given, 256).flip(0).tolist()
        self.given += 1
        return self._ahead.pop()

    def several(self, count: int) -> Tensor:
        self._ahead = []
        self.given += count
        return self._stream.numbers(self.given - count, count)


@dataclass
class Changes:
    """Of a batch: which samples are mirrored, shifted and scaled by how much, and the rectangle of each that becomes 0."""

    mirrored: Tensor
    dx: Tensor
    dy: Tensor
    scales: Tensor
    holes: list[tuple[int, int, int, int] | None]

    def moves(self, part: slice) -> tuple[Tensor, Tensor, Tensor]:
        return self.mirrored[part], self.dx[part], self.dy[part]

    def erase(self, images: Tensor, part: slice) -> None:
        for image, hole in zip(images, self.holes[part], strict=True):
            if hole is not None:
                top, left, height, width = hole
                image[..., top : top + height, left : left + width] = 0


def draw_changes(augment: dict[str, Any], raw: Tensor, frame: tuple[int, ...], drawn: Drawn) -> Changes:
    """For raw samples [n, ...] of frames [channels, rows, columns] (others have no rectangles); events are lost, and come late, in `raw`."""
    crop, scale = augment["crop"], augment.get("scale")
    rows: list[tuple[bool, int, int, float]] = []
    holes: list[tuple[int, int, int, int] | None] = []

    def shift() -> int:
        return math.floor(drawn.next() * (2 * crop + 1)) - crop if crop else 0

    for sample in raw:
        mirrored = bool(augment["flip"]) and drawn.next() < 0.5
        scaled = 1.0 if scale is None else 1 + scale * (2 * drawn.next() - 1)
        dx, dy = shift(), shift()
        rows.append((mirrored, dx, dy, scaled))
        holes.append(_hole(augment.get("erase"), frame, drawn))
        late = 0
        if augment.get("jitter") is not None:
            late = math.floor(drawn.next() * (2 * augment["jitter"] + 1)) - augment["jitter"]
        if augment.get("drop") is not None:
            _thin(sample, augment["drop"], drawn)
        _delay(sample, late)
    flags, dxs, dys, scales = zip(*rows, strict=True)
    return Changes(
        torch.tensor(flags), torch.tensor(dxs), torch.tensor(dys), torch.tensor(scales, dtype=torch.float64), holes
    )


def _thin(sample: Tensor, share: float, drawn: Drawn) -> None:
    """Each event is lost with that probability; a count of n is n events."""
    flat = sample.view(-1)
    counts = torch.floor(flat.double().abs() + 0.5).long()
    lost = drawn.several(int(counts.sum().item())) < share
    events = torch.repeat_interleave(torch.arange(len(flat)), counts)
    fewer = torch.zeros(len(flat), dtype=torch.float64).index_add_(0, events, lost.double())
    flat.copy_((flat.double() - flat.double().sign() * fewer).to(flat.dtype))


def _delay(sample: Tensor, late: int) -> None:
    """Frames of a recording come so many steps later."""
    steps = len(sample)
    held = sample.clone()
    if late > 0:
        sample[late:] = held[: steps - late]
        sample[:late] = 0
    elif late < 0:
        sample[:late] = held[-late:]
        sample[steps + late :] = 0


def _rounded(x: float) -> int:
    return math.floor(x + 0.5)


def _hole(erase: dict[str, Any] | None, shape: tuple[int, ...], drawn: Drawn) -> tuple[int, int, int, int] | None:
    if erase is None or len(shape) != 3:
        return None
    _, rows, columns = shape
    if drawn.next() >= erase["probability"]:
        return None
    for _ in range(10):
        area = (erase["min"] + (erase["max"] - erase["min"]) * drawn.next()) * rows * columns
        aspect = 0.3 ** (1 - 2 * drawn.next())
        height, width = _rounded(math.sqrt(area * aspect)), _rounded(math.sqrt(area / aspect))
        if height < 1 or width < 1 or height > rows or width > columns:
            continue
        top = math.floor(drawn.next() * (rows - height + 1))
        left = math.floor(drawn.next() * (columns - width + 1))
        return top, left, height, width
    return None


@dataclass
class Mixing:
    """The partner of each sample of a batch, what is left of a sample, and the rectangle that comes from its partner."""

    partners: list[int]
    share: float
    box: tuple[int, int, int, int] | None = None

    def images(self, images: Tensor) -> Tensor:
        """Samples [n, ...], frame by frame."""
        others = images[self.partners]
        if self.box is None:
            return (images.double() * self.share + others.double() * (1 - self.share)).float()
        top, left, bottom, right = self.box
        mixed = images.clone()
        mixed[..., top:bottom, left:right] = others[..., top:bottom, left:right]
        return mixed

    def numbers(self, numbers: Tensor) -> Tensor:
        return (numbers.double() * self.share + numbers[self.partners].double() * (1 - self.share)).float()


def draw_mixing(augment: dict[str, Any], count: int, shape: tuple[int, ...], drawn: Drawn) -> Mixing | None:
    """Mixup (Zhang et al. 2018) or cutmix (Yun et al. 2019) of a batch; with both, one of them at equal odds."""
    ways = [key for key in ("mixup", "cutmix") if augment.get(key) is not None]
    if not ways:
        return None
    cuts = ways[-1] == "cutmix" and (len(ways) == 1 or drawn.next() < 0.5)
    share = _beta(float(augment["cutmix" if cuts else "mixup"]), drawn)
    partners = shuffled_by(count, drawn.next)
    if not cuts:
        return Mixing(partners, share)
    rows, columns = shape[-2:]
    edge = math.sqrt(1 - share)
    y, x = math.floor(drawn.next() * rows), math.floor(drawn.next() * columns)
    high, wide = math.floor(rows * edge) // 2, math.floor(columns * edge) // 2
    top, bottom = max(0, y - high), min(rows, y + high)
    left, right = max(0, x - wide), min(columns, x + wide)
    share = 1 - ((bottom - top) * (right - left)) / (rows * columns)
    return Mixing(partners, share, (top, left, bottom, right))


def _beta(alpha: float, drawn: Drawn) -> float:
    """From Beta(alpha, alpha): Jöhnk's way."""
    while True:
        x, y = math.pow(drawn.next(), 1 / alpha), math.pow(drawn.next(), 1 / alpha)
        if 0 < x + y <= 1:
            return x / (x + y)
