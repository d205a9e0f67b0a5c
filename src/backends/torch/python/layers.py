"""What networks in PyTorch that spikec writes are made of: neurons, surrogate gradients, weights on grids.

Values over time are folded into the batch axis, time slowest: [steps * N, ...]. What is the same at every step is
[N, ...] and computed once. Membranes are float32, whatever autocast says.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, distributed, nn
from torch.nn import functional

# -- surrogate gradients -----------------------------------------------------------------------------------------------


def _reciprocal_square(v: Tensor, k: float) -> Tensor:
    root = v.abs() * k + 1
    return 1 / (root * root)


def slope(v: Tensor, surrogate: str, a: float, b: float) -> Tensor:
    """The derivative that stands in for a unit step at v = 0; `a` and `b` are the surrogate's numbers."""
    if surrogate == "rectangle":
        return torch.where(v.abs() < a / 2, 1 / a, 0.0)
    if surrogate == "triangle":
        return maximum(1 / a - v.abs() * (1 / (a * a)), 0.0)
    if surrogate == "sigmoid":
        s = torch.sigmoid(v * a)
        return s * (1 - s) * a
    if surrogate == "atan":
        scaled = v * (math.pi / 2 * a)
        return (a / 2) / (scaled * scaled + 1)
    if surrogate == "fast_sigmoid":
        return _reciprocal_square(v, a)
    if surrogate == "sparse_fast_sigmoid":
        return torch.where(v > b, _reciprocal_square(v, a), 0.0)
    if surrogate == "super_spike":
        return _reciprocal_square(v, 1.0) * a
    if surrogate == "soft_sign":
        return _reciprocal_square(v, a) * (a / 2)
    if surrogate == "erf":
        return torch.exp(v * v * -(a * a)) * (a / math.sqrt(math.pi))
    if surrogate == "piecewise_quadratic":
        return maximum(a - v.abs() * (a * a), 0.0)
    if surrogate == "piecewise_exp":
        return torch.exp(v.abs() * -a) * (a / 2)
    if surrogate == "leaky":
        return torch.where(v.abs() <= a, 1 / (2 * a), b)
    if surrogate == "leaky_k_relu":
        return torch.where(v >= 0, a, b)
    if surrogate == "log_tailed_relu":
        return torch.where(v > 0, 1 / v.clamp(min=1.0), a)
    if surrogate == "nonzero_sign_log_abs":
        return a / (v.abs() * a + 1)
    if surrogate == "q_pseudo_spike":
        return (v.abs() * (2 / (a - 1)) + 1) ** -a
    if surrogate == "s2nn":
        s = torch.sigmoid(v * a)
        return torch.where(v < 0, s * (1 - s) * a, b / (v.clamp(min=0.0) + 1))
    if surrogate == "spike_rate_escape":
        return torch.exp((v - 1).abs() * -a) * b
    if surrogate == "ste":
        inside = torch.ones_like(v)
        if a != -math.inf:
            inside = inside * (v >= a)
        if b != math.inf:
            inside = inside * (v <= b)
        return inside
    raise ValueError(f"no surrogate {surrogate}")


class Jump(torch.autograd.Function):
    """A function that jumps, with the derivative of its surrogate: one of step, above, floor, round and sign."""

    @staticmethod
    def forward(x: Tensor, kind: str, surrogate: str, a: float, b: float) -> Tensor:
        if kind == "step":
            return (x >= 0).to(x.dtype)
        if kind == "above":
            return (x > 0).to(x.dtype)
        if kind == "floor":
            return torch.floor(x)
        if kind == "round":
            return torch.round(x)
        return torch.sign(x)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        x, ctx.kind, ctx.surrogate, ctx.a, ctx.b = inputs
        ctx.save_for_backward(x)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None, None, None]:
        (x,) = ctx.saved_tensors
        at, height = x, 1.0
        if ctx.surrogate != "ste":
            if ctx.kind == "floor":
                at = x - torch.round(x)
            elif ctx.kind == "round":
                at = x - torch.floor(x) - 0.5
            elif ctx.kind == "sign":
                height = 2.0
        d = slope(at, ctx.surrogate, ctx.a, ctx.b)
        return grad * (d if height == 1.0 else d * height), None, None, None, None


def _jump(x: Tensor, kind: str, surrogate: str, a: float, b: float) -> Tensor:
    result: Tensor = Jump.apply(x, kind, surrogate, a, b)  # type: ignore[no-untyped-call]
    return result


