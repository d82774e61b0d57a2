"""Runs ours and a peer alternately and compares: called by compare.sh, which prepares both.

A benchmark of BENCHMARKS names our command and one or more ways to run the peer; the fastest of these in one trial each is the
one compared with. Every pair gives a ratio, > 1 meaning that ours is better; reported are the median, the lowest and the highest.
Programs that print `cpu_seconds_per_1000` in their configuration have it reported too.
"""
import argparse
import fnmatch
import json
import os
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))


def peer(script, *arguments):
    return [sys.executable, os.path.join(HERE, "peers", script), *arguments]


def timm(task, layout, size=64, batch=32, *arguments):
    return peer("bit_timm_step.py", "--task", task, "--size", str(size), "--batch", str(batch), "--threads", "2", "--layout", layout,
                "--warmup", "2", "--repeats", "7", *arguments)


def bit(name, job, size, batch, *arguments, layouts=("nchw", "nhwc"), timm_arguments=(), **others):
    """One of zoo-bench's BiT jobs, bit_train or bit_forward, against timm in its faster memory layout."""
    return dict(dict(name=name, unit="images/s", better="higher",
                     ours=["zoo-bench", job, "--size", str(size), "--batch", str(batch), "--threads", "2", "--warmup", "2", "--repeats", "7",
                           *arguments],
                     peers=[timm(job.removeprefix("bit_"), layout, size, batch, *timm_arguments) for layout in layouts]), **others)


RECORDS = os.path.join(ROOT, "build", "bench", "records.tfrecord")  # Examples of 50 to 150 KB
IMAGES = os.path.join(ROOT, "build", "bench", "images")  # 500x375 JPEGs, quality 90, 4:2:0


def pipeline(backend):
    return peer("echo_image_pipeline.py", "--backend", backend, "--data", IMAGES, "--threads", "2", "--images", "1000", "--repeats", "3")


def our_pipeline(*arguments):
    return ["zoo-bench", "jpeg224", "--data", IMAGES, "--images", "1000", "--threads", "2", "--warmup", "1", "--repeats", "3", *arguments]


TWO_VIEWS = ("torchvision", "torchvision_tensor")

# What a benchmark needs before it is run: a path, and the command that makes it.
PREPARATIONS = {
    "images": (os.path.join(IMAGES, "class_09", "000999.jpg"), peer("echo_make_image_folder.py", "--out", IMAGES, "--count", "1000")),
    "records": (RECORDS, peer("io_make_tfrecord.py", "--out", RECORDS, "--count", "1000")),
}

