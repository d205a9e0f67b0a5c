"""Trains the network of model.py as its config says: python train.py, or torchrun --nproc-per-node N train.py.

The order of the images, their augmentation and all masks follow from the seed as they do in spikec. The run folder is
one of spikec's: `spikec eval RUN` and its other commands take it, and `--resume` goes on with it.
"""

from __future__ import annotations

import argparse
import hashlib
import inspect
import json
import math
import os
import shutil
import sys
import time
import traceback
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save, save_file
from torch import Tensor, distributed, nn
from torch.nn import functional
from torch.nn.parallel import DistributedDataParallel

import bits
import detection
import losses
import mixing
from data import Samples, Stream, load, load_samples, shuffled, split
from layers import BatchNorm, FedNeurons, Neurons, SumOverProcesses, channels_innermost
from model import NAMES, Network
from stopping import Stopping

HERE = Path(__file__).resolve().parent
SLOTS = {"momentum_buffer": "velocity", "exp_avg": "first_moment", "exp_avg_sq": "second_moment"}
MEASURED, MEASURED_AT_ONCE = 1000, 100
INTERRUPTED = 130
# what `one_of_several` must not take apart
HELD: list[object] = []


def at_least_one(text: str) -> int:
    value = int(text) if text.isdecimal() else 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is no whole number above zero")
    return value


def arguments(settings: dict[str, Any]) -> argparse.Namespace:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--data", help="data set: mnist:train, cifar10:train, idx:IMAGES,LABELS, npz:FILE")
    p.add_argument("--data-dir", help="where named data sets lie (or the variable SPIKEC_DATA)")
    p.add_argument("--epochs", type=at_least_one, default=settings["epochs"])
    p.add_argument("--batch", type=at_least_one, default=settings["batch"], help="images a step, of each process")
    p.add_argument("--lr", type=float, default=settings["rate"])
    p.add_argument("--seed", type=int, default=settings["seed"])
    p.add_argument("--limit", type=at_least_one, default=settings.get("limit"), help="only so many images, from the first")
    # behind torchrun the short form alone: --run could be one of its own options there
    p.add_argument("-o", "--output", "--run", dest="run", metavar="RUN", default="run", help="run folder (run)")
    p.add_argument("--resume", action="store_true", help="go on from the run folder's checkpoint")
    p.add_argument("--checkpoint-every", type=at_least_one, help="also write it every so many steps within an epoch")
    p.add_argument("--device", default="auto", help="cpu, cuda, mps; auto: a GPU where there is one")
    p.add_argument("--compile", action="store_true", help="torch.compile")
    p.add_argument("--amp", action="store_true", help="synapses in bfloat16, membranes in float32")
    p.add_argument("--accumulate", type=at_least_one, default=1, help="parts of a batch whose gradients are summed")
    p.add_argument("--no-sync-bn", action="store_true", help="batch norm of each process by itself")
    p.add_argument("--fsdp", action="store_true", help="shard parameters over the processes (FSDP2)")
    p.add_argument("--threads", type=int, help="threads inside one operation")
    p.add_argument("--samples", help=argparse.SUPPRESS)
    p.add_argument("--said", action="store_true", help=argparse.SUPPRESS)
    p.add_argument("--led", action="store_true", help=argparse.SUPPRESS)
    return p.parse_args()


def learning_rate(
    schedule: dict[str, Any], rate: float, at: float, epochs: int, losses: list[float] | None = None
) -> float:
    """At a point of the training, in epochs; during warm-up it rises in a straight line. `losses` are those of the epochs before."""
    warmup = schedule["warmup"]
    if at < warmup:
        return float(rate * max(at, 1e-3) / warmup)
    past = at - warmup
    if schedule["kind"] == "step":
        return float(rate * schedule["gamma"] ** math.floor(past / schedule["every"]))
    if schedule["kind"] == "milestones":
        return float(rate * schedule["gamma"] ** sum(past >= epoch for epoch in schedule["at"]))
    if schedule["kind"] == "plateau":
        count = plateaus((losses or [])[warmup:], schedule["patience"])
        return float(max(min(rate, schedule["min"]), rate * schedule["factor"] ** count))
    if schedule["kind"] == "one_cycle":
        rise, start, end = schedule["rise"], schedule["start"], schedule["end"]
        share = min(1.0, past / max(epochs - warmup, 1e-9))
        low, high = rate / start, rate / (start * end)
        first = share < rise
        begin, to, part = (low, rate, share / rise) if first else (rate, high, (share - rise) / (1 - rise))
        return float(to + (begin - to) * (1 + math.cos(math.pi * part)) / 2)
    if schedule["kind"] == "cosine":
        share = min(1.0, past / max(epochs - warmup, 1e-9))
        return float(schedule["min"] + (rate - schedule["min"]) * (1 + math.cos(math.pi * share)) / 2)
    return rate


def plateaus(losses: list[float], patience: int) -> int:
    """How often they stood still: more than `patience` of them in a row not below the best by a ten-thousandth."""
    best, bad, count = math.inf, 0, 0
    for loss in losses:
        best, bad = (loss, 0) if loss < best * (1 - 1e-4) else (best, bad + 1)
        if bad > patience:
            bad, count = 0, count + 1
    return count


def raw_bytes(value: Tensor) -> bytes:
    """A tensor's bytes; NumPy may be missing."""
    file = save({"x": value})
    return file[8 + int.from_bytes(file[:8], "little") :]


