"""The loss of a detector, written a second time with loops over images and objects: what the test compares with."""

import json
import math
import sys

import torch
import torch.nn.functional as F


def ciou(a, b, eps=1e-7):
    """Complete IoU of boxes [.., 4] (left, top, right, bottom)."""
    w1, h1 = a[..., 2] - a[..., 0], a[..., 3] - a[..., 1] + eps
    w2, h2 = b[..., 2] - b[..., 0], b[..., 3] - b[..., 1] + eps
    wide = (torch.minimum(a[..., 2], b[..., 2]) - torch.maximum(a[..., 0], b[..., 0])).clamp(0)
    high = (torch.minimum(a[..., 3], b[..., 3]) - torch.maximum(a[..., 1], b[..., 1])).clamp(0)
    shared = wide * high
    iou = shared / (w1 * h1 + w2 * h2 - shared + eps)
    cw = torch.maximum(a[..., 2], b[..., 2]) - torch.minimum(a[..., 0], b[..., 0])
    ch = torch.maximum(a[..., 3], b[..., 3]) - torch.minimum(a[..., 1], b[..., 1])
    rho = ((b[..., 0] + b[..., 2] - a[..., 0] - a[..., 2]) ** 2 + (b[..., 1] + b[..., 3] - a[..., 1] - a[..., 3]) ** 2) / 4
    v = 4 / math.pi**2 * (torch.atan(w2 / h2) - torch.atan(w1 / h1)) ** 2
    with torch.no_grad():
        alpha = v / (v - iou + (1 + eps))
    return iou - (rho / (cw**2 + ch**2 + eps) + v * alpha)


def assign(scores, boxes, centres, objects, top, alpha, beta):
    """One image: the object of each place (-1: none) and its target score."""
    places = len(boxes)
    owner = [-1] * places
    target = torch.zeros(places, dtype=boxes.dtype)
    if not objects:
        return owner, target
    overlap = torch.zeros(len(objects), places, dtype=boxes.dtype)
    align = torch.zeros_like(overlap)
    wanted = torch.zeros(len(objects), places, dtype=torch.bool)
    for m, (label, *box) in enumerate(objects):
        box = torch.tensor(box, dtype=boxes.dtype)
        x, y = centres[:, 0], centres[:, 1]
        inside = torch.stack([x - box[0], y - box[1], box[2] - x, box[3] - y]).min(0).values > 1e-9
        overlap[m] = ciou(box.expand(places, 4), boxes).clamp(0) * inside
        align[m] = scores[:, int(label)].sigmoid() ** alpha * overlap[m] ** beta
        best = sorted(range(places), key=lambda i: -align[m, i].item())[:top]
        wanted[m, best] = True
        wanted[m] &= inside
    for i in range(places):
        claims = [m for m in range(len(objects)) if wanted[m, i]]
        if len(claims) == 1:
            owner[i] = claims[0]
        elif len(claims) > 1:
            owner[i] = int(overlap[:, i].argmax())
    for m in range(len(objects)):
        own = [i for i in range(places) if owner[i] == m]
        if own:
            scale = max(overlap[m, i] for i in own) / (max(align[m, i] for i in own) + 1e-9)
            for i in own:
                target[i] = align[m, i] * scale
    return owner, target


def loss(outputs, images, spec):
    rows, columns = spec["image"]
    bins = spec["bins"]
    centres, strides = [], []
    for s in (8, 16, 32):
        for y in range(rows // s):
            for x in range(columns // s):
                centres.append([(x + 0.5) * s, (y + 0.5) * s])
                strides.append(s)
    centres = torch.tensor(centres, dtype=outputs.dtype)
    strides = torch.tensor(strides, dtype=outputs.dtype)[:, None]
    n, places = len(images), len(centres)
    out = outputs.reshape(n, places, -1)
    sides, scores = out[..., : 4 * bins].reshape(n, places, 4, bins), out[..., 4 * bins :]
    dist = sides.softmax(-1) @ torch.arange(bins, dtype=outputs.dtype)
    anchors = centres / strides
    grid = torch.cat([anchors - dist[..., :2], anchors + dist[..., 2:]], -1)
    wanted_scores = torch.zeros_like(scores)
    box_loss = dfl_loss = 0.0
    for k, objects in enumerate(images):
        owner, target = assign(
            scores[k].detach(), grid[k].detach() * strides, centres, objects, spec["top"], spec["alpha"], spec["beta"]
        )
        for i, m in enumerate(owner):
            if m < 0:
                continue
            label, *box = objects[m]
            wanted_scores[k, i, int(label)] = target[i]
            box = torch.tensor(box, dtype=outputs.dtype) / strides[i]
            box_loss = box_loss + (1 - ciou(grid[k, i], box)) * target[i]
            ltrb = torch.cat([anchors[i] - box[:2], box[2:] - anchors[i]]).clamp(0, bins - 1 - 0.01)
            low = ltrb.long()
            share = low + 1 - ltrb
            entropy = (
                F.cross_entropy(sides[k, i], low, reduction="none") * share
                + F.cross_entropy(sides[k, i], low + 1, reduction="none") * (1 - share)
            )
            dfl_loss = dfl_loss + entropy.mean() * target[i]
    total = max(wanted_scores.sum().item(), 1)
    named = F.binary_cross_entropy_with_logits(scores, wanted_scores, reduction="sum")
    return (spec["box"] * box_loss + spec["cls"] * named + spec["dfl"] * dfl_loss) / total


said = []
for case in json.load(open(sys.argv[1])):
    outputs = torch.tensor(case["outputs"], dtype=torch.float64, requires_grad=True)
    value = loss(outputs, case["images"], case["spec"])
    value.backward()
    said.append({"loss": value.item(), "gradient": outputs.grad.flatten().tolist()})
print(json.dumps(said))