def step(x: Tensor, surrogate: str, a: float, b: float = 0.0) -> Tensor:
    """1 where x >= 0, else 0."""
    return _jump(x, "step", surrogate, a, b)


def above(x: Tensor, surrogate: str, a: float, b: float = 0.0) -> Tensor:
    """1 where x > 0, else 0."""
    return _jump(x, "above", surrogate, a, b)


def floor_jump(x: Tensor, surrogate: str, a: float, b: float = 0.0) -> Tensor:
    return _jump(x, "floor", surrogate, a, b)


def round_jump(x: Tensor, surrogate: str, a: float, b: float = 0.0) -> Tensor:
    """Halves to even."""
    return _jump(x, "round", surrogate, a, b)


def sign_jump(x: Tensor, surrogate: str, a: float, b: float = 0.0) -> Tensor:
    return _jump(x, "sign", surrogate, a, b)


def maximum(x: Tensor, bound: float) -> Tensor:
    """The gradient is halved at a tie."""
    return torch.maximum(x, torch.full((), bound, dtype=x.dtype, device=x.device))


def minimum(x: Tensor, bound: float) -> Tensor:
    """The gradient is halved at a tie."""
    return torch.minimum(x, torch.full((), bound, dtype=x.dtype, device=x.device))


def scaled_gradient(x: Tensor, factor: Tensor | float) -> Tensor:
    """x, whose gradient is multiplied by a factor."""
    fixed = x.detach()
    return fixed + (x - fixed) * factor


def whole(x: Tensor) -> Tensor:
    """round(x) with the gradient of x."""
    return round_jump(x, "ste", -math.inf, math.inf)


# -- blocks ------------------------------------------------------------------------------------------------------------


class Block(nn.ModuleDict):
    """Layers by their names in the model file."""

    def __getitem__(self, key: str) -> Any:
        return super().__getitem__(key)


def channels_innermost(network: nn.Module) -> None:
    """Holds the weights of convolutions with their channels innermost, and so what they compute: faster on a CPU."""
    weights = [param for param in network.parameters() if param.dim() == 4]
    # In this layout PyTorch 2.13 writes the gradient of a strided convolution of one pixel 8 channels at a time, beyond the
    # end of what has fewer.
    if any(weight.shape[2:] == (1, 1) and weight.shape[1] < 8 for weight in weights):
        return
    for weight in weights:
        weight.data = weight.data.contiguous(memory_format=torch.channels_last)


# -- neurons -----------------------------------------------------------------------------------------------------------


