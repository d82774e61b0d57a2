"""Memory that NT-Xent takes, forward and backward, beyond what was held before it: 1024 pairs of 128 values.

requirements: torch
usage: python simclr_nt_xent_memory.py [--batch 1024] [--dim 128] [--threads 2]
"""
import argparse, json
import torch
from simclr_nt_xent import plain


def megabytes(key):
    with open("/proc/self/status") as status:
        return next(float(line.split()[1]) / 1024 for line in status if line.startswith(key + ":"))


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--batch", type=int, default=1024)
    p.add_argument("--dim", type=int, default=128)
    p.add_argument("--threads", type=int, default=2)
    a = p.parse_args()
    torch.set_num_threads(a.threads)
    torch.manual_seed(0)
    small = [torch.randn(8, a.dim, requires_grad=True) for _ in range(2)]
    plain(*small, 0.1).backward()  # loads what is loaded once
    x, y = (torch.randn(a.batch, a.dim, requires_grad=True) for _ in range(2))
    held = megabytes("VmRSS")
    for _ in range(5):
        x.grad = y.grad = None
        plain(x, y, 0.1).backward()
    value = megabytes("VmHWM") - held
    print(json.dumps({"name": "simclr_nt_xent_memory", "metric": "extra memory", "unit": "MB", "value": value,
                      "config": {"batch": a.batch, "dim": a.dim, "threads": a.threads, "torch": torch.__version__}}))


if __name__ == "__main__":
    main()
