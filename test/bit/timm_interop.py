"""Exchanges BiT weights with timm in both directions and compares the logits.

usage: timm_interop.py BIT_TOOL [50x1 … | all]

A numpy .npz in the official layout goes through our converter into timm, strictly; a torch.save of timm's state dict comes
back as .npz, bit for bit. The official layout is written down here once more, independently of libzoo/bit/names.cpp.
With sizes, or `all` six of them, also compares the logits of those networks on 32x32 pictures; R152x4 needs 12 GB.
"""
import pathlib
import subprocess
import sys
import tempfile

from timm_peer import np, safetensors, timm, torch

# Parameters without a head (the paper's six networks).
BODIES = {"50x1": 23_500_352, "50x3": 211_174_080, "101x1": 42_492_480, "101x3": 381_789_888, "152x2": 232_238_208, "152x4": 928_340_224}
RELATIVE_TOLERANCE = 1e-3  # of the largest logit
TOLERANCE = 1e-4  # between two float32 implementations whose epsilons differ (1e-8 in timm, 1e-10 here)
NORM = {"weight": "gamma", "bias": "beta"}


def official_name(name):
    parts = name.split(".")
    if parts[0] == "stem":
        return "resnet/root_block/standardized_conv2d/kernel"
    if parts[0] == "norm":
        return f"resnet/group_norm/{NORM[parts[1]]}"
    if parts[0] == "head":
        return "resnet/head/conv2d/" + {"weight": "kernel", "bias": "bias"}[parts[2]]
    _, stage, _, block, layer, *rest = parts
    unit = f"resnet/block{int(stage) + 1}/unit{int(block) + 1:02d}"
    if layer == "downsample":
        return f"{unit}/a/proj/standardized_conv2d/kernel"
    letter = "abc"[int(layer[-1]) - 1]
    return f"{unit}/{letter}/standardized_conv2d/kernel" if layer.startswith("conv") else f"{unit}/{letter}/group_norm/{NORM[rest[0]]}"


def official(state):
    arrays = {}
    for name, tensor in state.items():
        array = tensor.numpy()
        arrays[official_name(name)] = np.ascontiguousarray(array.transpose(2, 3, 1, 0)) if array.ndim == 4 else array
    return arrays


def random_model(seed, name="resnetv2_50x1_bit"):
    torch.manual_seed(seed)
    model = timm.create_model(name, pretrained=False, num_classes=10).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.ndim == 1:
                parameter.add_(0.1 * torch.randn_like(parameter))
            elif name.startswith("head"):
                parameter.copy_(0.02 * torch.randn_like(parameter))
            else:
                parameter.copy_(0.05 * torch.randn_like(parameter))  # far above both epsilons; timm's own start is not in wide layers
    return model


def same(model, tensors):
    state = model.state_dict()
    return state.keys() == tensors.keys() and all(torch.equal(tensors[name], value) for name, value in state.items())


def main():
    tool = sys.argv[1]
    torch.set_num_threads(2)
    failures = []

    def check(what, ok, figure=""):
        print(f"{'ok' if ok else 'FAIL'}  {what}{'  ' if figure else ''}{figure}")
        if not ok:
            failures.append(what)

    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)

        def call(*words):
            subprocess.run([tool, *map(str, words)], check=True)

        def ours(checkpoint, x):
            safetensors.torch.save_file({"x": x}, folder / "x.safetensors")
            call("logits", checkpoint, folder / "x.safetensors", folder / "y.safetensors")
            return safetensors.torch.load_file(folder / "y.safetensors")["logits"]

        source = random_model(0)
        arrays = official(source.state_dict())
        np.savez(folder / "official.npz", **arrays)
        call("convert", folder / "official.npz", folder / "timm.safetensors", "timm")
        target = timm.create_model("resnetv2_50x1_bit", pretrained=False, num_classes=10).eval()
        target.load_state_dict(safetensors.torch.load_file(folder / "timm.safetensors"), strict=True)
        check("official .npz -> timm safetensors: every tensor bit for bit", same(source, target.state_dict()))
        torch.save(source.state_dict(), folder / "timm.pth")
        for size in (64, 128):
            x = torch.rand(2, 3, size, size, generator=torch.Generator().manual_seed(size)) * 2 - 1
            with torch.no_grad():
                wanted = target(x)
            for file in ("official.npz", "timm.safetensors", "timm.pth"):
                worst = (ours(folder / file, x) - wanted).abs().max().item()
                figure = f"max difference {worst:.2e} of {wanted.abs().max():.2f}"
                check(f"{file} {size}x{size}: logits as timm's", worst <= TOLERANCE, figure)

        call("convert", folder / "timm.pth", folder / "back.npz", "official")
        back = np.load(folder / "back.npz")
        check("timm .pth -> official .npz: the same names", sorted(back.files) == sorted(arrays))
        check("timm .pth -> official .npz: every array bit for bit", all(np.array_equal(back[k], arrays[k]) for k in back.files))
        call("convert", folder / "back.npz", folder / "back.pth", "timm")
        loaded = torch.load(folder / "back.pth", weights_only=True)
        check("official .npz -> timm .pth: torch.load(weights_only=True)", same(source, loaded))
        for naming in ("ours", "hf", "big_vision"):
            call("convert", folder / "timm.pth", folder / f"{naming}.safetensors", naming)
            call("convert", folder / f"{naming}.safetensors", folder / "round.safetensors", "timm")
            again = safetensors.torch.load_file(folder / "round.safetensors")
            check(f"timm -> {naming} -> timm: every tensor bit for bit", same(source, again))
        for size in BODIES if sys.argv[2:] == ["all"] else sys.argv[2:]:
            model = random_model(1, f"resnetv2_{size}_bit")
            count = sum(p.numel() for name, p in model.named_parameters() if not name.startswith("head"))
            check(f"R{size}: {count:,} parameters without the head", count == BODIES[size])
            x = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(7)) * 2 - 1
            with torch.no_grad():
                wanted = model(x)
            safetensors.torch.save_file(model.state_dict(), folder / "large.safetensors")
            del model  # R152x4 and its copy need the room
            worst = ((ours(folder / "large.safetensors", x) - wanted).abs().max() / wanted.abs().max()).item()
            check(f"R{size}: logits as timm's", worst <= RELATIVE_TOLERANCE, f"max difference {worst:.1e} of the largest logit")
    print("FAILED: " + "; ".join(failures) if failures else "all as in timm")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