class Diverged(Exception):
    """The loss of a step isn't finite."""

    def __init__(self, epoch: int, step: int) -> None:
        super().__init__(epoch, step)
        self.epoch, self.step = epoch, step


class Trainer:
    def __init__(self, recipe: dict[str, Any], options: argparse.Namespace, stopping: Stopping) -> None:
        self.recipe, self.options, self.stopping = recipe, options, stopping
        self.settings = {**recipe["settings"], "rate": options.lr, "seed": options.seed, "batch": options.batch}
        self.settings["epochs"] = options.epochs
        if losses.reads_firing(self.settings["loss"]) and (options.compile or options.accumulate > 1):
            raise SystemExit("the loss firing looks into layers, and at whole batches: leave out --compile and --accumulate")
        if options.limit is not None:
            self.settings["limit"] = options.limit
        # labels are numbers, and no classes
        self.numbers = self.settings.get("labels") in ("numbers", "input")
        self.rank, self.world = self._processes()
        self.device = self._device()
        self.network = Network().to(self.device)
        self.network.load_state_dict(load_file(HERE / "weights.safetensors"))
        if self.device.type == "cpu" and not options.fsdp:
            channels_innermost(self.network)
        for module in self.network.modules():
            if isinstance(module, BatchNorm):
                module.sync = self.world > 1 and not options.no_sync_bn
        for key, param in self.network.named_parameters():
            param.requires_grad_(NAMES.get(key, key) not in self.settings.get("frozen", []))
        self.wrapped: nn.Module = self.network
        if options.fsdp and self.world > 1:
            from torch.distributed.fsdp import fully_shard

            fully_shard(self.network)
        elif self.world > 1:
            ids = [self.device.index] if self.device.type == "cuda" else None
            # buffers are the same everywhere; PyTorch has called this by another name since
            known = inspect.signature(DistributedDataParallel).parameters
            kept = "forward_sync_buffers" if "forward_sync_buffers" in known else "broadcast_buffers"
            more: dict[str, Any] = {kept: False}
            self.wrapped = DistributedDataParallel(self.network, device_ids=ids, **more)
        if self.world > 1:
            HELD.extend([self.wrapped, distributed.group.WORLD])
        if options.compile:
            self.wrapped = torch.compile(self.wrapped)  # type: ignore[assignment]
        self.params: dict[str, Tensor] = {NAMES.get(key, key): p for key, p in self.network.named_parameters()}
        self.buffers = {NAMES.get(key, key): b for key, b in self.network.named_buffers()}
        # moving averages of what is learned, and of running statistics
        self.averages: dict[str, Tensor] = {}
        if "average" in self.settings:
            replaced = {name: self.buffers[name] for name in recipe["replaced"]}
            averaged = {**self.learned(), **replaced}
            self.averages = {name: value.detach().clone() for name, value in averaged.items()}
        self.optimizer = self._optimizer()
        self.step = 0
        self.records: list[dict[str, Any]] = []
        self.best: str | None = None
        # how far the epoch is that is under way
        self.running: dict[str, Any] | None = None
        learning = recipe["settings"].get("bits", {})
        self.terms: list[dict[str, Any]] = recipe["penalties"]
        self.sizes = bits.StepSizes(recipe["quantised"], self.terms, learning.get("renewal", "none"))
        self.settling = bits.Settling(self.terms, learning.get("settle"), None)

    # -- where -----------------------------------------------------------------------------------------------------

    def _processes(self) -> tuple[int, int]:
        if "RANK" not in os.environ:
            return 0, 1
        backend = "nccl" if torch.cuda.is_available() and self.options.device in ("auto", "cuda") else "gloo"
        distributed.init_process_group(backend)
        return distributed.get_rank(), distributed.get_world_size()

    def _device(self) -> torch.device:
        name = self.options.device
        if name == "auto":
            name = "cuda" if torch.cuda.is_available() else "cpu"
        try:
            device = torch.device(name)
        except RuntimeError as error:
            raise SystemExit(f"--device {name}: write cpu, cuda or mps") from error
        there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
        if not there.get(device.type, True):
            raise SystemExit(f"--device {name}: PyTorch finds no such device here")
        if name == "cuda":
            torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
            return torch.device("cuda", torch.cuda.current_device())
        return device

    def learned(self) -> dict[str, Tensor]:
        """Parameters that aren't frozen."""
        frozen = set(self.settings.get("frozen", []))
        return {name: param for name, param in self.params.items() if name not in frozen}

    def _optimizer(self) -> torch.optim.Optimizer:
        spec = self.settings["optimizer"]
        decay = spec.get("weightDecay", 0.01 if spec["kind"] == "adamw" else 0)
        factors = self.settings.get("bits", {}).get("rateFactors", {})
        own = self.settings.get("factors", {})
        undecayed = set(self.recipe["undecayed"])
        groups: dict[tuple[float, float], list[Tensor]] = {}
        self.factors: list[float] = []
        for name, param in self.learned().items():
            said = own.get(name, {"rate": 1.0, "decay": 1.0})
            decayed = 0.0 if name in undecayed else decay * said["decay"]
            groups.setdefault((factors.get(name, 1.0) * said["rate"], decayed), []).append(param)
        made = [{"params": params, "weight_decay": wd} for (_, wd), params in groups.items()]
        self.factors = [factor for factor, _ in groups]
        if spec["kind"] == "sgd":
            momentum = spec.get("momentum", 0)
            nesterov = bool(spec.get("nesterov", False)) and momentum > 0
            return torch.optim.SGD(made, lr=self.settings["rate"], momentum=momentum, nesterov=nesterov)
        kind = torch.optim.Adam if spec["kind"] == "adam" else torch.optim.AdamW
        betas = (spec.get("beta1", 0.9), spec.get("beta2", 0.999))
        return kind(made, lr=self.settings["rate"], betas=betas, eps=spec.get("epsilon", 1e-8))

    @property
    def data(self) -> str:
        """The data set's name."""
        named: str | None = self.options.data or self.recipe.get("data")
        if named is None:
            raise SystemExit("the config names no data set: say which by --data, for example --data npz:train.npz")
        return named

    # -- data ------------------------------------------------------------------------------------------------------

    def read(self) -> Samples:
        recipe, options = self.recipe, self.options
        if options.samples is not None:
            samples = load_samples(options.samples)
        else:
            spec = self.data
            spec = spec if ":" in spec else f"{spec}:train"
            try:
                samples = load(spec, recipe.get("layout"), options.data_dir, options.limit, tuple(recipe["input"]))
            except (OSError, zipfile.BadZipFile) as error:
                reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
                raise SystemExit(f"{spec}: {reason}") from error
        if samples.numbers is not None and "labels" not in self.settings:
            for _, loss in losses.terms_of(self.settings["loss"]):
                if loss["kind"] in losses.OF_CLASSES:
                    raise SystemExit(f"the labels are numbers, which {loss['kind']} can't compare: `loss mse`, l1, huber or bce can")
            self.settings["labels"] = "numbers"
            self.numbers = True
        if self.settings.get("labels") == "numbers" and samples.numbers is None:
            raise SystemExit("the config's training is of labels that are numbers (floats), and these are classes")
        normalisation = self.settings["normalisation"]
        if not samples.normalised:
            samples.mean, samples.std = normalisation.get("mean", []), normalisation.get("std", [])
        shape = tuple(recipe["input"])
        if (samples.boxes is None) == (recipe["settings"].get("labels") == "boxes"):
            raise SystemExit("boxes go with `loss yolo`, and it with boxes: coco:FOLDER,ANNOTATIONS.json")
        if tuple(samples.images.shape[1:]) != shape:
            if samples.images[0].numel() != math.prod(shape):
                raise SystemExit(f"samples are {list(samples.images.shape[1:])}, the network takes {list(shape)}")
            samples.images = samples.images.reshape(len(samples), *shape)
        return samples

    def noise(self, total: int, first: int, count: int, *keys: int | str) -> dict[str, Tensor]:
        """Masks, uniform and normal numbers for samples first ... first + count - 1 of a batch of `total`."""

        def parts(one: dict[str, Any], size: int) -> list[Tensor]:
            stream = self._stream(one, *keys)
            return [stream.numbers((t * total + first) * size, count * size) for t in range(one["steps"])]

        return {one["id"]: self._drawn(one, count, parts(one, math.prod(one["shape"]))) for one in self.recipe["noise"]}

    def noise_of(self, samples: list[int], *keys: int | str) -> dict[str, Tensor]:
        """The same for samples that have numbers of their own, whatever batch they are in."""

        def parts(one: dict[str, Any], size: int) -> list[Tensor]:
            streams = [self._stream(one, *keys, sample) for sample in samples]
            return [stream.numbers(t * size, size) for t in range(one["steps"]) for stream in streams]

        noise = self.recipe["noise"]
        return {one["id"]: self._drawn(one, len(samples), parts(one, math.prod(one["shape"]))) for one in noise}

    @staticmethod
    def _stream(one: dict[str, Any], *keys: int | str) -> Stream:
        return Stream(*keys, one["id"], *([one["seed"]] if "seed" in one else []))

    def _drawn(self, one: dict[str, Any], count: int, parts: list[Tensor]) -> Tensor:
        """[T*N, ...] of the kind that an input is of."""
        drawn = torch.floor(torch.cat(parts) * 2**24) / 2**24
        if one["kind"] == "normal":
            drawn = torch.special.ndtri(drawn + 2**-25)
        if one["kind"] == "mask":
            drawn = torch.where(drawn < one["dropped"], 0.0, 1 / (1 - one["dropped"]))
        return drawn.float().reshape(one["steps"] * count, *one["shape"]).to(self.device)

    def forward(self, images: Tensor, noise: dict[str, Tensor], rates: list[Tensor] | None = None) -> Tensor:
        """What the loss reads: logits [steps, N, classes], or what is read out of them as one step; `rates` gets what layers fire."""
        if rates is not None:
            return self._forward_with_rates(images, noise, rates)
        per_step = bool(self.recipe["reads_steps"])
        arguments = (images, noise) if self.recipe["noise"] else (images,)
        autocast = torch.autocast(self.device.type, torch.bfloat16) if self.options.amp else nullcontext()
        with autocast:
            logits: Tensor = self.wrapped(*arguments, per_step=per_step)
        return logits.float() if per_step else logits.float()[None]

    def _forward_with_rates(self, images: Tensor, noise: dict[str, Tensor], rates: list[Tensor]) -> Tensor:
        fired: dict[str, list[Tensor]] = {}

        def watched(one: dict[str, Any]) -> nn.Module:
            spikes = fired.setdefault(one["layer"], [])
            return self._stepping(one, lambda now, _: spikes.append(now.abs().sum()))

        layers = [one for one in self.recipe["firing"] if one["fires"]]
        modules = [watched(one) for one in layers]
        try:
            logits = self.forward(images, noise)
        finally:
            for module in modules:
                del module.__dict__["step"]
        for one in layers:
            total = torch.stack(fired[one["layer"]]).sum()
            count = one["neurons"] * one["train"] * one["level"] * len(images) * self.world
            whole = SumOverProcesses.apply(total) if self.world > 1 else total  # type: ignore[no-untyped-call]
            rates.append(whole / count)
        return logits

    # -- training --------------------------------------------------------------------------------------------------

    def epoch(self, samples: Samples, training: list[int]) -> Iterator[dict[str, Any]]:
        """One pass over the training images: what is known after each step, where it is to be kept, and at last its record."""
        settings = self.settings
        number = len(self.records) + 1
        seed, epochs = settings["seed"], settings["epochs"]
        order = [training[i] for i in shuffled(len(training), Stream(seed, "order", number))]
        augmented = Stream(seed, "augment", number)
        before = [record.get("val_loss", record["loss"]) for record in self.records]
        total = min(settings["batch"] * self.world, len(training))
        own = total // self.world
        steps = len(training) // total
        begun = self.running or {}
        if begun and begun.get("images", settings["batch"]) != settings["batch"] * self.world:
            raise SystemExit("the run was stopped within an epoch: go on with as many processes to its end")
        augment = settings["augment"]
        one_by_one = any(augment.get(key) is not None for key in ("scale", "erase", "drop", "jitter", "mixup", "cutmix"))
        drawn = mixing.Drawn(augmented, int(begun.get("drawn", 0))) if one_by_one else None
        lost, correct, rate = (float(begun.get(key, 0)) for key in ("loss", "correct", "rate"))
        terms: dict[str, float] = dict(begun.get("terms", {}))
        renewals: list[dict[str, Any]] = list(begun.get("renewals", []))
        settled: list[dict[str, Any]] = list(begun.get("settled", []))
        every = self.options.checkpoint_every or math.inf
        self.network.train()
        for i in range(begun.get("steps", 0), steps):
            at = number - 1 + i / steps
            rate = learning_rate(settings["schedule"], settings["rate"], at, epochs, before)
            self.step += 1
            images, truth = self._given(samples, order[i * total : (i + 1) * total], i * total, augmented, drawn)
            noise = self.noise(total, self.rank * own, own, seed, "step", number, i)
            settled += self.settling.look(self.params, self.step, at / epochs)
            renewals += self.sizes.renew(
                self.network, partial(self.network, *((images, noise) if noise else (images,))), self.params, self.step
            )
            staying = {name: self.params[name].detach().clone() for name in self.settling.staying()}
            said = self._update(images, truth, noise, rate)
            for name, value in staying.items():
                self.params[name].data.copy_(value)
            self._average()
            if not math.isfinite(said["loss"]):
                raise Diverged(number, i + 1)
            lost += said["loss"]
            correct += said["correct"]
            for name, value in said["terms"].items():
                terms[name] = terms.get(name, 0.0) + value / steps
            done = (i + 1) * total
            yield {
                "epoch": number,
                "epochs": epochs,
                "done": done,
                "total": steps * total,
                "loss": lost / (i + 1),
                "accuracy": correct / done,
                "numbers": self.numbers,
                "step_loss": said["loss"],
            }
            if i + 1 < steps and (said["asked"] or (i + 1) % every == 0):
                each = int(augment["flip"]) + (2 if augment["crop"] else 0)
                given = (i + 1) * total * each if drawn is None else drawn.given
                kept: dict[str, Any] = {"steps": i + 1, "drawn": given}
                kept.update(loss=lost, correct=correct, rate=rate, terms=terms, others={})
                kept.update(renewals=renewals, settled=settled)
                yield {"running": kept if self.world == 1 else {**kept, "images": total}, "asked": said["asked"]}
        record: dict[str, Any] = {"epoch": number, "loss": lost / steps}
        if samples.boxes is None:
            record["mae" if self.numbers else "accuracy"] = correct / (steps * total)
        record["rate"] = rate
        extra = {"terms": terms, "renewals": renewals, "settled": settled}
        record["extra"] = {key: value for key, value in extra.items() if value}
        yield {"record": record}

    def _given(
        self, samples: Samples, batch: list[int], first: int, stream: Stream, drawn: mixing.Drawn | None
    ) -> tuple[Tensor, losses.Truth]:
        """This process's images of a batch, of which the first is the one at `first` of the epoch, and their truth."""
        augment, spec = self.settings["augment"], self.settings["loss"]
        count = len(batch) // self.world
        own = slice(self.rank * count, (self.rank + 1) * count)
        weights = () if self.numbers or samples.boxes is not None else losses.mean_weights(spec, samples.labels[batch])
        if drawn is None:
            changed = augment["flip"] or augment["crop"]
            place = first + own.start
            moves = samples.moves(count, augment["flip"], augment["crop"], stream, place) if changed else None
            images, labels = samples.batch(batch[own], moves), samples.truth(batch[own], moves)
            if self.settings.get("labels") == "input":
                labels = images.flatten(1)
            return images.to(self.device), losses.Truth(labels.to(self.device), weights=weights)
        # whoever mixes samples, or counts the events of each, has to look at the other processes' parts too
        raw = samples.raw(batch)
        frame = tuple(raw.shape[2:] if raw.dim() > 4 else raw.shape[1:])
        changes = mixing.draw_changes(augment, raw, frame, drawn)
        mixed = mixing.draw_mixing(augment, len(batch), frame, drawn)
        part = own if mixed is None else slice(None)
        moves = changes.moves(part)
        scales = changes.scales[part] if augment.get("scale") is not None else None
        images, labels = samples.placed(raw[part], moves, scales), samples.truth(batch[part], moves)
        changes.erase(images, part)
        truth = losses.Truth(labels, weights=weights)
        if mixed is not None:
            images = mixed.images(images)
            if self.numbers:
                truth = losses.Truth(mixed.numbers(labels))
            else:
                truth = losses.Truth(labels, labels[mixed.partners], mixed.share, weights)
            images, truth = images[own], truth.part(own)
        if self.settings.get("labels") == "input":
            truth = losses.Truth(images.flatten(1))
        return images.to(self.device), truth.to(self.device)

    def _update(self, images: Tensor, truth: losses.Truth, noise: dict[str, Tensor], rate: float) -> dict[str, Any]:
        for group, factor in zip(self.optimizer.param_groups, self.factors, strict=True):
            group["lr"] = rate * factor
        self.optimizer.zero_grad(set_to_none=True)
        parts = self.options.accumulate
        size = len(images) // parts
        totals = torch.zeros(3, dtype=torch.float64)
        terms: dict[str, float] = {}
        for k in range(parts):
            here = slice(k * size, (k + 1) * size if k + 1 < parts else len(images))
            share = len(images[here]) / len(images)
            some = {
                key: value.reshape(-1, len(images), *value.shape[1:])[:, here].flatten(0, 1)
                for key, value in noise.items()
            }
            last = k + 1 == parts
            waits = isinstance(self.wrapped, DistributedDataParallel) and not last
            with self.wrapped.no_sync() if waits else nullcontext():  # type: ignore[operator]
                rates: list[Tensor] | None = [] if losses.reads_firing(self.settings["loss"]) else None
                logits = self.forward(images[here], some, rates)
                part = truth.part(here)
                task = losses.loss_of(self.settings["loss"], logits, part, rates)
                loss = task
                if last and self.terms:
                    kinds: dict[str, Tensor] = {}
                    for term in self.terms:
                        value = bits.penalty(term, self.params)
                        kinds[term["kind"]] = kinds[term["kind"]] + value if term["kind"] in kinds else value
                    loss = task * share
                    for kind, value in kinds.items():
                        loss = loss + value
                        terms[kind] = value.item()
                else:
                    loss = task * share if parts > 1 else task
                loss.backward()  # type: ignore[no-untyped-call]
            right = 0.0
            outputs = logits.detach().mean(0)
            if part.labels.dim() == 1:
                right = float((outputs.argmax(-1) == part.labels).sum().item())
            elif self.numbers:
                right = float((self.said(outputs) - part.labels).abs().mean(-1).sum().item())
            totals += torch.tensor([task.item() * share, right, 0.0])
        if "clip" in self.settings:
            self._clip(self.settings["clip"])
        self.optimizer.step()
        self._hold()
        # all processes stop behind the same step
        totals[2] = float(self.stopping.asked)
        if self.world > 1:
            distributed.all_reduce(totals)
            totals[0] /= self.world
        task_loss = totals[0].item()
        said = {"task": task_loss, **terms} if self.terms else {}
        asked = totals[2].item() > 0
        return {"loss": task_loss + sum(terms.values()), "correct": totals[1].item(), "terms": said, "asked": asked}

    def _clip(self, clip: dict[str, Any]) -> None:
        """Holds gradients to a length of all together, or each number to [-max, max]."""
        learned = [param for param in self.learned().values() if param.grad is not None]
        if clip["kind"] == "norm":
            nn.utils.clip_grad_norm_(learned, clip["max"])
        else:
            nn.utils.clip_grad_value_(learned, clip["max"])

    @torch.no_grad()
    def _average(self) -> None:
        """Moves the averages on by a step."""
        now = self._named()
        for name, average in self.averages.items():
            average.mul_(self.settings["average"]).add_(now[name] * (1 - self.settings["average"]))

    @contextmanager
    def _averaged(self) -> Iterator[None]:
        """The network with the averages in place of what they are of."""
        now = self._named()
        held = {name: now[name].detach().clone() for name in self.averages}
        with torch.no_grad():
            for name, average in self.averages.items():
                now[name].copy_(average)
            yield
            for name, value in held.items():
                now[name].copy_(value)

    def said(self, outputs: Tensor) -> Tensor:
        """The numbers that outputs stand for."""
        return outputs.sigmoid() if losses.gives_logits(self.settings["loss"]) else outputs

    @torch.no_grad()
    def _hold(self) -> None:
        """Moves parameters back into their bounds."""
        learned = self.learned()
        for name, bound in self.recipe["bounds"].items():
            if name not in learned:
                continue
            param = learned[name]
            lo = bound.get("lo", -math.inf)
            hi = bound.get("hi", math.inf)
            if "within" in bound:
                greatest = self.params[bound["within"]].abs().max().reshape(1)
                over = bound.get("over")
                param.copy_(torch.minimum(param, greatest) if over is None else greatest / over)
            param.clamp_(lo, hi)

    @torch.no_grad()
    def measure(self, samples: Samples, indices: list[int]) -> dict[str, Any]:
        """Accuracy and cross-entropy, or mean average precision, and firing rates of the network as it is."""
        self.network.eval()
        spikes: dict[str, float] = {}
        stepped = [self._counting(one, spikes) for one in self.recipe["firing"]]
        correct = loss = 0.0
        precision: detection.Precision | None = None
        for start in range(0, len(indices), MEASURED_AT_ONCE):
            part = indices[start : start + MEASURED_AT_ONCE]
            noise = self.noise_of(part, self.settings["seed"], "measure")
            images = samples.batch(part).to(self.device)
            logits = self.network(*((images, noise) if noise else (images,))).double()
            if samples.boxes is not None:
                spec = self.settings["loss"]
                places = len(detection.grid(spec["image"], logits)[0])
                precision = precision or detection.Precision(logits.shape[1] // places - 4 * spec["bins"])
                truth = samples.boxes[part].reshape(len(part), -1, detection.NUMBERS)
                for found, objects in zip(detection.detections(logits, spec["image"], spec["bins"]), truth, strict=True):
                    precision.add(found, objects)
                continue
            if self.numbers:
                own = images.flatten(1) if self.settings["labels"] == "input" else samples.truth(part).to(self.device)
                away = self.said(logits) - own
                correct += float(away.abs().mean(-1).sum().item())
                loss += float((away * away).mean(-1).sum().item())
                continue
            labels = samples.labels[part].to(self.device)
            correct += float((logits.argmax(-1) == labels).sum().item())
            loss += functional.cross_entropy(logits, labels, reduction="sum").item()
        for module in stepped:
            del module.__dict__["step"]
        count = max(1, len(indices))
        firing = {
            one["layer"]: float(
                f"{spikes.get(one['layer'], 0.0) / (one['neurons'] * bits.now(one['steps'], self._named()) * count):.6g}"
            )
            for one in self.recipe["firing"]
        }
        if precision is not None:
            return {**precision.result(), "firing": firing}
        return {"mae" if self.numbers else "accuracy": correct / count, "loss": loss / count, "firing": firing}

    def _named(self) -> dict[str, Tensor]:
        return {**self.params, **self.buffers}

    def _counting(self, one: dict[str, Any], spikes: dict[str, float]) -> nn.Module:
        """Counts what a layer of neurons fires, until its own `step` is back."""

        def count(fired: Tensor, t: int) -> None:
            if one["counted"] is None or t <= bits.now(one["steps"], self._named()):
                amplitude = one["amplitude"]
                size = self.params[amplitude].abs().item() if isinstance(amplitude, str) else float(amplitude)
                total = fired.abs().double().sum().item() / size
                spikes[one["layer"]] = spikes.get(one["layer"], 0.0) + total

        return self._stepping(one, count)

    def _stepping(self, one: dict[str, Any], see: Callable[[Tensor, int], None]) -> nn.Module:
        """A layer of neurons that shows what it fires at each step, until its own `step` is back."""
        module = self.network.get_submodule(one["module"])
        if not isinstance(module, (FedNeurons, Neurons)):
            raise TypeError(f"{one['layer']} is no layer of neurons")

        step = module.step

        def counted(x: Tensor, states: tuple[Tensor, ...], learned: tuple[Tensor, ...], t: int, *more: Any) -> Any:
            fired, behind = step(x, states, learned, t, *more)
            see(fired, t)
            return fired, behind

        # in a cycle the network steps its neurons itself
        module.__dict__["step"] = counted
        return module

    # -- the run folder --------------------------------------------------------------------------------------------

    def states(self) -> dict[str, Tensor]:
        """Weights, running statistics and the optimiser's slots, by name."""
        found: dict[str, Tensor] = {}
        replaced = set(self.recipe["replaced"])
        slots = self.recipe["slots"]
        for name, param in self.learned().items():
            found[name] = self._whole(param)
            for key, slot in SLOTS.items():
                if slot not in slots:
                    continue
                held = self.optimizer.state.get(param, {}).get(key)
                found[f"{name}.{slot}"] = torch.zeros_like(found[name]) if held is None else self._whole(held)
        for name, buffer in self.buffers.items():
            if name in replaced:
                found[name] = buffer.detach()
        found.update({f"{name}.average": self._whole(value) for name, value in self.averages.items()})
        shapes = self.recipe["shapes"]
        beside = [*slots, "average"]
        wide = {name: shapes[name.removesuffix(f".{one}")] for one in beside for name in found if name.endswith(f".{one}")}
        shaped = {name: value.reshape(wide.get(name) or shapes[name]) for name, value in found.items()}
        return {name: value.cpu().float().contiguous().clone() for name, value in shaped.items()}

    @staticmethod
    def _whole(value: Tensor) -> Tensor:
        return value.full_tensor() if hasattr(value, "full_tensor") else value.detach()

    def _shared(self, param: Tensor, whole: Tensor) -> Tensor:
        """A whole tensor as a parameter is held: of one that is sharded, this process's part."""
        value = whole.reshape(param.shape).to(self.device)
        if not hasattr(param, "full_tensor"):
            return value
        from torch.distributed.tensor import DTensor, distribute_tensor

        assert isinstance(param, DTensor)
        return distribute_tensor(value, param.device_mesh, param.placements)

    @torch.no_grad()
    def restore(self, states: dict[str, Tensor]) -> None:
        for name, average in self.averages.items():
            average.copy_(self._shared(average, states[f"{name}.average"]))
        for name, param in self.learned().items():
            param.copy_(self._shared(param, states[name]))
            kept = {key: states[f"{name}.{slot}"] for key, slot in SLOTS.items() if f"{name}.{slot}" in states}
            if kept:
                held: dict[str, Any] = {key: self._shared(param, value).clone() for key, value in kept.items()}
                if "exp_avg" in held:
                    held["step"] = torch.tensor(float(self.step))
                self.optimizer.state[param] = held
        for name, buffer in self.buffers.items():
            if name in states:
                buffer.copy_(states[name].reshape(buffer.shape))

    def progress(self, images: int) -> dict[str, Any]:
        recipe = self.recipe
        settings = {key: value for key, value in self.settings.items() if key not in ("epochs", "patience")}
        data = self.data
        identity = {"network": recipe["network"], "data": data, "images": images, "settings": settings}
        found: dict[str, Any] = {"identity": identity, "epoch": len(self.records)}
        found.update(step=self.step, records=self.records)
        if self.best is not None:
            found["best"] = self.best
        if self.running is not None:
            found["running"] = self.running
        if recipe["quantised"]:
            found["renewal"] = self.sizes.state
        if "settle" in recipe["settings"].get("bits", {}):
            found["settling"] = self.settling.state
        return found

    def save(self, run: Path, images: int) -> None:
        """All files of an epoch, each of them whole or as it was; within one the checkpoint alone."""
        states = self.states()
        if self.rank != 0:
            return
        (run / "checkpoint").mkdir(parents=True, exist_ok=True)
        if self.running is not None:
            self._save_checkpoint(run, images, states)
            return
        named = self._named()
        shown = {**states, **{name: states[f"{name}.average"] for name in self.averages}}
        weights = {name: (shown[name] if name in shown else named[name].detach()) for name in self.recipe["params"]}
        weights = {n: value.reshape(named[n].shape).cpu().contiguous().clone() for n, value in weights.items()}
        save_file(weights, run / "weights.safetensors.new")
        digest = hashlib.sha256((run / "weights.safetensors.new").read_bytes()).hexdigest()
        is_best = bool(self.records) and self._best_epoch() == len(self.records)
        if is_best:
            self.best = digest
        self._save_checkpoint(run, images, states)
        os.replace(run / "weights.safetensors.new", run / "weights.safetensors")
        log = "".join(json.dumps(record, separators=(",", ":")) + "\n" for record in self.records)
        self._write(run / "log.jsonl", log)
        folder = HERE / "spikec"
        for name in ("network.ir", "network.json"):
            shutil.copyfile(folder / name, run / name)
        for source in sorted((folder / "sources").rglob("*")):
            if source.is_file():
                target = run / source.relative_to(folder / "sources")
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, target)
        manifest = json.loads((folder / "manifest.json").read_text())
        manifest["files"]["weights.safetensors"] = digest
        self._write(run / "manifest.json", json.dumps(manifest, indent=1) + "\n")
        info = {"config": self.recipe["config"], "data": self.data}
        about = {**info, "normalisation": self.settings["normalisation"], "settings": self.settings}
        if self.settings["loss"]["kind"] == "yolo":
            about["detector"] = {"bins": self.settings["loss"]["bins"]}
        self._write(run / "run.json", json.dumps({**about, "engine": "torch"}, indent=1) + "\n")
        if is_best:
            (run / "best").mkdir(exist_ok=True)
            for name in ("weights.safetensors", "network.ir", "network.json", "manifest.json"):
                shutil.copyfile(run / name, run / "best" / name)

    def _save_checkpoint(self, run: Path, images: int, states: dict[str, Tensor]) -> None:
        text = json.dumps(self.progress(images), separators=(",", ":"))
        content = hashlib.sha256(text.encode())
        for name in sorted(states):
            value = states[name]
            content.update(f"{name} f32 {','.join(str(n) for n in value.shape)}\n".encode())
            content.update(raw_bytes(value))
        metadata = {"format": "2", "progress": text, "sha256": content.hexdigest()}
        path = run / "checkpoint" / "state.safetensors"
        save_file(states, f"{path}.new", metadata=metadata)
        os.replace(f"{path}.new", path)

    @staticmethod
    def _write(path: Path, text: str) -> None:
        path.with_name(f"{path.name}.new").write_text(text)
        os.replace(path.with_name(f"{path.name}.new"), path)

    def _best_epoch(self) -> int:
        """By validation accuracy where there is one, else by the loss; the earliest where several are."""
        best = self.records[0]
        for record in self.records[1:]:
            if "val_mae" in record and "val_mae" in best:
                better = record["val_mae"] < best["val_mae"]
            elif "val_map" in record and "val_map" in best:
                better = record["val_map"] > best["val_map"]
            elif "val_accuracy" in record and "val_accuracy" in best:
                better = record["val_accuracy"] > best["val_accuracy"]
            else:
                better = record["loss"] < best["loss"]
            best = record if better else best
        return int(best["epoch"])

    def resume(self, run: Path, images: int) -> None:
        path = run / "checkpoint" / "state.safetensors"
        if not path.exists():
            raise SystemExit(f"there is no checkpoint {path}")
        try:
            with safe_open(path, framework="pt") as file:
                progress = json.loads((file.metadata() or {})["progress"])
        except (SafetensorError, KeyError, ValueError) as error:
            raise SystemExit(f"{path} is damaged, or no checkpoint ({error}): begin anew in another folder") from error
        here = self.progress(images)["identity"]
        same = self.options.led or progress["identity"]["images"] == images
        if progress["identity"]["network"] != here["network"] or not same:
            raise SystemExit(f"{path} is of another training")
        self.records, self.step, self.best = progress["records"], progress["step"], progress.get("best")
        self.running = progress.get("running")
        if "renewal" in progress:
            self.sizes.state = progress["renewal"]
        if "settling" in progress:
            self.settling.state = progress["settling"]
        self.restore(load_file(path))

    def start(self, samples: Samples, training: list[int]) -> None:
        """Step sizes of neurons from the first batch."""
        if not self.recipe["quantised"]:
            return
        total = min(self.settings["batch"] * self.world, len(training))
        own = total // self.world
        part = training[self.rank * own : (self.rank + 1) * own]
        images = samples.batch(part).to(self.device)
        noise = self.noise(total, self.rank * own, own, self.settings["seed"], "start")
        self.network.train()
        self.sizes.start(
            self.network, partial(self.network, *((images, noise) if noise else (images,))), self.params
        )

    def ended(self) -> bool:
        patience = self.settings.get("patience")
        if len(self.records) >= self.settings["epochs"]:
            return True
        return patience is not None and bool(self.records) and len(self.records) - self._best_epoch() >= patience

    def say(self, **what: Any) -> None:
        """A line for people, or for the program that has started this one."""
        if self.rank != 0:
            return
        if self.options.said or self.options.led:
            print(json.dumps(what), flush=True)
        elif "record" in what:
            record = what["record"]
            held = f"  validation {100 * record['val_accuracy']:.2f} %" if "val_accuracy" in record else ""
            own = f"  training {100 * record['accuracy']:.2f} %" if "accuracy" in record else ""
            own += "".join(f"  {key} {record[key]:.4g}" for key in ("mae", "val_mae") if key in record)
            maps = [(key, record[key]) for key in ("map50", "map", "val_map50", "val_map") if key in record]
            own += "".join(f"  {key} {100 * value:.2f} %" for key, value in maps)
            numbers = f"loss {record['loss']:.4f}{own}{held}"
            print(f"epoch {record['epoch']}/{self.settings['epochs']}  {numbers}  {record['seconds']:.1f} s", flush=True)
        elif "asked" in what:
            n, run = what["asked"], self.options.run
            print(f"interrupted: the first {n} steps of the running epoch are kept in {run}, --resume goes on with them")
        elif "progress" in what and sys.stderr.isatty():
            p = what["progress"]
            print(f"\repoch {p['epoch']}  {p['done']}/{p['total']}  loss {p['loss']:.4f}", end="\r", file=sys.stderr)

    def train(self) -> None:
        run = Path(self.options.run)
        samples = self.read()
        training, held = split(len(samples), self.settings["validation"], self.settings["seed"])
        if self.options.resume:
            self.resume(run, samples.total)
        else:
            if (run / "checkpoint" / "state.safetensors").exists() and not (self.options.said or self.options.led):
                raise SystemExit(f"{run} holds a training already: go on with it by --resume, or name another folder")
            self.start(samples, training)
            self.save(run, samples.total)
        self.say(begun=len(self.records), device=str(self.device), torch=torch.__version__)
        while not self.ended():
            started = time.monotonic() - (self.running or {}).get("seconds", 0)
            record: dict[str, Any] = {}
            for said in self.epoch(samples, training):
                if "record" in said:
                    record = said["record"]
                elif "running" in said:
                    self.running = {**said["running"], "seconds": time.monotonic() - started}
                    self.save(run, samples.total)
                    self.say(kept=self.running["steps"])
                    led = self.options.led
                    goes_on = self.stopping.wait() and not self.stopping.asked if led else True
                    if said["asked"] or not goes_on:
                        self.say(asked=self.running["steps"])
                        self._leave()
                        raise SystemExit(INTERRUPTED)
                else:
                    self.say(progress=said)
            self.running = None
            extra = record.pop("extra")
            self.say(phase="validating" if held else "measuring firing")
            with self._averaged():
                measured = self.measure(samples, held or training[:MEASURED])
            rate = record.pop("rate")
            if "map" in measured:
                ahead = "val_" if held else ""
                record.update({f"{ahead}{key}": measured[key] for key in ("map50", "map")})
            elif held:
                figure = "mae" if self.numbers else "accuracy"
                record.update({f"val_{figure}": measured[figure], "val_loss": measured["loss"]})
            record.update(rate=rate, firing=measured["firing"], seconds=time.monotonic() - started, **extra)
            learned = bits.record(self.recipe["holders"], self._named())
            if learned is not None:
                record["bits"] = learned
            self.records.append(record)
            self.save(run, samples.total)
            self.say(record=record)
            if self.options.led and not self.stopping.wait():
                return
        self.say(ended=len(self.records))
        self._leave()

    def _leave(self) -> None:
        if self.world > 1:
            distributed.destroy_process_group()


def one_of_several() -> None:
    """Ends this process as `main` does, without taking apart what it holds.

    The destructor of a Gloo group waits, under the interpreter's lock, for threads that may be waiting for that lock.
    """
    status: object = 0
    try:
        main()
    except SystemExit as error:
        status = error.code
    except BaseException:  # noqa: BLE001
        traceback.print_exc()
        status = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status if isinstance(status, int) else 0)


def main() -> None:
    recipe = json.loads((HERE / "training.json").read_text())
    options = arguments(recipe["settings"])
    if options.threads is not None:
        torch.set_num_threads(options.threads)
    try:
        trainer = Trainer(recipe, options, Stopping(options.led))
        run(trainer)
    except SystemExit as error:
        if not isinstance(error.code, str):
            raise
        print(f"train.py: error: {error.code}", file=sys.stderr)
        raise SystemExit(2) from None


def run(trainer: Trainer) -> None:
    try:
        trainer.train()
    except Diverged as error:
        trainer.say(diverged={"epoch": error.epoch, "step": error.step})
        print(f"the training diverged: epoch {error.epoch}, step {error.step}", file=sys.stderr)
        raise SystemExit(1) from error


if __name__ == "__main__":
    if "RANK" in os.environ:
        one_of_several()
    main()
