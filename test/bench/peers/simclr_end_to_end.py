"""SimCLR pre-training steps with their data: two views of 32x32 pictures by torchvision, ResNet-18, NT-Xent, SGD.

requirements: torch, torchvision, pillow, numpy
usage: python simclr_end_to_end.py [--batch 64] [--threads 2] [--workers 2] [--steps 12]
Value = source images per second over the last steps, loader processes beside the training process on the same processors.
"""
import argparse, json, time
import numpy as np
import torch
import torch.nn.functional as F
from simclr_resnet18_step import resnet18
from simclr_two_view import Views, picture


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--batch", type=int, default=64)
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--workers", type=int, default=2)
    p.add_argument("--steps", type=int, default=8)
    a = p.parse_args()
    torch.set_num_threads(a.threads)
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    items = [picture(rng, 32, 32) for _ in range(64)]
    views = Views(items, 32, "torchvision", (a.steps + 4) * a.batch // len(items) + 1)
    loader = torch.utils.data.DataLoader(views, batch_size=a.batch, shuffle=True, drop_last=True, num_workers=a.workers)
    model = resnet18().to(memory_format=torch.channels_last)
    opt = torch.optim.SGD(model.parameters(), 0.1, momentum=0.9)
    t = torch.cat([torch.arange(a.batch, 2 * a.batch), torch.arange(a.batch)])
    start = None
    for step, (one, two) in enumerate(loader):
        if step == 2:
            start = time.perf_counter()
        if step == a.steps + 2:
            break
        x = torch.cat([one, two]).contiguous(memory_format=torch.channels_last)
        opt.zero_grad(set_to_none=True)
        z = F.normalize(model(x), dim=1)
        s = (z @ z.T / 0.5).fill_diagonal_(float("-inf"))
        (2 * F.cross_entropy(s, t)).backward()
        opt.step()
    value = a.steps * a.batch / (time.perf_counter() - start)
    print(json.dumps({"name": "simclr_end_to_end", "metric": "source images per second", "unit": "images/s", "value": round(value, 3),
                      "config": {"batch": a.batch, "threads": a.threads, "workers": a.workers, "torch": torch.__version__}}))


if __name__ == "__main__":
    main()
