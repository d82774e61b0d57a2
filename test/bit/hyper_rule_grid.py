"""BiT-HyperRule against a grid search over rate, length and MixUp, twelve trials a task, on two tasks of a thousand examples:
real digits after drawn glyphs, and figures with textures that the network has never seen after other figures.

  python test/bit/hyper_rule_grid.py build/release/bin/zoo-bit [--out runs/grid] [--draws 2]

Every trial fine-tunes on the same subsets with the same seeds (`zoo-bit fewshot`); the rule is one of them. The grid is allowed to
look at the test pictures, the rule at nothing. Ends with 1 if the rule is more than a point below the best trial of a task.
About 20 minutes of one processor; what is finished in --out is not run again.
"""
import argparse
import itertools
import json
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
EXAMPLES = 100  # of each of ten classes
RATES, STEPS, MIXUP = [0.001, 0.003, 0.01], [250, 500], [0, 0.1]
RULE = (0.003, 500, 0)
TASKS = {
    "digits": (["--config", "bit/glyphs", "test=null", "steps=800", "stairs=[0.7]"], ["--config", "bit/digits"]),
    "shapes": (["--config", "bit/tiny_shapes"], ["train={type: shapes, preset: downstream, per_class: 250}",
                                                 "test={type: shapes, preset: downstream, per_class: 100, split: test}"]),
}


def run(program, verb, out, arguments):
    """The result of `zoo-bit verb`, from the folder `out` if it was finished there before."""
    path = os.path.join(out, "result.json")
    if not os.path.exists(path):
        command = [program, verb, "--out", out, "--overwrite", "--quiet", *arguments]
        if subprocess.run(command, stdout=subprocess.DEVNULL, cwd=ROOT).returncode != 0:
            sys.exit("error: " + " ".join(command))
    with open(path) as file:
        return json.load(file)


def top1(result):
    """Mean and half the 95 % interval, in percent."""
    row = result["top-1 %"][0]
    return row["transferred"], row["± transferred"]


def search(program, task, out, draws):
    upstream, data = TASKS[task]
    pretrained = os.path.join(out, task)
    run(program, "pretrain", pretrained, upstream)
    accuracies = {}
    for rate, steps, mixup in itertools.product(RATES, STEPS, MIXUP):
        trial = os.path.join(out, f"{task}-{rate}-{steps}-{mixup}")
        settings = [f"rule.base_rate={rate}", f"rule.steps={steps}", f"rule.mixup_alpha={mixup}", "rule.resize=32", "rule.crop=32",
                    "flip=false", "batch_size=64", f"draws={draws}", f"examples_per_class=[{EXAMPLES}]",
                    "checkpoint=" + os.path.join(pretrained, "model.safetensors")]
        accuracies[rate, steps, mixup] = top1(run(program, "fewshot", trial, [*data, *settings]))
        mean, half = accuracies[rate, steps, mixup]
        print(f"{task}  rate {rate:<6} steps {steps}  MixUp {mixup:<4} top-1 {mean:5.1f} ± {half:.1f} %", flush=True)
    return accuracies


def main():
    parser = argparse.ArgumentParser(description="BiT-HyperRule against a grid search.")
    parser.add_argument("program", help="zoo-bit")
    parser.add_argument("--out", default="runs/grid", help="folder for the runs")
    parser.add_argument("--draws", type=int, default=2, help="subsets that every trial is the mean of")
    arguments = parser.parse_args()
    worst = 0
    for task in TASKS:
        accuracies = search(os.path.abspath(arguments.program), task, os.path.abspath(arguments.out), arguments.draws)
        best = max(accuracies, key=lambda trial: accuracies[trial][0])
        behind = accuracies[best][0] - accuracies[RULE][0]
        print(f"{task}: rule {accuracies[RULE][0]:.1f} %, best of {len(accuracies)} {accuracies[best][0]:.1f} % (rate {best[0]}, "
              f"steps {best[1]}, MixUp {best[2]}), worst {min(mean for mean, _ in accuracies.values()):.1f} %, "
              f"behind the best by {behind:.1f} points")
        worst = max(worst, behind)
    sys.exit(0 if worst <= 1 else 1)


if __name__ == "__main__":
    main()
