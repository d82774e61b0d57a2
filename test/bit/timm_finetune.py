"""Fine-tunes R50x1 by BiT-HyperRule in PyTorch on the very batches that our own fine-tuning saw, and compares the losses.

usage: timm_finetune.py BIT_TOOL [STEPS]

Same start (random body with small residual branches, zero head), same 32x32 pictures in the same order, same MixUp; the rule,
the loss and the updates are written down here once more: timm's network, torch's SGD. Every step's loss must agree within 1e-3 of itself.
"""
import pathlib
import subprocess
import sys
import tempfile

from timm_peer import safetensors, timm, torch
import torch.nn.functional as F

RELATIVE_TOLERANCE = 1e-3


def hyper_rule(step, steps):
    """The schedule of less than 20,000 examples (bit_hyperrule.py), its 500 steps squeezed into `steps`."""
    supports = [round(s * steps / 500) for s in (100, 200, 300, 400, 500)]
    if step < supports[0]:
        return 0.003 * step / supports[0]
    return 0.003 / 10 ** sum(s < step for s in supports[1:-1])


def main():
    tool, steps = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 50
    torch.manual_seed(0)
    model = timm.create_model("resnetv2_50x1_bit", pretrained=False, num_classes=10)
    # Fifty random layers are chaos: from timm's own start, PyTorch in float32 and in float64 are 2e-2 apart after 50 steps. With
    # kernels of this spread, far above the epsilons, and each residual branch at a tenth, rounding stays rounding.
    for name, parameter in model.named_parameters():
        if parameter.ndim == 4 and not name.startswith("head"):
            torch.nn.init.normal_(parameter, std=0.3)
        if name.endswith("norm3.weight"):
            torch.nn.init.constant_(parameter, 0.1)
    torch.nn.init.zeros_(model.head.fc.weight)
    torch.nn.init.zeros_(model.head.fc.bias)
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        safetensors.torch.save_file(model.state_dict(), folder / "start.safetensors")
        subprocess.run([tool, "finetune", folder / "start.safetensors", str(steps), folder / "ours.safetensors"], check=True)
        ours = safetensors.torch.load_file(folder / "ours.safetensors")

    sgd = torch.optim.SGD(model.parameters(), lr=0.003, momentum=0.9)
    model.train()
    worst, first, last = 0.0, None, None
    for step in range(steps):
        images, labels, partners = (ours[key][step] for key in ("images", "labels", "partner_labels"))
        share = ours["lambda"][step].item()
        logits = model(images.contiguous())
        loss = share * F.cross_entropy(logits, labels) + (1 - share) * F.cross_entropy(logits, partners)
        sgd.zero_grad()
        loss.backward()
        for group in sgd.param_groups:
            group["lr"] = hyper_rule(step, steps)
        sgd.step()
        theirs, said = loss.item(), ours["loss"][step].item()
        difference = abs(said - theirs) / theirs
        if step % 10 == 0 or step == steps - 1 or difference > RELATIVE_TOLERANCE:
            print(f"step {step:3}  ours {said:.6f}  PyTorch {theirs:.6f}  relative difference {difference:.1e}")
        worst, first, last = max(worst, difference), first or theirs, theirs
    ok = worst <= RELATIVE_TOLERANCE and last < 0.9 * first
    print(f"{'ok' if ok else 'FAIL'}  {steps} steps: largest relative difference {worst:.1e}, loss {first:.3f} -> {last:.3f}")
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())
