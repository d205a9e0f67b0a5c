"""Detectors: what their outputs stand for, their loss, and mean average precision, as spikec has them."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

STRIDES = (8, 16, 32)
# a row of the labels: class (-1: no object), left, top, right, bottom in pixels
NUMBERS = 5


def grid(image: tuple[int, int], like: Tensor) -> tuple[Tensor, Tensor]:
    """Centres (x, y) in pixels [places, 2] and strides [places, 1], scale by scale, row by row."""
    centres, strides = [], []
    for stride in STRIDES:
        rows, columns = image[0] // stride, image[1] // stride
        y, x = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")
        centres.append((torch.stack([x, y], -1).reshape(-1, 2).to(like) + 0.5) * stride)
        strides.append(torch.full((rows * columns, 1), float(stride)).to(like))
    return torch.cat(centres), torch.cat(strides)


class Placed:
    """Outputs [N, places * (4 * bins + classes)] place by place."""

    def __init__(self, outputs: Tensor, image: tuple[int, int], bins: int) -> None:
        centres, strides = grid(image, outputs)
        rows = outputs.reshape(len(outputs), len(centres), -1)
        self.centres, self.strides = torch.cat([centres, centres], -1), strides
        # [N, places, classes], logits
        self.scores = rows[..., 4 * bins :]
        # [N, places, 4, bins]
        self.likelihood = functional.log_softmax(rows[..., : 4 * bins].reshape(*rows.shape[:-1], 4, bins), -1)
        self.positions = torch.arange(bins).to(outputs)
        distances = (self.likelihood.exp() * self.positions).sum(-1)
        self.away = strides * torch.tensor([-1.0, -1.0, 1.0, 1.0]).to(outputs)
        # [N, places, 4]: left, top, right, bottom in pixels
        self.boxes = distances * self.away + self.centres


def complete_overlap(first: Tensor, second: Tensor) -> Tensor:
    """Complete IoU (Zheng et al. 2020) of boxes [..., 4] under broadcasting; its trade-off has no gradient."""
    epsilon = 1e-7
    l1, t1, r1, b1 = first.unbind(-1)
    l2, t2, r2, b2 = second.unbind(-1)
    w1, h1, w2, h2 = r1 - l1, b1 - t1 + epsilon, r2 - l2, b2 - t2 + epsilon
    wide = (torch.minimum(r1, r2) - torch.maximum(l1, l2)).clamp_min(0)
    high = (torch.minimum(b1, b2) - torch.maximum(t1, t2)).clamp_min(0)
    shared = wide * high
    overlap = shared / (w1 * h1 + w2 * h2 - shared + epsilon)
    diagonal = (torch.maximum(r1, r2) - torch.minimum(l1, l2)) ** 2
    diagonal = diagonal + (torch.maximum(b1, b2) - torch.minimum(t1, t2)) ** 2 + epsilon
    distance = ((l2 + r2 - l1 - r1) ** 2 + (t2 + b2 - t1 - b1) ** 2) / 4
    skew = (torch.atan(w2 / h2) - torch.atan(w1 / h1)) ** 2 * (4 / math.pi**2)
    trade_off = (skew / (skew - overlap + (1 + epsilon))).detach()
    return overlap - (distance / diagonal + skew * trade_off)


@torch.no_grad()
def assigned(placed: Placed, labels: Tensor, spec: dict[str, Any]) -> tuple[Tensor, Tensor]:
    """Task-aligned assignment (Feng et al. 2021): target scores [N, places, classes] and boxes [N, places, 4]."""
    scores, boxes = placed.scores.detach(), placed.boxes.detach()
    owner, true = labels[..., :1], labels[..., 1:]
    x, y = placed.centres[:, 0], placed.centres[:, 1]
    left, top, right, bottom = (side.unsqueeze(-1) for side in true.unbind(-1))
    nearest_edge = torch.minimum(torch.minimum(x - left, right - x), torch.minimum(y - top, bottom - y))
    inside = ((nearest_edge > 1e-9) & (owner >= 0)).to(scores)
    overlaps = complete_overlap(true.unsqueeze(2), boxes.unsqueeze(1)).clamp_min(0) * inside
    one_hot = (owner == torch.arange(scores.shape[-1], device=scores.device)).to(scores)
    likely = one_hot @ scores.sigmoid().transpose(1, 2)
    alignment = likely ** spec["alpha"] * overlaps ** spec["beta"]
    # the greatest, the first of equal ones
    best = alignment.sort(dim=-1, descending=True, stable=True).indices[..., : spec["top"]]
    wanted = torch.zeros_like(alignment).scatter_(-1, best, 1.0) * inside
    first = overlaps.sort(dim=1, descending=True, stable=True).indices[:, :1]
    nearest = torch.zeros_like(alignment).scatter_(1, first, 1.0)
    taken = torch.where(wanted.sum(1, keepdim=True) > 1, nearest, wanted)
    aligned = alignment * taken
    scale = (overlaps * taken).amax(-1, keepdim=True) / (aligned.amax(-1, keepdim=True) + 1e-9)
    scaled = (aligned * scale).amax(1)
    return (taken.transpose(1, 2) @ one_hot) * scaled.unsqueeze(-1), taken.transpose(1, 2) @ true


def loss(outputs: Tensor, labels: Tensor, spec: dict[str, Any]) -> Tensor:
    """box * (1 - CIoU) + cls * BCE + dfl * DFL of outputs [N, ...] and labels [N, objects * 5]."""
    bins = spec["bins"]
    placed = Placed(outputs, spec["image"], bins)
    scores, boxes = assigned(placed, labels.to(outputs).reshape(len(labels), -1, NUMBERS), spec)
    total = scores.sum().clamp_min(1)
    weights = scores.sum(-1)
    named = functional.binary_cross_entropy_with_logits(placed.scores, scores, reduction="sum") / total
    apart = ((1 - complete_overlap(placed.boxes, boxes)) * weights).sum() / total
    wanted = ((boxes - placed.centres) / placed.away).clamp(0, bins - 1.01)
    share = (1 - (placed.positions - wanted.unsqueeze(-1)).abs()).clamp_min(0)
    surprise = -(share * placed.likelihood).sum(-1).mean(-1)
    spread = (surprise * weights).sum() / total
    result: Tensor = apart * spec["box"] + spread * spec["dfl"] + named * spec["cls"]
    return result


# -- precision ---------------------------------------------------------------------------------------------------------


def overlap(one: Tensor, others: Tensor) -> Tensor:
    """Intersection over union of a box with several; 0 where they share nothing."""
    wide = torch.minimum(one[2], others[:, 2]) - torch.maximum(one[0], others[:, 0])
    high = torch.minimum(one[3], others[:, 3]) - torch.maximum(one[1], others[:, 1])
    shared = wide.clamp_min(0) * high.clamp_min(0)
    area = (others[:, 2] - others[:, 0]) * (others[:, 3] - others[:, 1])
    union = (one[2] - one[0]) * (one[3] - one[1]) + area - shared
    return torch.where(shared > 0, shared / union, torch.zeros_like(shared))


@torch.no_grad()
def detections(
    outputs: Tensor, image: tuple[int, int], bins: int, least: float = 0.001, most_overlap: float = 0.7, most: int = 300
) -> list[list[tuple[int, float, Tensor]]]:
    """Class, score and box of what each sample's outputs stand for, the best first, after non-maximum suppression."""
    placed = Placed(outputs.double().cpu(), image, bins)
    found = []
    for scores, boxes in zip(placed.scores.sigmoid(), placed.boxes, strict=True):
        places, names = (scores > least).nonzero(as_tuple=True)
        order = scores[places, names].sort(descending=True, stable=True).indices[:30_000]
        kept: list[tuple[int, float, Tensor]] = []
        by_class: dict[int, list[Tensor]] = {}
        for i in order.tolist():
            if len(kept) == most:
                break
            name, box = int(names[i]), boxes[places[i]]
            better = by_class.setdefault(name, [])
            if better and bool((overlap(box, torch.stack(better)) > most_overlap).any()):
                continue
            better.append(box)
            kept.append((name, float(scores[places[i], name]), box))
        found.append(kept)
    return found


