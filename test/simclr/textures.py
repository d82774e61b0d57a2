"""Pre-trains on the drawn textures in several ways and says whether what must come out of it does.

usage: textures.py ZOO_SIMCLR [--out DIR] [--threads 2] [--only NAME …]

The whole demo, 40 epochs, must clear its bars; of the runs of 15 epochs LARS must beat SGD, and without colour changes or without
random crops the gain over the untrained network must be smaller. Ten minutes on two cores; runs that are done are not repeated.
"""
import argparse
import json
import pathlib
import subprocess
import sys

SHORT = ["pretrain.epochs=15", "pretrain.warmup_epochs=1.5"]
RUNS = {
    "demo": [],
    "lars": SHORT,
    "sgd": SHORT + ["pretrain.optimizer.kind=sgd", "pretrain.rate=0.1"],
    "no_color": SHORT + ["pretrain.views.color_strength=0"],
    "no_crop": SHORT + ["pretrain.views.crop=false"],
}


def figures(program, name, out, threads):
    result = out / name / "result.json"
    if not result.exists():
        subprocess.run([program, "demo", "--out", out / name, "--resume", "--threads", threads, "--quiet", *RUNS[name]], check=True,
                       stdout=subprocess.DEVNULL)
    values = json.loads(result.read_text())
    for row in values["top-1 %"]:
        if row["set"] == "textures":
            values[row["probe"]] = row["pre-trained"]
            values[row["probe"] + " gain"] = row["pre-trained"] - row["untrained"]
    print(f"{name}: " + ", ".join(f"{key} {values[key]:.4g}" for key in
                                  ("ridge", "ridge gain", "knn", "knn gain", "loss", "contrast accuracy")), flush=True)
    return values


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("runs/textures"))
    parser.add_argument("--threads", default="2")
    parser.add_argument("--only", nargs="*", default=list(RUNS), choices=list(RUNS))
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    got = {name: figures(arguments.program, name, arguments.out, arguments.threads) for name in arguments.only}
    checks = []
    if demo := got.get("demo"):
        checks += [("ridge at least 45", demo["ridge"] >= 45), ("15 above the untrained network", demo["ridge gain"] >= 15),
                   ("20 nearest neighbours at least 42", demo["knn"] >= 42), ("contrast accuracy of the last epoch at least 0.28", demo["contrast accuracy"] >= 0.28),
                   ("its loss at most 8.6", demo["loss"] <= 8.6)]
    if (lars := got.get("lars")) and (sgd := got.get("sgd")):
        checks += [(f"LARS above SGD in {probe}", lars[probe] > sgd[probe]) for probe in ("ridge", "knn")]
    for control in ("no_color", "no_crop"):
        if (lars := got.get("lars")) and (without := got.get(control)):
            checks += [(f"{control} gains less in {probe}", without[probe + " gain"] < lars[probe + " gain"]) for probe in ("ridge", "knn")]
    for what, holds in checks:
        print(f"{'ok' if holds else 'FAIL'}  {what}")
    sys.exit(0 if all(holds for _, holds in checks) else 1)


if __name__ == "__main__":
    main()
