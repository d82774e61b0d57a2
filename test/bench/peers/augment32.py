# requirements: torch torchvision pillow numpy
"""32x32 pictures in memory (u8) -> random crop with padding 4 -> random mirror -> float, normalised, in batches of 128. One JSON line.

    python augment32.py --impl pil|tensor|batch --threads 2
pil: PIL pictures and torchvision's transforms, as its CIFAR10 data set does. tensor: the same on u8 tensors. Both in a DataLoader
with `threads` workers. batch: one crop and one mirror for a whole batch of tensors, in this process (less random than the others).
"""
import argparse, glob, json, os, resource, statistics, sys, time
import numpy as np
import torch

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)

class Pictures:
    def __init__(self, impl, images):
        self.impl, self.transform = impl, None
        self.pixels = np.random.default_rng(0).integers(0, 256, (images, 32, 32, 3), dtype=np.uint8)
    def __len__(self): return len(self.pixels)
    def make(self):
        import echo_torchvision_ops as o
        T = o.transforms()
        last = [T.ToTensor()] if self.impl == "pil" else [T.ConvertImageDtype(torch.float32)]
        return T.Compose([T.RandomCrop(32, padding=4), T.RandomHorizontalFlip(), *last, T.Normalize(MEAN, STD)])
    def __getitem__(self, i):
        if self.transform is None: torch.set_num_threads(1); self.transform = self.make()
        if self.impl == "pil":
            from PIL import Image
            return self.transform(Image.fromarray(self.pixels[i])), i % 10
        return self.transform(torch.from_numpy(self.pixels[i]).permute(2, 0, 1)), i % 10

def main():
    p = argparse.ArgumentParser(); p.add_argument("--impl", default="pil"); p.add_argument("--threads", type=int, default=2); p.add_argument("--images", type=int, default=20000); p.add_argument("--repeats", type=int, default=3)
    a = p.parse_args(); sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    pictures = Pictures(a.impl, a.images)
    if a.impl == "batch":
        torch.set_num_threads(a.threads)
        transform, pixels = pictures.make(), torch.from_numpy(pictures.pixels).permute(0, 3, 1, 2).contiguous()
        def run():
            order = torch.randperm(a.images)
            return sum(len(transform(pixels[order[i:i + 128]])) for i in range(0, a.images, 128))
    else:
        loader = torch.utils.data.DataLoader(pictures, batch_size=128, shuffle=True, num_workers=a.threads, persistent_workers=a.threads > 0)
        def run():
            return sum(len(x) for x, y in loader)
    def cpu():  # own time plus that of living worker processes
        total = sum(sum(resource.getrusage(w)[:2]) for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)); tick = os.sysconf("SC_CLK_TCK")
        for stat in glob.glob("/proc/[0-9]*/stat"):
            try: v = open(stat).read().rsplit(") ", 1)[1].split()
            except OSError: continue
            if int(v[1]) == os.getpid(): total += (int(v[11]) + int(v[12])) / tick
        return total
    run()
    rates, start, n = [], cpu(), 0
    for _ in range(a.repeats):
        t = time.perf_counter(); k = run(); rates.append(k / (time.perf_counter() - t)); n += k
    print(json.dumps(dict(name=f"augment32_{a.impl}", metric="throughput", unit="images/s", value=round(statistics.median(rates), 1),
          config=dict(threads=a.threads, images=a.images, repeats=a.repeats, all=[round(r, 1) for r in rates], cpu_seconds_per_1000=round((cpu() - start) / n * 1000, 4), batch=128))))

if __name__ == "__main__":
    main()