class Precision:
    """Mean average precision by COCO's rule: the mean at overlaps of 0.5, 0.55 ... 0.95, over the classes with objects."""

    def __init__(self, classes: int) -> None:
        self.judged: list[list[tuple[float, list[bool]]]] = [[] for _ in range(classes)]
        self.objects = [0] * classes
        self.thresholds = [0.5 + 0.05 * i for i in range(10)]

    def add(self, found: list[tuple[int, float, Tensor]], labels: Tensor) -> None:
        """One image: its boxes, the best first, and its labels [objects, 5]."""
        for name, judged in enumerate(self.judged):
            true = labels[labels[:, 0] == name, 1:].double()
            self.objects[name] += len(true)
            free = [torch.ones(len(true), dtype=torch.bool) for _ in self.thresholds]
            for _, score, box in [one for one in found if one[0] == name][:100]:
                over = overlap(box, true)
                right = []
                for left, threshold in zip(free, self.thresholds, strict=True):
                    able = torch.where(left & (over >= threshold), over, torch.full_like(over, -1.0))
                    best = int(able.argmax()) if len(able) and bool((able >= 0).any()) else -1
                    if best >= 0:
                        left[best] = False
                    right.append(best >= 0)
                judged.append((score, right))

    def result(self) -> dict[str, float]:
        each = [self._average(judged, count) for judged, count in zip(self.judged, self.objects, strict=True) if count]
        if not each:
            return {"map50": 0.0, "map": 0.0}
        return {
            "map50": sum(one[0] for one in each) / len(each),
            "map": sum(sum(one) / len(one) for one in each) / len(each),
        }

    def _average(self, judged: list[tuple[float, list[bool]]], count: int) -> list[float]:
        order = sorted(judged, key=lambda one: -one[0])
        averages = []
        for k in range(len(self.thresholds)):
            right, curve = 0, []
            for n, (_, hits) in enumerate(order, 1):
                right += hits[k]
                curve.append((right / count, right / n))
            falling = 0.0
            for i in range(len(curve) - 1, -1, -1):
                falling = max(falling, curve[i][1])
                curve[i] = (curve[i][0], falling)
            at = 0
            total = 0.0
            for recall in (i / 100 for i in range(101)):
                while at < len(curve) and curve[at][0] < recall:
                    at += 1
                total += curve[at][1] if at < len(curve) else 0.0
            averages.append(total / 101)
        return averages


