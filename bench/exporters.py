"""Builds small networks with the tools that people quantise and export with: OUT/ARCHITECTURE.TOOL.onnx.

    python bench/exporters.py OUT [--only TEXT] [--list]

Needs torch, onnx and onnxruntime; PT2E exports need torchao, those of the new exporter onnxscript, Brevitas' need
brevitas and qonnx: tools that aren't installed are left out, and said. Weights are random, seeded by the name; batch
norms have statistics of their own; calibration data are random images with structure. `exporters.mjs` converts them.
"""

import argparse
import logging
import pathlib
import sys
import tempfile
import traceback
import warnings
import zlib

import numpy as np
import onnx
import onnxruntime as ort
import torch
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process
from torch import nn
from torch.nn import functional as F

warnings.filterwarnings("ignore")
logging.disable(logging.WARNING)


def conv_bn(i, o, k=3, s=1, g=1, act=nn.ReLU):
    layers = [nn.Conv2d(i, o, k, s, k // 2, groups=g, bias=False), nn.BatchNorm2d(o)]
    return nn.Sequential(*layers, *([] if act is None else [act()]))


class Mlp(nn.Sequential):
    shape = (24,)

    def __init__(self):
        super().__init__(nn.Linear(24, 32), nn.ReLU(), nn.Linear(32, 16), nn.ReLU(), nn.Linear(16, 10))


class MlpSoftmax(nn.Sequential):
    shape = (1, 8, 8)

    def __init__(self):
        super().__init__(
            nn.Flatten(), nn.Linear(64, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Dropout(), nn.Linear(32, 10), nn.Softmax(1)
        )


class LeNet(nn.Module):
    shape = (1, 16, 16)

    def __init__(self):
        super().__init__()
        self.c1, self.c2 = nn.Conv2d(1, 6, 5, padding=2), nn.Conv2d(6, 12, 3)
        self.f1, self.f2 = nn.Linear(12 * 9, 32), nn.Linear(32, 10)
        self.pool = nn.MaxPool2d(2)

    def forward(self, x):
        x = self.pool(F.relu(self.c1(x)))
        x = self.pool(F.relu(self.c2(x)))
        return self.f2(F.relu(self.f1(x.reshape(-1, 12 * 9))))


class LeNetAverage(LeNet):
    def __init__(self):
        super().__init__()
        self.pool = nn.AvgPool2d(2)

    def forward(self, x):
        x = self.pool(F.relu(self.c1(x)))
        x = self.pool(F.relu(self.c2(x)))
        return self.f2(F.relu(self.f1(x.view(x.size(0), -1))))


class Vgg(nn.Sequential):
    shape = (3, 16, 16)

    def __init__(self):
        super().__init__(
            conv_bn(3, 8), conv_bn(8, 8), nn.MaxPool2d(2), conv_bn(8, 16), nn.MaxPool2d(2), nn.AdaptiveAvgPool2d(2),
            nn.Flatten(), nn.Linear(64, 32), nn.ReLU(True), nn.Dropout(), nn.Linear(32, 10)
        )


class NetInNet(nn.Sequential):
    shape = (3, 16, 16)

    def __init__(self):
        super().__init__(
            conv_bn(3, 8, 5), conv_bn(8, 8, 1), nn.MaxPool2d(3, 2, 1), conv_bn(8, 12), nn.AvgPool2d(3, 2, 1),
            conv_bn(12, 10, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten()
        )


class Basic(nn.Module):
    def __init__(self, i, o, s=1, groups=1):
        super().__init__()
        self.a, self.b = conv_bn(i, o, 3, s, groups), conv_bn(o, o, act=None)
        self.short = nn.Identity() if i == o and s == 1 else conv_bn(i, o, 1, s, act=None)
        self.relu = nn.ReLU()
        self.add = torch.ao.nn.quantized.FloatFunctional()

    def forward(self, x):
        return self.relu(self.b(self.a(x)) + self.short(x))


class ResNet(nn.Module):
    shape = (3, 16, 16)

    def __init__(self, groups=1):
        super().__init__()
        self.stem = conv_bn(3, 8)
        self.body = nn.Sequential(Basic(8, 8, 1, groups), Basic(8, 16, 2, groups), Basic(16, 16, 1, groups))
        self.head = nn.Linear(16, 10)

    def forward(self, x):
        return self.head(torch.flatten(F.adaptive_avg_pool2d(self.body(self.stem(x)), 1), 1))


class ResNeXt(ResNet):
    def __init__(self):
        super().__init__(4)


class ResNetMean(ResNet):
    """Averages by two means in a row."""

    def forward(self, x):
        return self.head(self.body(self.stem(x)).mean(3).mean(2))


class PreAct(nn.Module):
    shape = (3, 16, 16)

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, padding=1)
        self.n1, self.c1 = nn.BatchNorm2d(8), nn.Conv2d(8, 8, 3, padding=1, bias=False)
        self.n2, self.c2 = nn.BatchNorm2d(8), nn.Conv2d(8, 8, 3, padding=1, bias=False)
        self.n3, self.head = nn.BatchNorm2d(8), nn.Linear(8, 10)

    def forward(self, x):
        x = self.stem(x)
        x = x + self.c2(F.relu(self.n2(self.c1(F.relu(self.n1(x))))))
        return self.head(F.relu(self.n3(x)).mean((2, 3)))


class Inverted(nn.Module):
    def __init__(self, i, o, s, t, act, attention=False, k=3):
        super().__init__()
        m = i * t
        self.expand, self.depth = conv_bn(i, m, 1, act=act), conv_bn(m, m, k, s, m, act=act)
        self.se = SqueezeExcite(m) if attention else nn.Identity()
        self.project = conv_bn(m, o, 1, act=None)
        self.skip = s == 1 and i == o

    def forward(self, x):
        y = self.project(self.se(self.depth(self.expand(x))))
        return x + y if self.skip else y


class SqueezeExcite(nn.Module):
    def __init__(self, c, gate=nn.Hardsigmoid):
        super().__init__()
        self.a, self.b, self.gate = nn.Conv2d(c, c // 4, 1), nn.Conv2d(c // 4, c, 1), gate()

    def forward(self, x):
        return x * self.gate(self.b(F.relu(self.a(F.adaptive_avg_pool2d(x, 1)))))


class MobileNetV1(nn.Sequential):
    shape = (3, 16, 16)

    def __init__(self):
        pair = lambda i, o, s: (conv_bn(i, i, 3, s, i), conv_bn(i, o, 1))
        super().__init__(
            conv_bn(3, 8, 3, 2), *pair(8, 16, 1), *pair(16, 16, 2), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 10)
        )


class MobileNetV2(nn.Sequential):
    shape = (3, 16, 16)

    def __init__(self, act=nn.ReLU6, attention=False, k=3):
        super().__init__(
            conv_bn(3, 8, act=act), Inverted(8, 8, 1, 2, act, attention, k), Inverted(8, 12, 2, 2, act, attention, k),
            Inverted(12, 12, 1, 2, act, attention), conv_bn(12, 24, 1, act=act), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
            nn.Linear(24, 10)
        )


class MobileNetV3(MobileNetV2):
    def __init__(self):
        super().__init__(nn.Hardswish, True, 5)


class EfficientNetLite(MobileNetV2):
    def __init__(self):
        super().__init__(nn.ReLU6, False, 5)


class Shuffle(nn.Module):
    def __init__(self, c):
        super().__init__()
        h = c // 2
        self.branch = nn.Sequential(conv_bn(h, h, 1), conv_bn(h, h, 3, 1, h, None), conv_bn(h, h, 1))

    def forward(self, x):
        a, b = x.chunk(2, 1)
        x = torch.cat((a, self.branch(b)), 1)
        n, c, h, w = x.shape
        return x.view(n, 2, c // 2, h, w).transpose(1, 2).reshape(n, c, h, w)


class ShuffleNet(nn.Module):
    shape = (3, 16, 16)

    def __init__(self):
        super().__init__()
        self.stem, self.pool = conv_bn(3, 8, 3, 2), nn.MaxPool2d(3, 2, 1)
        self.body, self.head = nn.Sequential(Shuffle(8), Shuffle(8)), nn.Linear(8, 10)

    def forward(self, x):
        return self.head(self.body(self.pool(self.stem(x))).mean([2, 3]))


class Shuffled(nn.Module):
    def __init__(self, groups):
        super().__init__()
        self.groups = groups

    def forward(self, x):
        n, c, h, w = x.shape
        return x.view(n, self.groups, c // self.groups, h, w).transpose(1, 2).contiguous().view(n, c, h, w)


class ShuffleGroups(ShuffleNet):
    """ShuffleNet V1: grouped 1×1 convolutions, the input average pooled and concatenated."""

    def __init__(self):
        super().__init__()
        self.g1, self.shuffle = conv_bn(8, 8, 1, 1, 2), Shuffled(2)
        self.dw, self.g2 = conv_bn(8, 8, 3, 2, 8, None), conv_bn(8, 8, 1, 1, 2, None)
        self.short, self.head = nn.AvgPool2d(3, 2, 1), nn.Linear(16, 10)

    def forward(self, x):
        x = self.pool(self.stem(x))
        y = self.g2(self.dw(self.shuffle(self.g1(x))))
        return self.head(F.relu(torch.cat((self.short(x), y), 1)).mean([2, 3]))


class Fire(nn.Module):
    def __init__(self, i, s, e):
        super().__init__()
        self.squeeze, self.one, self.three = nn.Conv2d(i, s, 1), nn.Conv2d(s, e, 1), nn.Conv2d(s, e, 3, padding=1)

    def forward(self, x):
        x = F.relu(self.squeeze(x))
        return torch.cat((F.relu(self.one(x)), F.relu(self.three(x))), 1)


class SqueezeNet(nn.Sequential):
    shape = (3, 16, 16)

    def __init__(self):
        super().__init__(
            nn.Conv2d(3, 8, 3, 2), nn.ReLU(), nn.MaxPool2d(3, 2, ceil_mode=True), Fire(8, 4, 8), Fire(16, 4, 8),
            nn.Dropout(), nn.Conv2d(16, 10, 1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()
        )


class DenseNet(nn.Module):
    shape = (3, 16, 16)

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, padding=1)
        self.norms = nn.ModuleList([nn.BatchNorm2d(8), nn.BatchNorm2d(12), nn.BatchNorm2d(16)])
        self.convs = nn.ModuleList([nn.Conv2d(8, 4, 3, padding=1), nn.Conv2d(12, 4, 3, padding=1)])
        self.trans, self.head = nn.Conv2d(16, 8, 1), nn.Linear(8, 10)

    def forward(self, x):
        x = self.stem(x)
        for norm, conv in zip(self.norms, self.convs):
            x = torch.cat((x, conv(F.relu(norm(x)))), 1)
        x = F.avg_pool2d(self.trans(F.relu(self.norms[2](x))), 2)
        return self.head(torch.flatten(F.adaptive_avg_pool2d(F.relu(x), 1), 1))


class Inception(nn.Module):
    shape = (3, 16, 16)

    def __init__(self):
        super().__init__()
        self.stem = conv_bn(3, 8)
        self.a, self.b = conv_bn(8, 4, 1), nn.Sequential(conv_bn(8, 4, 1), conv_bn(4, 6))
        self.c = nn.Sequential(conv_bn(8, 4, 1), nn.Conv2d(4, 4, (1, 3), padding=(0, 1)), nn.ReLU())
        self.d = conv_bn(8, 4, 1)
        self.head = nn.Linear(18, 10)

    def forward(self, x):
        x = self.stem(x)
        y = [self.a(x), self.b(x), self.c(x), self.d(F.avg_pool2d(x, 3, 1, 1))]
        x = F.max_pool2d(torch.cat(y, 1), 3, 2)
        return self.head(F.adaptive_avg_pool2d(x, 1).squeeze(-1).squeeze(-1))


class InceptionExclude(Inception):
    def forward(self, x):
        x = self.stem(x)
        y = [self.a(x), self.b(x), self.c(x), self.d(F.avg_pool2d(x, 3, 1, 1, count_include_pad=False))]
        return self.head(F.max_pool2d(torch.cat(y, 1), 3, 2, ceil_mode=True).mean((2, 3)))


class UNet(nn.Module):
    shape = (1, 16, 16)

    def __init__(self, up="nearest"):
        super().__init__()
        self.d1, self.d2, self.mid = conv_bn(1, 4), conv_bn(4, 8), conv_bn(8, 8)
        self.up = nn.ConvTranspose2d(8, 8, 2, 2) if up == "transposed" else nn.Upsample(scale_factor=2, mode=up)
        self.u1, self.last = conv_bn(16, 8), nn.Conv2d(8, 2, 1)

    def forward(self, x):
        a = self.d2(self.d1(x))
        return self.last(self.u1(torch.cat((self.up(self.mid(F.max_pool2d(a, 2))), a), 1)))


class UNetTransposed(UNet):
    def __init__(self):
        super().__init__("transposed")


class Wave(nn.Sequential):
    """1-D."""

    shape = (2, 32)

    def __init__(self):
        super().__init__(
            nn.Conv1d(2, 8, 5, 2, 2), nn.BatchNorm1d(8), nn.ReLU(), nn.MaxPool1d(2), nn.Conv1d(8, 12, 3, padding=1),
            nn.ReLU(), nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(12, 5)
        )


class Yolo(nn.Module):
    """Two scales, joined by an upsampling; ReLU instead of SiLU."""

    shape = (3, 16, 16)

    def __init__(self, act=nn.ReLU, heads=1):
        super().__init__()
        self.stem, self.down, self.deep = conv_bn(3, 8, act=act), conv_bn(8, 12, 3, 2, act=act), conv_bn(12, 12, 3, 2, act=act)
        self.pool = nn.MaxPool2d(5, 1, 2)
        self.sppf = conv_bn(24, 12, 1, act=act)
        self.up, self.mix = nn.Upsample(scale_factor=2), conv_bn(24, 12, act=act)
        self.head, self.other, self.heads = nn.Conv2d(12, 6, 1), nn.Conv2d(12, 6, 1), heads

    def forward(self, x):
        p = self.down(self.stem(x))
        q = self.deep(p)
        q = self.sppf(torch.cat((q, self.pool(q)), 1))
        y = self.head(self.mix(torch.cat((self.up(q), p), 1)))
        return y if self.heads == 1 else (y, self.other(q))


class YoloSilu(Yolo):
    def __init__(self):
        super().__init__(nn.SiLU)


class YoloHeads(Yolo):
    def __init__(self):
        super().__init__(nn.ReLU, 2)


class C2f(nn.Module):
    """A split stage (CSP): both halves and what is made of one of them, concatenated."""

    shape = (3, 16, 16)

    def __init__(self):
        super().__init__()
        self.stem, self.one, self.two = conv_bn(3, 8), conv_bn(4, 4), conv_bn(12, 8, 1)
        self.head = nn.Linear(8, 10)

    def forward(self, x):
        y = list(self.stem(x).split((4, 4), 1))
        y.append(self.one(y[-1]) + y[-1])
        return self.head(self.two(torch.cat(y, 1)).mean((2, 3)))


class TwoHeads(nn.Module):
    shape = (3, 8, 8)

    def __init__(self):
        super().__init__()
        self.stem, self.a, self.b = conv_bn(3, 8), nn.Linear(8, 4), nn.Linear(8, 3)

    def forward(self, x):
        x = self.stem(x).mean((2, 3))
        return self.a(x), self.b(x)


class PadShortcut(nn.Module):
    """ResNet for CIFAR with option A: strided slices, channels padded with zeros."""

    shape = (3, 16, 16)

    def __init__(self):
        super().__init__()
        self.stem, self.a, self.b, self.head = conv_bn(3, 8), conv_bn(8, 16, 3, 2), conv_bn(16, 16, act=None), nn.Linear(16, 10)

    def forward(self, x):
        x = self.stem(x)
        y = self.b(self.a(x)) + F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, 4, 4))
        return self.head(F.relu(y).mean((2, 3)))


class Stem(nn.Module):
    """Explicit padding, channels averaged in two ways and a scale of its own."""

    shape = (3, 15, 15)

    def __init__(self):
        super().__init__()
        self.pad, self.c, self.d = nn.ZeroPad2d((0, 1, 0, 1)), nn.Conv2d(3, 8, 3, 2), nn.Conv2d(8, 8, 3, bias=False)
        self.head = nn.Linear(8 * 4, 10)

    def forward(self, x):
        x = F.relu(self.c(self.pad(x)))
        x = F.relu6(self.d(F.max_pool2d(self.pad(x), 2, 1)))
        return self.head(F.avg_pool2d(x, 2, 3).flatten(1))


class Gelu(nn.Sequential):
    shape = (24,)

    def __init__(self):
        super().__init__(nn.Linear(24, 16), nn.GELU(), nn.Linear(16, 16), nn.LeakyReLU(0.1), nn.Linear(16, 10))


class LeakyNet(nn.Sequential):
    shape = (3, 8, 8)

    def __init__(self):
        super().__init__(
            conv_bn(3, 8, act=lambda: nn.LeakyReLU(0.1)), conv_bn(8, 8, act=nn.ELU), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 10)
        )


class Attention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.project = nn.Linear(width, width)

    def forward(self, x):
        n, tokens, width = x.shape
        parts = self.qkv(x).reshape(n, tokens, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        q, k, v = parts[0], parts[1], parts[2]
        weights = torch.softmax(torch.matmul(q, k.transpose(-2, -1)) * (width // self.heads) ** -0.5, -1)
        return self.project(torch.matmul(weights, v).transpose(1, 2).reshape(n, tokens, width))


class Encoder(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.before, self.between = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = Attention(width, heads)
        self.mlp = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))

    def forward(self, x):
        x = x + self.attention(self.before(x))
        return x + self.mlp(self.between(x))


class VisionTransformer(nn.Module):
    """Patches, places, two encoders of two heads, the mean over the patches."""

    shape = (3, 16, 16)

    def __init__(self):
        super().__init__()
        self.patches = nn.Conv2d(3, 16, 4, 4)
        self.places = nn.Parameter(torch.randn(1, 16, 16) * 0.3)
        self.encoders = nn.Sequential(Encoder(16, 2), Encoder(16, 2))
        self.norm = nn.LayerNorm(16)
        self.head = nn.Linear(16, 10)

    def forward(self, x):
        x = self.patches(x).flatten(2).transpose(1, 2) + self.places
        return self.head(self.norm(self.encoders(x)).mean(1))


architectures = [
    Mlp, MlpSoftmax, LeNet, LeNetAverage, Vgg, NetInNet, ResNet, ResNeXt, ResNetMean, PreAct, MobileNetV1, MobileNetV2,
    MobileNetV3, EfficientNetLite, ShuffleNet, ShuffleGroups, SqueezeNet, DenseNet, Inception, InceptionExclude, UNet,
    UNetTransposed, Wave, Yolo, YoloSilu, YoloHeads, C2f, TwoHeads, PadShortcut, Stem, Gelu, LeakyNet,
    VisionTransformer,
]  # fmt: skip


def images(shape, count, seed):
    """Noise over a ramp, about standardised."""
    rng = np.random.default_rng(seed)
    ramp = np.linspace(-1, 1, shape[-1], dtype=np.float32)
    x = rng.normal(size=(count, *shape)).astype(np.float32) * 0.7 + rng.normal(size=(count, *[1] * len(shape))) * ramp
    return x.astype(np.float32)


def model_of(make, seed):
    torch.manual_seed(seed)
    model = make()
    for module in model.modules():
        if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d)):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, 0, 0.3)
    model.train()
    with torch.no_grad():
        for i in range(3):
            model(torch.from_numpy(images(make.shape, 16, seed + i)))
    return model.eval()


class Reader(CalibrationDataReader):
    def __init__(self, name, x):
        self.name, self.rows = name, iter(x)

    def get_next(self):
        row = next(self.rows, None)
        return None if row is None else {self.name: row[None]}


def float_file(model, make, path, opset=17, dynamo=False, free=True):
    x = torch.from_numpy(images(make.shape, 1 if not free else 2, 5))
    if dynamo:
        shapes = ({0: torch.export.Dim("batch")},) if free else None
        program = torch.onnx.export(model, (x,), dynamo=True, opset_version=opset, dynamic_shapes=shapes, verbose=False)
        program.save(str(path))
    else:
        axes = {"x": {0: "N"}} if free else None
        torch.onnx.export(model, (x,), str(path), dynamo=False, opset_version=opset, input_names=["x"], dynamic_axes=axes)


def ort_static(opset=17, dynamo=False, prepared=False, free=True, level=None, **settings):
    def build(model, make, out, seed, tmp):
        path = tmp / "float.onnx"
        float_file(model, make, path, opset, dynamo, free)
        if prepared:
            quant_pre_process(str(path), str(tmp / "prepared.onnx"), auto_merge=True)
            path = tmp / "prepared.onnx"
        name = onnx.load(str(path), load_external_data=False).graph.input[0].name
        defaults = dict(quant_format=QuantFormat.QDQ, activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8)
        target = out if level is None else tmp / "quantised.onnx"
        quantize_static(str(path), str(target), Reader(name, images(make.shape, 32, seed)), **{**defaults, **settings})
        if level is not None:
            session = ort.SessionOptions()
            session.graph_optimization_level = level
            session.optimized_model_filepath = str(out)
            session.log_severity_level = 3
            ort.InferenceSession(str(target), session, providers=["CPUExecutionProvider"])

    return build


def fx(backend, opset=17):
    def build(model, make, out, seed, tmp):
        from torch.ao.quantization import QConfigMapping, get_default_qconfig
        from torch.ao.quantization.quantize_fx import convert_fx, prepare_fx

        torch.backends.quantized.engine = backend
        mapping = QConfigMapping().set_global(get_default_qconfig(backend))
        x = torch.from_numpy(images(make.shape, 16, seed))
        prepared = prepare_fx(model, mapping, (x,))
        prepared(x)
        # a traced graph: the exporter asks a graph module's own graph for its outputs
        traced = torch.jit.trace(convert_fx(prepared), x[:1])
        torch.onnx.export(
            traced, (x[:1],), str(out), dynamo=False, opset_version=opset, input_names=["x"], dynamic_axes={"x": {0: "N"}}
        )

    return build


def pt2e(which="x86", opset=18):
    def build(model, make, out, seed, tmp):
        from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e

        if which == "x86":
            import torchao.quantization.pt2e.quantizer.x86_inductor_quantizer as q

            quantizer = q.X86InductorQuantizer().set_global(q.get_default_x86_inductor_quantization_config())
        else:
            sys.path.insert(0, str(pathlib.Path(__file__).parent))
            raise ImportError("executorch's XNNPACK quantiser")
        x = torch.from_numpy(images(make.shape, 16, seed))
        exported = torch.export.export(model, (x,), dynamic_shapes=({0: torch.export.Dim("batch", min=2)},)).module()
        prepared = prepare_pt2e(exported, quantizer)
        prepared(x)
        converted = convert_pt2e(prepared)
        program = torch.onnx.export(
            converted, (x[:2],), dynamo=True, opset_version=opset, dynamic_shapes=({0: torch.export.Dim("batch")},), verbose=False
        )
        program.save(str(out))

    return build


every = ort.GraphOptimizationLevel
tools = {
    "ort-qdq": ort_static(),
    "ort-qdq-s8-channel": ort_static(
        opset=18, dynamo=True, activation_type=QuantType.QInt8, per_channel=True, extra_options={"ActivationSymmetric": True}
    ),
    "ort-qdq-prepared": ort_static(prepared=True, per_channel=True),
    "ort-qdq-opset13-fixed": ort_static(opset=13, free=False),
    "ort-qdq-a16": ort_static(opset=17, activation_type=QuantType.QUInt16, extra_options={"UseQDQContribOps": True}),
    "ort-qop": ort_static(prepared=True, quant_format=QuantFormat.QOperator, weight_type=QuantType.QUInt8),
    "ort-qop-s8": ort_static(quant_format=QuantFormat.QOperator, activation_type=QuantType.QInt8, per_channel=True),
    "ort-extended": ort_static(prepared=True, level=every.ORT_ENABLE_EXTENDED),
    "ort-all": ort_static(prepared=True, level=every.ORT_ENABLE_ALL),
    "fx-qnnpack": fx("qnnpack"),
    "fx-x86": fx("x86", 13),
    "pt2e-x86": pt2e(),
}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--only", default="", help="names that contain this text")
    parser.add_argument("--list", action="store_true")
    options = parser.parse_args()
    names = {f"{make.__name__}.{tool}": (make, build) for make in architectures for tool, build in tools.items()}
    wanted = {name: pair for name, pair in names.items() if options.only in name}
    if options.list:
        return print("\n".join(wanted))
    options.out.mkdir(parents=True, exist_ok=True)
    failed = 0
    for name, (make, build) in wanted.items():
        seed = zlib.crc32(make.__name__.encode()) % 100000
        out = options.out / f"{name}.onnx"
        if out.exists():
            continue
        try:
            with tempfile.TemporaryDirectory() as tmp:
                build(model_of(make, seed), make, out, seed, pathlib.Path(tmp))
        except Exception as error:  # a tool that can't do it says so; the others go on
            failed += 1
            out.unlink(missing_ok=True)
            print(f"{name}: not built: {type(error).__name__}: {str(error).splitlines()[0][:160]}", file=sys.stderr)
            if options.only == name:
                traceback.print_exc()
    print(f"{len(wanted) - failed} of {len(wanted)} built", file=sys.stderr)


if __name__ == "__main__":
    main()