# figure: compared is this one of the configuration, not the value; our_figure: of our program alone.
# wall_of: the programs report no figure; compared is the median wall time of so many runs of the whole process.
# gpu: left out where PyTorch finds none.
# module: of Python, that the peer needs; without it the benchmark is left out, and the output says so.
BENCHMARKS = {
    "bit": [
        bit("train_r50x1_64", "bit_train", 64, 32),
        bit("train_r50x1_224", "bit_train", 224, 8),
        bit("train_r50x1_64_compiled", "bit_train", 64, 32, timm_arguments=["--compile"]),
        bit("train_r50x1_224_compiled", "bit_train", 224, 8, timm_arguments=["--compile"]),
        bit("forward_r50x1_64", "bit_forward", 64, 32),
        bit("forward_r50x1_224", "bit_forward", 224, 8),
        bit("train_tiny_32", "bit_train", 32, 64, "--arch", "tiny", timm_arguments=["--arch", "tiny"]),
        bit("train_r50x1_64_bf16", "bit_train", 64, 32, "--precision", "bf16", timm_arguments=["--bf16"]),
        bit("train_r50x1_224_bf16", "bit_train", 224, 8, "--precision", "bf16", timm_arguments=["--bf16"]),
        # Not a peer: our own in float32.
        bit("train_r50x1_224_bf16_f32", "bit_train", 224, 8, "--precision", "bf16", peers=[["zoo-bench", "bit_train", "--size", "224",
            "--batch", "8", "--threads", "2", "--warmup", "2", "--repeats", "7"]]),
        bit("train_r50x1_224_cuda", "bit_train", 224, 64, "--precision", "bf16", "--device", "cuda", gpu=True,
            peers=[timm("train", "nhwc", 224, 64, "--bf16", "--device", "cuda", *more) for more in ([], ["--compile"])]),
        bit("memory_r50x1_224", "bit_train", 224, 8, unit="MB", better="lower", figure="peak_megabytes"),
        dict(name="start_up", unit="s", better="lower", ours=["zoo-bit", "--help"], peers=[["zoo-nothing"]], wall_of=5),
    ],
    "data": [
        dict(name="jpeg224_exact", unit="images/s", better="higher", ours=our_pipeline(), peers=[pipeline("pillow")], needs="images"),
        dict(name="jpeg224_exact_dali", unit="images/s", better="higher", ours=our_pipeline(), peers=[pipeline("dali")], needs="images",
             module="nvidia.dali"),
        dict(name="jpeg224_scaled", unit="images/s", better="higher", ours=our_pipeline("--scaled"), peers=[pipeline("pillow")],
             needs="images"),
        # Not a peer: our decoding alone, with everything else left out. The ratio is the share of the time that it takes.
        dict(name="jpeg224_decode_share", unit="images/s", better="higher", ours=our_pipeline(), peers=[our_pipeline("--decode-only")],
             needs="images"),
        dict(name="augment32", unit="images/s", better="higher", ours=["zoo-bench", "augment32", "--threads", "2"],
             peers=[peer("augment32.py", "--threads", "2", "--impl", "pil"), peer("augment32.py", "--threads", "2", "--impl", "tensor")]),
        # Ours verifies the records' checksums, the package does not.
        dict(name="tfrecord_read", unit="MB/s", better="higher", ours=["zoo-bench", "tfrecord_read", "--file", RECORDS, "--threads", "1"],
             peers=[peer("io_tfrecord_read.py", "--file", RECORDS, "--backend", "tfrecord", "--repeats", "9")], needs="records"),
        dict(name="crc32c", unit="GB/s", better="higher", ours=["zoo-bench", "crc32c", "--threads", "1"],
             peers=[peer("io_crc32c.py", "--backend", "google_crc32c")]),
    ],
    "offline_rl": [
        dict(name="env_steps", unit="steps/s", better="higher", ours=["zoo-bench", "rl_env_steps", "--threads", "1"],
             peers=[peer("offline_rl_minatar_steps.py")], module="minatar"),
        dict(name="replay_sampling", unit="batches/s", better="higher", ours=["zoo-bench", "rl_replay_sampling", "--threads", "1"],
             peers=[peer("offline_rl_replay_sampling.py")]),
        dict(name="rem_nature", unit="updates/s", better="higher", ours=["zoo-bench", "offline_rl_update", "--threads", "2"],
             peers=[peer("offline_rl_update.py", "--threads", "2")]),
        dict(name="rem_minatar", unit="updates/s", better="higher", ours=["zoo-bench", "offline_rl_update", "--net", "minatar", "--threads", "1"],
             peers=[peer("offline_rl_update.py", "--net", "minatar", "--threads", "1")]),
        dict(name="qr_minatar", unit="updates/s", better="higher",
             ours=["zoo-bench", "offline_rl_update", "--net", "minatar", "--agent", "qr_dqn", "--threads", "1"],
             peers=[peer("offline_rl_update.py", "--net", "minatar", "--agent", "qr", "--threads", "1")]),
        dict(name="td3", unit="updates/s", better="higher", ours=["zoo-bench", "offline_rl_td3", "--threads", "1"],
             peers=[peer("offline_rl_td3_update.py", "--threads", "1")]),
    ],
    "simclr": [
        dict(name="two_view_224", unit="images/s", better="higher", ours=["zoo-bench", "simclr_two_view", "--size", "224", "--threads", "2"],
             peers=[peer("simclr_two_view.py", "--size", "224", "--threads", "2", "--impl", impl) for impl in TWO_VIEWS]),
        dict(name="two_view_32", unit="images/s", better="higher", ours=["zoo-bench", "simclr_two_view", "--size", "32", "--threads", "2"],
             peers=[peer("simclr_two_view.py", "--size", "32", "--threads", "2", "--impl", impl) for impl in TWO_VIEWS]),
        dict(name="nt_xent", unit="ms", better="lower", our_figure="median_ms", ours=["zoo-bench", "simclr_nt_xent", "--repeats", "25"],
             peers=[peer("simclr_nt_xent.py")]),
        dict(name="nt_xent_memory", unit="MB", better="lower", our_figure="peak_megabytes", ours=["zoo-bench", "simclr_nt_xent", "--repeats", "5"],
             peers=[peer("simclr_nt_xent_memory.py")]),
        dict(name="lars", unit="ms", better="lower", our_figure="median_ms", ours=["zoo-bench", "simclr_lars", "--repeats", "15"],
             peers=[peer("simclr_lars.py")]),
        dict(name="train_r18", unit="images/s", better="higher", ours=["zoo-bench", "simclr_r18", "--warmup", "1", "--repeats", "4"],
             peers=[peer("simclr_resnet18_step.py")]),
        dict(name="end_to_end_r18", unit="images/s", better="higher",
             ours=["zoo-bench", "simclr_r18", "--with-data", "--warmup", "1", "--repeats", "3"],
             peers=[peer("simclr_end_to_end.py", "--workers", workers) for workers in ("1", "2")]),
    ],
}


def runs_in_python(line):
    return subprocess.run([sys.executable, "-c", line], stderr=subprocess.DEVNULL).returncode == 0


def is_installed(module):
    return runs_in_python("import " + module)