# -- data --------------------------------------------------------------------------------------------------------------


def load_coco(spec: str, shape: tuple[int, ...]) -> tuple[Tensor, Tensor]:
    """`coco:FOLDER,ANNOTATIONS.json` in frames of `shape` [channels, rows, columns]: bytes, and rows of objects [N, most * 5]."""
    try:
        from PIL import Image
    except ImportError as error:
        raise SystemExit("images of a coco: data set are read by Pillow: pip install pillow") from error
    folder, _, file = spec.partition(":")[2].rpartition(",")
    said = json.loads(Path(file).read_text())
    names = {one: label for label, one in enumerate(sorted(category["id"] for category in said["categories"]))}
    objects: dict[int, list[list[float]]] = {one["id"]: [] for one in said["images"]}
    for one in said["annotations"]:
        left, top, wide, high = one["bbox"]
        if one.get("iscrowd") != 1 and wide > 0 and high > 0:
            objects[one["image_id"]].append([names[one["category_id"]], left, top, left + wide, top + high])
    most = max(len(each) for each in objects.values())
    images = torch.full((len(objects), *shape), 114, dtype=torch.uint8)
    labels = torch.zeros(len(objects), most, NUMBERS)
    labels[..., 0] = -1
    for i, one in enumerate(said["images"]):
        with Image.open(Path(folder) / one["file_name"]) as opened:
            picture = opened.convert("L" if shape[0] == 1 else "RGB")
            raw = torch.frombuffer(bytearray(picture.tobytes()), dtype=torch.uint8)
            raw = raw.reshape(picture.height, picture.width, -1).permute(2, 0, 1)
        rows, columns = raw.shape[1:]
        factor = min(shape[1] / rows, shape[2] / columns)
        size = (max(1, math.floor(rows * factor + 0.5)), max(1, math.floor(columns * factor + 0.5)))
        top, left = (shape[1] - size[0]) // 2, (shape[2] - size[1]) // 2
        scaled = raw
        if size != (rows, columns):
            near = functional.interpolate(raw[None].double(), size=size, mode="bilinear", align_corners=False)
            scaled = torch.floor(near[0] + 0.5).to(torch.uint8)
        images[i, :, top : top + size[0], left : left + size[1]] = scaled
        across, down = size[1] / columns, size[0] / rows
        for k, (name, *box) in enumerate(objects[one["id"]]):
            west, east = (min(max(box[j], 0), columns) * across + left for j in (0, 2))
            north, south = (min(max(box[j], 0), rows) * down + top for j in (1, 3))
            labels[i, k] = torch.tensor([name, west, north, east, south])
    return images, labels.flatten(1)


def moved(labels: Tensor, frame: tuple[int, int], mirrored: Tensor, dx: Tensor, dy: Tensor) -> Tensor:
    """Labels [n, objects * 5] where a flip and a shift put the pixels, cut at the border; too little left is no object."""
    rows = labels.reshape(len(labels), -1, NUMBERS).double()
    high, wide = frame
    name, left, top, right, bottom = rows.unbind(-1)
    left, right = left - dx[:, None], right - dx[:, None]
    left, right = (
        torch.where(mirrored[:, None], wide - right, left),
        torch.where(mirrored[:, None], wide - left, right),
    )
    top, bottom = top - dy[:, None], bottom - dy[:, None]
    cut = [left.clamp(0, wide), top.clamp(0, high), right.clamp(0, wide), bottom.clamp(0, high)]
    w, h = cut[2] - cut[0], cut[3] - cut[1]
    still = (mirrored | (dx != 0) | (dy != 0)).logical_not()[:, None]
    stays = (w > 2) & (h > 2) & (w * h / ((right - left) * (bottom - top)) > 0.1) & (name >= 0)
    placed = torch.stack([name, *cut], -1)
    none = torch.zeros_like(placed)
    none[..., 0] = -1
    found = torch.where(stays.unsqueeze(-1), placed, none)
    return torch.where(still.unsqueeze(-1), rows, found).flatten(1).to(labels.dtype)