class Neurons(nn.Module):
    """A layer of neurons over its time steps. Its states live in `forward` alone, in float32."""

    def __init__(self, steps: int, constant: bool) -> None:
        """`constant`: the input current is [N, ...], the same at every step."""
        super().__init__()
        self._steps = steps
        self._constant = constant

    def learned(self) -> tuple[Tensor, ...]:
        """Learned parameters, as the equations see them."""
        return ()

    def start(self, x: Tensor, learned: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """The states before the first step, each like the current x."""
        raise NotImplementedError

    def step(
        self, x: Tensor, states: tuple[Tensor, ...], learned: tuple[Tensor, ...], t: int
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """The spikes of time step t, from 1, and the states behind it."""
        raise NotImplementedError

    def forward(self, x: Tensor) -> Tensor:
        """Currents to spikes [steps * N, ...]."""
        x = x.float()
        currents = [x] * self._steps if self._constant else x.chunk(self._steps)
        learned = self.learned()
        states = self.start(currents[0], learned)
        spikes = []
        for t, current in enumerate(currents):
            fired, states = self.step(current, states, learned, t + 1)
            spikes.append(fired)
        return torch.cat(spikes) if len(spikes) > 1 else spikes[0]


class FedNeurons(nn.Module):
    """A layer of neurons that are fed more than x at every step: further currents, and random numbers that they draw."""

    draws: tuple[str, ...] = ()

    def __init__(self, steps: int, constant: tuple[bool, ...]) -> None:
        """`constant`, of x and each further current: it is [N, ...], the same at every step."""
        super().__init__()
        self._steps = steps
        self._constant = constant

    def learned(self) -> tuple[Tensor, ...]:
        """Learned parameters, as the equations see them."""
        return ()

    def start(self, x: Tensor, learned: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """The states before the first step, each like the current x."""
        raise NotImplementedError

    def step(
        self, x: Tensor, states: tuple[Tensor, ...], learned: tuple[Tensor, ...], t: int, more: tuple[Tensor, ...]
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """The spikes of time step t, from 1, and the states behind it; `more`: further currents, then what is drawn."""
        raise NotImplementedError

    def drawn(self, x: Tensor, given: tuple[Tensor | None, ...]) -> list[tuple[Tensor, ...]]:
        """What is drawn at each step for neurons like x [N, ...]; `given` [steps * N, ...] is taken where it is there."""
        trains = []
        for kind, values in zip(self.draws, given, strict=True):
            if values is None:
                shape = (self._steps * x.shape[0], *x.shape[1:])
                made = torch.rand if kind == "uniform" else torch.randn
                values = made(shape, device=x.device)
            trains.append(values.chunk(self._steps))
        return [tuple(train[t] for train in trains) for t in range(self._steps)]

    def forward(self, x: Tensor, more: tuple[Tensor, ...], drawn: tuple[Tensor | None, ...]) -> Tensor:
        """Currents to spikes [steps * N, ...]."""
        trains = [
            [train.float()] * self._steps if constant else list(train.float().chunk(self._steps))
            for train, constant in zip((x, *more), self._constant, strict=True)
        ]
        numbers = self.drawn(trains[0][0], drawn)
        learned = self.learned()
        states = self.start(trains[0][0], learned)
        spikes = []
        for t in range(self._steps):
            others = (*(train[t] for train in trains[1:]), *numbers[t])
            fired, states = self.step(trains[0][t], states, learned, t + 1, others)
            spikes.append(fired)
        return torch.cat(spikes) if len(spikes) > 1 else spikes[0]


def bit_gradient(bits: Tensor, neurons: int, signed: bool) -> Tensor:
    """1 / sqrt(neurons * hi), hi the highest level of learned bits: the factor of the gradients of bits and step size."""
    now = torch.round(bits.detach())
    highest = maximum(torch.pow(2.0, now - 1 if signed else now) - 1, 1.0)
    return 1 / torch.sqrt(highest * neurons)


# -- weights on grids --------------------------------------------------------------------------------------------------


def _signs(v: Tensor) -> Tensor:
    """-1 or 1, with the gradient of v where |v| <= 1."""
    passing = minimum(maximum(v, -1.0), 1.0)
    return passing + (torch.where(v >= 0, 1.0, -1.0) - passing).detach()


def grid_weight(weight: Tensor, step_size: Tensor, bits: Tensor | int) -> Tensor:
    """Weights on a grid of learned step size and fixed (int) or learned bits (ABA eq. 6, 16-20)."""
    count = weight.numel()
    if isinstance(bits, int):
        highest = 1 if bits == 1 else 2 ** (bits - 1) - 1
        size = scaled_gradient(step_size, 1 / math.sqrt(count * highest))
        v = weight / size
        if bits == 1:
            return size * _signs(v)
        lowest = -(2 ** (bits - 1))
        codes = round_jump(v, "ste", lowest, highest)
        return size * (codes + (minimum(maximum(codes, lowest), highest) - codes).detach())
    now = whole(bits).detach()
    factor = 1 / torch.sqrt(maximum(torch.pow(2.0, now - 1) - 1, 1.0) * count)
    b = whole(scaled_gradient(bits, factor))
    size = scaled_gradient(step_size, factor)
    half = torch.pow(2.0, b - 1)
    one = b.detach() == 1
    lo, hi = -half, torch.where(one, half, half - 1)
    v = weight / size
    over, under = v >= hi.detach(), v <= lo.detach()
    several = torch.where(over, hi.detach(), torch.where(under, lo.detach(), whole(v)))
    grid = size * torch.where(one, _signs(v), several)
    bound = torch.where(over, hi, torch.where(under, lo, 0.0))
    pull = size.detach() * bound
    return grid + (pull - pull.detach())


class _Weighted(nn.Module):
    """A weight, perhaps (`quantised`) on a grid of `bits`, or of learned bits, and perhaps a bias."""

    def __init__(self, shape: Sequence[int], out: int, bias: bool, bits: int | None, quantised: bool) -> None:
        super().__init__()
        self._bits = bits
        self._quantised = quantised
        self.weight = nn.Parameter(torch.zeros(tuple(shape)))
        self.register_parameter("bias", nn.Parameter(torch.zeros(out)) if bias else None)
        if quantised:
            self.weight_step = nn.Parameter(torch.ones(1))
            if bits is None:
                self.weight_bits = nn.Parameter(torch.ones(1))

    def effective(self) -> Tensor:
        """The weight as it acts."""
        if not self._quantised:
            return self.weight
        return grid_weight(self.weight, self.weight_step, self.weight_bits if self._bits is None else self._bits)

    def with_bias(self, y: Tensor) -> Tensor:
        bias = self._parameters["bias"]
        return y if bias is None else y + bias.reshape(-1, *([1] * (y.dim() - 2)))


class Convolution(_Weighted):
    """A convolution with pads of its own on each side: top, left, bottom, right."""

    def __init__(
        self,
        channels: int,
        out: int,
        kernel: tuple[int, int],
        stride: tuple[int, int] = (1, 1),
        pads: tuple[int, int, int, int] = (0, 0, 0, 0),
        groups: int = 1,
        dilation: tuple[int, int] = (1, 1),
        bias: bool = True,
        bits: int | None = None,
        quantised: bool = False,
    ) -> None:
        super().__init__((out, channels // groups, *kernel), out, bias, bits, quantised)
        self._window = (stride, pads, dilation, groups)

    def forward(self, x: Tensor) -> Tensor:
        return self.with_bias(convolve(x, self.effective(), *self._window))


class Convolution3d(_Weighted):
    """A convolution over depth, height and width, with pads of its own on each side: those before, then those behind."""

    def __init__(
        self,
        channels: int,
        out: int,
        kernel: tuple[int, int, int],
        stride: tuple[int, int, int] = (1, 1, 1),
        pads: tuple[int, int, int, int, int, int] = (0, 0, 0, 0, 0, 0),
        groups: int = 1,
        dilation: tuple[int, int, int] = (1, 1, 1),
        bias: bool = True,
        bits: int | None = None,
        quantised: bool = False,
    ) -> None:
        super().__init__((out, channels // groups, *kernel), out, bias, bits, quantised)
        front, top, left, back, bottom, right = pads
        self._pads = (left, right, top, bottom, front, back)
        self._window = (stride, 0, dilation, groups)

    def forward(self, x: Tensor) -> Tensor:
        wide = functional.pad(x, self._pads) if any(self._pads) else x
        stride, padding, dilation, groups = self._window
        return self.with_bias(functional.conv3d(wide, self.effective(), None, stride, padding, dilation, groups))


class TransposedConvolution(_Weighted):
    """A transposed convolution; its weight is [out, in / groups, kh, kw]."""

    def __init__(
        self,
        channels: int,
        out: int,
        kernel: tuple[int, int],
        size: tuple[int, int],
        stride: tuple[int, int],
        pads: tuple[int, int, int, int],
        dilation: tuple[int, int],
        groups: int,
        bias: bool,
        bits: int | None = None,
        quantised: bool = False,
    ) -> None:
        super().__init__((out, channels // groups, *kernel), out, bias, bits, quantised)
        self._window = (size, stride, pads, dilation, groups)

    def forward(self, x: Tensor) -> Tensor:
        weight = self.effective()
        groups = self._window[4]
        out, inner, kh, kw = weight.shape
        turned = weight.reshape(groups, out // groups, inner, kh * kw).permute(0, 2, 1, 3)
        weight = turned.reshape(groups * inner, out // groups, kh, kw)
        return self.with_bias(convolve_transposed(x, weight, *self._window))


class QuantisedLinear(_Weighted):
    """A linear layer with weights on a grid of `bits`, or of learned bits."""

    def __init__(self, features: int, out: int, bias: bool, bits: int | None) -> None:
        super().__init__((out, features), out, bias, bits, True)

    def forward(self, x: Tensor) -> Tensor:
        return functional.linear(x, self.effective(), self._parameters["bias"])


class ChannelConvolution(nn.Module):
    """One kernel of odd length over the channels of [C, 1, 1]."""

    def __init__(self, kernel: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(kernel))

    def forward(self, x: Tensor) -> Tensor:
        row = x.reshape(x.shape[0], 1, x.shape[1])
        y = functional.conv1d(row, self.weight.reshape(1, 1, -1), padding=(self.weight.numel() - 1) // 2)
        return y.reshape(x.shape)


class StepMixing(nn.Module):
    """Sums over all time steps: y(t) = sum over k of weight[t, k] * x(k), + bias[t]."""

    def __init__(self, steps: int, bias: bool) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(steps, steps))
        self.register_parameter("bias", nn.Parameter(torch.zeros(steps)) if bias else None)

    def forward(self, x: Tensor, given: int) -> Tensor:
        steps = self.weight.shape[0]
        rows = x.reshape(given, -1).expand(steps, -1)
        mixed = self.weight @ rows
        bias = self._parameters["bias"]
        if bias is not None:
            mixed = mixed + bias.reshape(-1, 1)
        return mixed.reshape(x.shape[0] // given * steps, *x.shape[1:])


class Affine(nn.Module):
    """x * scale + shift: per channel, or element by element; given, or `learned`: both of them, or the shift."""

    scale: Tensor
    shift: Tensor | None

    def __init__(
        self, scale: tuple[int, ...], shift: tuple[int, ...] | None, rank: int, learned: str = "none"
    ) -> None:
        super().__init__()
        self._rank = rank
        for name, value in (("scale", torch.ones(scale)), ("shift", None if shift is None else torch.zeros(shift))):
            if value is not None and learned in ("both", name):
                self.register_parameter(name, nn.Parameter(value))
            else:
                self.register_buffer(name, value)

    def _wide(self, x: Tensor) -> Tensor:
        return x.reshape(-1, *([1] * (self._rank - 1))) if x.dim() == 1 else x

    def forward(self, x: Tensor) -> Tensor:
        y = x * self._wide(self.scale)
        shift = self.shift
        return y if shift is None else y + self._wide(shift)


class Embedding(nn.Module):
    """A row of the weight for each whole number from 0; zeros for any other number."""

    def __init__(self, words: int, features: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(words, features))

    def forward(self, x: Tensor) -> Tensor:
        words = len(self.weight)
        known = (x >= 0) & (x < words) & (x == x.round())
        rows = functional.embedding(x.where(known, torch.zeros_like(x)).long(), self.weight)
        return rows * known.unsqueeze(-1)


class LayerNorm(nn.Module):
    """Normalises along an axis, with a gain and a shift for each place there."""

    def __init__(self, places: int, *, axis: int, epsilon: float, gamma: bool, beta: bool) -> None:
        super().__init__()
        self._places = places
        self._axis = axis
        self._epsilon = epsilon
        self.gamma = nn.Parameter(torch.ones(places)) if gamma else None
        self.beta = nn.Parameter(torch.zeros(places)) if beta else None

    def forward(self, x: Tensor) -> Tensor:
        last = x.movedim(self._axis, -1)
        return functional.layer_norm(last, (self._places,), self.gamma, self.beta, self._epsilon).movedim(-1, self._axis)


class Dropout(nn.Module):
    """Drops values in training, of a sample the same at all of its time steps."""

    def __init__(self, rate: float, steps: int) -> None:
        super().__init__()
        self._rate = rate
        self._steps = steps

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """`mask` [N, ...]: 0, or 1 / (1 - rate); drawn where it isn't given."""
        if not self.training:
            return x
        if mask is None:
            size = (x.shape[0] // self._steps, *x.shape[1:])
            mask = (torch.rand(size, device=x.device) >= self._rate).float() / (1 - self._rate)
        return x * over_time(mask, self._steps)


# -- batch norm --------------------------------------------------------------------------------------------------------


class SumOverProcesses(torch.autograd.Function):
    """The sum over all processes; so is its gradient."""

    @staticmethod
    def forward(x: Tensor) -> Tensor:
        total = x.clone()
        distributed.all_reduce(total)
        return total

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        pass

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        total = grad.clone()
        distributed.all_reduce(total)
        return total


class BatchNorm(nn.Module):
    """Batch normalisation over samples, time steps and positions, times a threshold (tdBN) where there is one.

    `repeats`: how many time steps a value counts for that is constant in time. With `sync` the statistics are those of
    all processes.
    """

    mean: Tensor
    variance: Tensor

    def __init__(
        self, channels: int, epsilon: float, momentum: float, threshold: float = 1.0, repeats: int = 1
    ) -> None:
        super().__init__()
        self.sync = False
        self._epsilon = epsilon
        self._momentum = momentum
        self._threshold = threshold
        self._repeats = repeats
        self.gamma = nn.Parameter(torch.ones(channels))
        self.beta = nn.Parameter(torch.zeros(channels))
        self.register_buffer("mean", torch.zeros(channels))
        self.register_buffer("variance", torch.ones(channels))

    def forward(self, x: Tensor) -> Tensor:
        gamma = self.gamma if self._threshold == 1.0 else self.gamma * self._threshold
        if not self.training:
            return functional.batch_norm(x, self.mean, self.variance, gamma, self.beta, False, 0.0, self._epsilon)
        if self.sync and distributed.is_initialized() and distributed.get_world_size() > 1:
            return self._synchronised(x.float(), gamma)
        mean, variance = torch.zeros_like(self.mean), torch.zeros_like(self.variance)
        y = functional.batch_norm(x, mean, variance, gamma, self.beta, True, 1.0, self._epsilon)
        count = x.numel() // x.shape[1]
        self._update(mean, variance * ((count - 1) / count), count)
        return y

    def _synchronised(self, x: Tensor, gamma: Tensor) -> Tensor:
        axes = [axis for axis in range(x.dim()) if axis != 1]
        shape = [1, -1] + [1] * (x.dim() - 2)
        count = x.numel() // x.shape[1] * distributed.get_world_size()
        shifted = x - self.mean.reshape(shape)
        sums = torch.stack((shifted.sum(axes), (shifted * shifted).sum(axes)))
        total: Tensor = SumOverProcesses.apply(sums)  # type: ignore[no-untyped-call]
        offset, square = total[0] / count, total[1] / count
        variance = maximum(square - offset * offset, 0.0)
        self._update(self.mean + offset.detach(), variance.detach(), count)
        gain = gamma / torch.sqrt(variance + self._epsilon)
        return shifted * gain.reshape(shape) + (self.beta - offset * gain).reshape(shape)

    def _update(self, mean: Tensor, variance: Tensor, count: int) -> None:
        """Moves the running statistics towards those of a batch; `variance` is divided by the count."""
        seen = count * self._repeats
        with torch.no_grad():
            unbiased = variance * (seen / max(seen - 1, 1))
            self.mean += (mean - self.mean) * self._momentum
            self.variance += (unbiased - self.variance) * self._momentum


# -- time --------------------------------------------------------------------------------------------------------------


def over_time(x: Tensor, steps: int) -> Tensor:
    """[N, ...], constant in time, at every step: [steps * N, ...]."""
    return x if steps == 1 else x.repeat(steps, *([1] * (x.dim() - 1)))


def time_step(x: Tensor, steps: int, t: int) -> Tensor:
    """Time step t, from 0, of [steps * N, ...]."""
    return x.chunk(steps)[t]


def steps_apart(x: Tensor, steps: int) -> Tensor:
    """[steps * N, ...] as [steps, N, ...]."""
    return x.reshape(steps, x.shape[0] // steps, *x.shape[1:])


def frames_first(x: Tensor) -> Tensor:
    """Frames [N, steps, ...] as [steps * N, ...]."""
    return x.transpose(0, 1).flatten(0, 1)


def read_out(x: Tensor, steps: int, kind: str) -> Tensor:
    """What is read of [steps * N, ...]: the mean over the steps, their sum, the last, the greatest, how early the first is."""
    if steps == 1:
        return x
    apart = steps_apart(x, steps)
    if kind == "sum":
        return apart.sum(0)
    if kind == "last":
        return apart[-1]
    if kind == "max":
        return apart.amax(0)
    if kind == "first_spike":
        left = torch.arange(steps, 0, -1, device=x.device, dtype=x.dtype)
        return (apart * left.reshape(-1, *(1 for _ in apart.shape[1:]))).amax(0)
    return apart.sum(0) * (1 / steps)


def bernoulli(x: Tensor, steps: int, uniform: Tensor | None) -> Tensor:
    """1 with probability x at every step; `uniform` numbers [steps * N, ...] are drawn where they aren't given."""
    train = over_time(x, steps)
    drawn = torch.rand_like(train) if uniform is None else uniform
    return (drawn < train).float()


def squeeze(x: Tensor, steps: int, counted: int) -> Tensor:
    """The mean over the first time steps."""
    parts = x.chunk(steps)
    total = parts[0]
    for part in parts[1:counted]:
        total = total + part
    return total if counted == 1 else total * (1 / counted)


def squeeze_learned(x: Tensor, steps: int, learned: Tensor) -> Tensor:
    """The mean over the first round(learned) time steps."""
    counted = whole(learned)
    parts = x.chunk(steps)
    total = parts[0]
    for t, part in enumerate(parts[1:], 1):
        total = total + part * (counted.detach() >= t + 1).float()
    return total / counted


def lag(x: Tensor, steps: int, by: int) -> Tensor:
    """The train as it was some steps before; 0 where there was nothing."""
    size = x.shape[0] // steps
    by = min(by, steps)
    nothing = x.new_zeros((size * by, *x.shape[1:]))
    return nothing if by == steps else torch.cat((nothing, x[: size * (steps - by)]))


def scan(
    body: Callable[..., tuple[Tensor, ...]],
    steps: int,
    batch: int,
    states: Sequence[Tensor],
    trains: Sequence[Tensor],
    fixed: Sequence[Tensor],
    reverse: bool = False,
) -> list[Tensor]:
    """A loop over time: the states' last values, then what the body gives beside them, of all steps."""
    now = list(states)
    parts = [train.chunk(steps) for train in trains]
    stacked: list[tuple[Tensor, ...]] = []
    for t in reversed(range(steps)) if reverse else range(steps):
        results = body(*now, *(part[t] for part in parts), *fixed)
        now = list(results[: len(now)])
        stacked.append(results[len(now) :])
    if reverse:
        stacked.reverse()
    return [*now, *(torch.cat(pieces) for pieces in zip(*stacked, strict=True))]


# -- windows -----------------------------------------------------------------------------------------------------------


def _even(pads: tuple[int, int, int, int]) -> bool:
    return pads[0] == pads[2] and pads[1] == pads[3]


def _padded(x: Tensor, pads: tuple[int, int, int, int], value: float) -> Tensor:
    top, left, bottom, right = pads
    return functional.pad(x, (left, right, top, bottom), value=value) if any(pads) else x


def convolve(
    x: Tensor,
    weight: Tensor,
    stride: tuple[int, int],
    pads: tuple[int, int, int, int],
    dilation: tuple[int, int],
    groups: int,
) -> Tensor:
    """A convolution; pads are top, left, bottom, right."""
    if _even(pads):
        return functional.conv2d(x, weight, None, stride, (pads[0], pads[1]), dilation, groups)
    return functional.conv2d(_padded(x, pads, 0.0), weight, None, stride, 0, dilation, groups)


def convolve_transposed(
    x: Tensor,
    weight: Tensor,
    size: tuple[int, int],
    stride: tuple[int, int],
    pads: tuple[int, int, int, int],
    dilation: tuple[int, int],
    groups: int,
) -> Tensor:
    """The transpose of a convolution with this weight, whose input is of a size."""
    y = functional.conv_transpose2d(x, weight, None, stride, 0, 0, groups, dilation)
    top, left, _, _ = pads
    wanted = (top + size[0], left + size[1])
    more = (max(0, wanted[0] - y.shape[2]), max(0, wanted[1] - y.shape[3]))
    if any(more):
        y = functional.pad(y, (0, more[1], 0, more[0]))
    return y[:, :, top : wanted[0], left : wanted[1]]


def max_pool(
    x: Tensor, kernel: tuple[int, int], stride: tuple[int, int], pads: tuple[int, int, int, int]
) -> Tensor:
    """The greatest of each window; padding is never chosen."""
    return functional.max_pool2d(_padded(x, pads, -math.inf), kernel, stride)


def max_of_counts(
    x: Tensor, steps: int, kernel: tuple[int, int], stride: tuple[int, int], pads: tuple[int, int, int, int]
) -> Tensor:
    """The running maximum of counts in each window, as spikes."""
    counts = steps_apart(x, steps).cumsum(0).flatten(0, 1)
    most = steps_apart(max_pool(counts, kernel, stride, pads), steps)
    return torch.cat((most[:1], most[1:] - most[:-1])).flatten(0, 1)


def average_pool(
    x: Tensor,
    kernel: tuple[int, int],
    stride: tuple[int, int],
    pads: tuple[int, int, int, int],
    include_pad: bool,
) -> Tensor:
    """The mean of each window: of all of it, or of what lies inside the input."""
    if not any(pads):
        return functional.avg_pool2d(x, kernel, stride)
    padded = functional.avg_pool2d(_padded(x, pads, 0.0), kernel, stride)
    if include_pad:
        return padded
    ones = torch.ones((1, 1, *x.shape[2:]), dtype=x.dtype, device=x.device)
    return padded / functional.avg_pool2d(_padded(ones, pads, 0.0), kernel, stride)
