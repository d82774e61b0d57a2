"""Gives the same weights and pictures to ours and to a PyTorch network and compares features, projections and logits.

usage: pytorch_interop.py SIMCLR_TOOL [ENCODER …]      default: r50_1x_sk0 r50_1x_sk1

The PyTorch network is written down here from the description of the official code (TensorFlow's padding, selective kernels, a
projection in every group), independently of libzoo/nn/res_net.cpp, with modules of torch.nn. Its weights come from our file, and from
the same network under the official TensorFlow names, whose order of creation is written down here once more too.
"""
import pathlib
import subprocess
import sys
import tempfile

try:
    import numpy as np
    import safetensors.torch
    import torch
    from torch import nn
    from torch.nn import functional as F
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

TOLERANCE = 1e-4  # relative, of the whole output
BLOCKS = {18: (2, 2, 2, 2), 50: (3, 4, 6, 3)}


def conv(cin, cout, kernel, stride=1):
    return nn.Conv2d(cin, cout, kernel, stride, (kernel - 1) // 2, bias=False)


def same_pool(x):
    pads = []
    for side in (x.shape[3], x.shape[2]):
        total = max(((side + 1) // 2 - 1) * 2 + 3 - side, 0)
        pads += [total // 2, total - total // 2]
    return F.max_pool2d(F.pad(x, pads, value=float("-inf")), 3, 2)


class SelectiveKernel(nn.Module):
    def __init__(self, filters, stride):
        super().__init__()
        inner = max(int(filters * 0.0625), 32)
        self.conv, self.bn = conv(filters, 2 * filters, 3, stride), nn.BatchNorm2d(2 * filters)
        self.reduce, self.reduce_bn = conv(filters, inner, 1), nn.BatchNorm2d(inner)
        self.expand = conv(inner, 2 * filters, 1)

    def forward(self, x):
        streams = torch.stack(F.relu(self.bn(self.conv(x))).chunk(2, 1))
        pooled = streams.sum(0).mean((2, 3), keepdim=True)
        weights = torch.stack(self.expand(F.relu(self.reduce_bn(self.reduce(pooled)))).chunk(2, 1)).softmax(0)
        return (streams * weights).sum(0)


class Shortcut(nn.Module):
    def __init__(self, cin, cout, stride, selective):
        super().__init__()
        self.conv, self.bn = conv(cin, cout, 1, 1 if selective else stride), nn.BatchNorm2d(cout)
        self.selective, self.stride = selective, stride

    def forward(self, x):
        if self.selective and self.stride == 2:
            x = F.avg_pool2d(F.pad(x, (0, 1, 0, 1)), 2, 2)
        elif self.selective:
            ones = torch.ones_like(x[:1, :1])
            sums = F.avg_pool2d(F.pad(x, (0, 1, 0, 1)), 2, 1)
            x = sums / F.avg_pool2d(F.pad(ones, (0, 1, 0, 1)), 2, 1)
        return self.bn(self.conv(x))


class Block(nn.Module):
    def __init__(self, cin, filters, stride, first, bottleneck, selective):
        super().__init__()
        cout = 4 * filters if bottleneck else filters
        self.downsample = Shortcut(cin, cout, stride, selective) if first else None
        self.conv1, self.bn1 = conv(cin, filters, 1 if bottleneck else 3, 1 if bottleneck else stride), nn.BatchNorm2d(filters)
        self.sk = SelectiveKernel(filters, stride) if selective else None
        if not selective:
            self.conv2, self.bn2 = conv(filters, filters, 3, stride if bottleneck else 1), nn.BatchNorm2d(filters)
        if bottleneck:
            self.conv3, self.bn3 = conv(filters, cout, 1), nn.BatchNorm2d(cout)
        self.bottleneck = bottleneck

    def forward(self, x):
        shortcut = self.downsample(x) if self.downsample else x
        y = F.relu(self.bn1(self.conv1(x)))
        y = self.sk(y) if self.sk else self.bn2(self.conv2(y))
        if self.bottleneck:
            y = self.bn3(self.conv3(y if self.sk else F.relu(y)))
        return F.relu(y + shortcut)


class Network(nn.Module):
    def __init__(self, name, classes):
        super().__init__()
        depth, width, selective = int(name[1:].split("_")[0]), int(name.split("_")[1][0]), name.endswith("sk1")
        bottleneck, w = depth >= 50, 64 * width
        self.stem = nn.Module()
        sizes = [(3, w // 2, 3, 2), (w // 2, w // 2, 3, 1), (w // 2, w, 3, 1)] if selective else [(3, w, 7, 2)]
        for i, size in enumerate(sizes, 1):
            setattr(self.stem, f"conv{i}", conv(*size))
            setattr(self.stem, f"bn{i}", nn.BatchNorm2d(size[1]))
        self.stages, cin = len(sizes), w
        for g, blocks in enumerate(BLOCKS[depth]):
            group = nn.Sequential()
            for b in range(blocks):
                group.append(Block(cin, w << g, 2 if b == 0 and g > 0 else 1, b == 0, bottleneck, selective))
                cin = (w << g) * (4 if bottleneck else 1)
            setattr(self, f"layer{g + 1}", group)
        self.projection = nn.Sequential()
        for j in range(3):
            layer = nn.Linear(cin, cin if j < 2 else 128, bias=False)
            layer.bn = nn.BatchNorm1d(layer.out_features)
            self.projection.append(layer)
        self.head = nn.Linear(cin, classes)

    def forward(self, x):
        for i in range(1, self.stages + 1):
            x = F.relu(getattr(self.stem, f"bn{i}")(getattr(self.stem, f"conv{i}")(x)))
        x = same_pool(x)
        for g in range(1, 5):
            x = getattr(self, f"layer{g}")(x)
        h = z = x.mean((2, 3))
        for j, layer in enumerate(self.projection):
            z = layer.bn(layer(z))
            z = F.relu(z) if j < 2 else z
        return {"features": h, "projection": z, "logits": self.head(h)}


def official(network):
    """The arrays of the official checkpoint: convolutions and batch norms numbered in the order in which the code makes them."""
    arrays, numbers = {}, {"conv2d": 0, "batch_normalization": 0}

    def scope(layer):
        number = numbers[layer]
        numbers[layer] += 1
        return f"base_model/{layer}" + (f"_{number}" if number else "")

    def norm(name, bn, beta=True):
        values = {"gamma": bn.weight, "beta": bn.bias, "moving_mean": bn.running_mean, "moving_variance": bn.running_var}
        for part, value in values.items():
            if part != "beta" or beta:
                arrays[f"{name}/{part}"] = value.detach().numpy()

    for name, module in network.named_modules():
        if isinstance(module, nn.Conv2d):
            arrays[scope("conv2d") + "/kernel"] = np.ascontiguousarray(module.weight.detach().permute(2, 3, 1, 0).numpy())
        elif isinstance(module, nn.BatchNorm2d):
            norm(scope("batch_normalization"), module)
    for j, layer in enumerate(network.projection):
        arrays[f"head_contrastive/nl_{j}/dense/kernel"] = np.ascontiguousarray(layer.weight.detach().t().numpy())
        norm(f"head_contrastive/nl_{j}/batch_normalization", layer.bn, beta=j < 2)
    arrays["head_supervised/linear_layer/dense/kernel"] = np.ascontiguousarray(network.head.weight.detach().t().numpy())
    arrays["head_supervised/linear_layer/dense/bias"] = network.head.bias.detach().numpy()
    arrays["global_step"] = np.int64(250228)
    return arrays


def main():
    tool, encoders = sys.argv[1], sys.argv[2:] or ["r50_1x_sk0", "r50_1x_sk1"]
    torch.set_num_threads(2)
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)

        def ours(checkpoint):
            subprocess.run([tool, "outputs", checkpoint, folder / "x.safetensors", folder / "y.safetensors"], check=True)
            return safetensors.torch.load_file(folder / "y.safetensors")

        for encoder in encoders:
            subprocess.run([tool, "random", encoder, "10", folder / "ours.safetensors"], check=True)
            network = Network(encoder, 10).eval()
            state = safetensors.torch.load_file(folder / "ours.safetensors")
            theirs = network.state_dict()
            state |= {name: value for name, value in theirs.items() if name.endswith("num_batches_tracked")}
            state["projection.2.bn.bias"] = torch.zeros(128)  # ours has none
            state["head.weight"] = 0.02 * torch.randn(10, network.head.in_features, generator=torch.Generator().manual_seed(3))
            network.load_state_dict(state)
            np.savez(folder / "official.npz", **official(network))
            for size in (224, 97):  # an odd side too: there the paddings differ
                x = torch.rand(2, 3, size, size, generator=torch.Generator().manual_seed(size))
                safetensors.torch.save_file({"x": x}, folder / "x.safetensors")
                with torch.no_grad():
                    want = network(x)
                for source in ("ours.safetensors", "official.npz"):
                    got = ours(folder / source)
                    for name in ("features", "projection") + (("logits",) if source == "official.npz" else ()):
                        distance = ((got[name] - want[name]).norm() / want[name].norm()).item()
                        failed = failed or not distance <= TOLERANCE
                        print(f"{'ok' if distance <= TOLERANCE else 'FAIL'}  {encoder} {size} {source} {name}: relative difference {distance:.2g}")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
