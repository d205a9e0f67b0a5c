"""Mean average precision by COCO's rule, written from its description with plain loops: what the test compares with."""

import json
import sys


def iou(a, b):
    w = min(a[2], b[2]) - max(a[0], b[0])
    h = min(a[3], b[3]) - max(a[1], b[1])
    if w <= 0 or h <= 0:
        return 0.0
    return w * h / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - w * h)


def average_precision(images, label, threshold):
    """None where the class has no objects."""
    total = sum(1 for image in images for truth in image["truth"] if truth["label"] == label)
    if total == 0:
        return None
    scored = []
    for image in images:
        objects = [t["box"] for t in image["truth"] if t["label"] == label]
        found = sorted((d for d in image["found"] if d["label"] == label), key=lambda d: -d["score"])[:100]
        free = set(range(len(objects)))
        for detection in found:
            hits = [(iou(detection["box"], objects[i]), i) for i in free]
            hits = [hit for hit in hits if hit[0] >= threshold]
            if hits:
                free.discard(max(hits)[1])
            scored.append((detection["score"], bool(hits)))
    scored.sort(key=lambda one: -one[0])
    recalls, precisions, right = [], [], 0
    for n, (_, hit) in enumerate(scored, 1):
        right += hit
        recalls.append(right / total)
        precisions.append(right / n)
    read = []
    for k in range(101):
        reached = [p for p, r in zip(precisions, recalls) if r >= k / 100]
        read.append(max(reached) if reached else 0.0)
    return sum(read) / 101


def mean(values):
    return sum(values) / len(values) if values else 0.0


case = json.load(open(sys.argv[1]))
table = [
    [average_precision(case["images"], label, (50 + 5 * k) / 100) for k in range(10)] for label in range(case["classes"])
]
table = [row for row in table if row[0] is not None]
print(json.dumps({"map50": mean([row[0] for row in table]), "map": mean([mean(row) for row in table])}))