def has_gpu():
    return runs_in_python("import torch; torch.cuda.get_device_name()")


def prepare(benchmark):
    if "needs" not in benchmark:
        return
    path, command = PREPARATIONS[benchmark["needs"]]
    if not os.path.exists(path):
        print(f"making {os.path.relpath(path)}", file=sys.stderr)
        subprocess.run(command, check=True, stdout=sys.stderr)


def value_of(benchmark, command, folder):
    """(figure, CPU seconds per 1,000 or None, GPU or None) of one run of `command`; programs of ours are looked up in `folder`."""
    command = [os.path.join(folder, command[0]) if command[0].startswith("zoo-") else command[0], *command[1:]]
    if "wall_of" in benchmark:
        times = []
        for _ in range(benchmark["wall_of"]):
            start = time.perf_counter()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            times.append(time.perf_counter() - start)
        return statistics.median(times), None, None
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"error: {' '.join(command)} ended with {done.returncode}")
    line = json.loads(done.stdout.strip().splitlines()[-1])
    figure = benchmark.get("our_figure" if os.path.basename(command[0]).startswith("zoo-") else "figure", benchmark.get("figure"))
    value = line["config"][figure] if figure else line["value"]
    return value, line["config"].get("cpu_seconds_per_1000"), line["config"].get("card")


def compare(benchmark, folder, pairs):
    higher = benchmark["better"] == "higher"
    command = benchmark["peers"][0]
    if len(benchmark["peers"]) > 1:
        command = (max if higher else min)(benchmark["peers"], key=lambda each: value_of(benchmark, each, folder)[0])
    our_values, peer_values, our_cpu, peer_cpu, ratios = [], [], [], [], []
    for _ in range(pairs):
        for values, cpu, run in (our_values, our_cpu, benchmark["ours"]), (peer_values, peer_cpu, command):
            value, seconds, card = value_of(benchmark, run, folder)
            values.append(value)
            cpu.append(seconds)
        ratios.append(our_values[-1] / peer_values[-1] if higher else peer_values[-1] / our_values[-1])
    result = dict(name=benchmark["name"], unit=benchmark["unit"], ours=statistics.median(our_values), peer=statistics.median(peer_values),
                  ratio=statistics.median(ratios), spread=[min(ratios), max(ratios)], pairs=pairs,
                  peer_command=" ".join(os.path.basename(word) for word in command))
    if card:
        result["card"] = card
    if None not in our_cpu + peer_cpu:
        result["cpu_seconds_per_1000"] = [statistics.median(our_cpu), statistics.median(peer_cpu)]
    return result


def main():
    parser = argparse.ArgumentParser(prog="compare.sh", description="Times ours against a peer, alternately.")
    parser.add_argument("system", choices=sorted(BENCHMARKS))
    parser.add_argument("--filter", default="*", help="names of benchmarks, with wildcards")
    parser.add_argument("--pairs", type=int, default=5, help="at least 5 for a figure that is published")
    parser.add_argument("--build", default="build/release", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    chosen = [each for each in BENCHMARKS[arguments.system] if fnmatch.fnmatch(each["name"], arguments.filter)]
    if not chosen or arguments.pairs < 1:
        sys.exit(f"error: nothing to run\nhint: benchmarks of {arguments.system}: {', '.join(each['name'] for each in BENCHMARKS[arguments.system])}")
    folder = os.path.join(arguments.build, "bin")
    results = []
    print(f"{'benchmark':<24}{'unit':<12}{'ours':>12}{'peer':>12}{'ratio':>8}  {'spread':<18}CPU seconds per 1,000")
    for benchmark in chosen:
        if "module" in benchmark and not is_installed(benchmark["module"]):
            print(f"{benchmark['name']:<24}left out: Python's {benchmark['module']} is not installed")
            continue
        if benchmark.get("gpu") and not has_gpu():
            print(f"{benchmark['name']:<24}left out: there is no GPU")
            continue
        prepare(benchmark)
        result = compare(benchmark, folder, arguments.pairs)
        results.append(result)
        low, high = result["spread"]
        spread = f"{low:.3f} to {high:.3f}"
        cpu = result.get("cpu_seconds_per_1000")
        print(f"{result['name']:<24}{result['unit']:<12}{result['ours']:>12.4g}{result['peer']:>12.4g}{result['ratio']:>8.3f}  {spread:<18}"
              + (f"{cpu[0]:.4g} to {cpu[1]:.4g}" if cpu else "") + (f"  {result['card']}" if "card" in result else ""), flush=True)
    os.makedirs(os.path.join(ROOT, "build", "bench"), exist_ok=True)
    path = os.path.join(ROOT, "build", "bench", arguments.system + ".json")
    with open(path, "w") as file:
        json.dump(results, file, indent=1)
        file.write("\n")
    print(f"written: {os.path.relpath(path)}")


if __name__ == "__main__":
    main()
