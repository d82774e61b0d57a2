"""Shards between zoo-offline-rl and NumPy: what `log` writes is read as Dopamine reads it, and what NumPy writes is read by `inspect` and `convert`.

numpy_shards.py PROGRAM   exit status 77 without NumPy
"""
import gzip
import io
import json
import os
import subprocess
import sys
import tempfile

try:
    import numpy as np
except ImportError:
    sys.exit(77)

PROGRAM = sys.argv[1]
ARRAYS = {"$store$_observation": np.uint8, "$store$_action": np.int32, "$store$_reward": np.float32, "$store$_terminal": np.uint8,
          "add_count": np.int64, "invalid_range": np.int64}


def run(*words):
    return json.loads(subprocess.run([PROGRAM, *words, "--json"], check=True, stdout=subprocess.PIPE).stdout)


def load(folder, suffix):
    shard = {}
    for name, dtype in ARRAYS.items():
        with gzip.open(os.path.join(folder, f"{name}_ckpt.{suffix}.gz")) as file:
            shard[name] = np.load(file, allow_pickle=False)
        assert shard[name].dtype == dtype, (name, shard[name].dtype)
    return shard


def store(folder, suffix, shard):
    for name, array in shard.items():
        with gzip.open(os.path.join(folder, f"{name}_ckpt.{suffix}.gz"), "wb") as file:
            np.save(file, array, allow_pickle=False)


class Buffer:
    """Dopamine's logged buffer: a circular memory that is written when its count is capacity - 1 modulo capacity."""

    def __init__(self, folder, capacity, stack):
        self.folder, self.capacity, self.stack, self.count, self.suffix, self.skipped = folder, capacity, stack, 0, 0, 0
        self.rows = {"$store$_observation": np.zeros((capacity, 3, 4), np.uint8), "$store$_action": np.zeros(capacity, np.int32),
                     "$store$_reward": np.zeros(capacity, np.float32), "$store$_terminal": np.zeros(capacity, np.uint8)}
        self.first = True

    def put(self, frame, action, reward, terminal):
        row = self.count % self.capacity
        for name, value in zip(self.rows, (frame, action, reward, terminal)):
            self.rows[name][row] = value
        self.count += 1

    def add(self, frame, action, reward, terminal):
        before = self.count
        if self.first:
            for _ in range(self.stack - 1):
                self.put(0, 0, 0, 0)
        self.put(frame, action, reward, terminal)
        self.first = bool(terminal)
        if self.count % self.capacity == self.capacity - 1:
            self.write(self.count)
        else:
            self.skipped += any(count % self.capacity == self.capacity - 1 for count in range(before + 1, self.count))

    def write(self, count):
        cursor = self.count % self.capacity
        invalid = np.array([(cursor - 1 + i) % self.capacity for i in range(1 + self.stack)], np.int64)
        store(self.folder, self.suffix, dict(self.rows, add_count=np.array(count, np.int64), invalid_range=invalid))
        self.suffix += 1


def main():
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "log")
        result = run("log", "--out", out, "--quiet", "environment.name=minatar/breakout", "behaviour=random", "steps=500", "shard_rows=150",
                     "environment.screen=true", "environment.stack=4")
        logs = os.path.join(out, "replay_logs")
        ends = 0
        for suffix in range(result["shards"]):
            shard = load(logs, suffix)
            assert shard["$store$_observation"].shape == (150, 84, 84) and shard["invalid_range"].shape == (5,), suffix
            assert shard["add_count"].shape == ()
            full = suffix + 1 < result["shards"] or shard["add_count"] % 150 == 149
            assert not full or shard["invalid_range"].tolist() == [148, 149, 0, 1, 2], shard["invalid_range"]
            first = np.flatnonzero(shard["$store$_terminal"])[0]
            assert not shard["$store$_observation"][first + 1 : first + 4].any() and shard["$store$_observation"][first + 4].any()
            ends += 1
        assert ends == result["shards"]

        theirs = os.path.join(folder, "theirs")
        os.mkdir(theirs)
        random, buffer, frames = np.random.RandomState(1), Buffer(theirs, 90, 4), 0
        while frames < 700:
            for step in range(length := random.randint(1, 30)):
                frames += 1
                buffer.add(frames % 255 + 1, random.randint(3), 1, step + 1 == length)
        buffer.write(buffer.count % 90)
        assert not run("verify", theirs)["problems"]
        converted = run("convert", theirs, os.path.join(folder, "converted"))
        path = os.path.join(folder, "converted")
        numbers = np.fromfile(os.path.join(path, "observation.bin"), np.uint8).reshape(-1, 12)
        assert (numbers == numbers[:, :1]).all() and len(numbers) == converted["rows"] and numbers.min() > 0
        gaps = (np.diff(numbers[:, 0].astype(int)) % 255 != 1).sum()
        # Cycles whose point of writing was jumped over are missing, and nothing else.
        assert gaps <= buffer.skipped and (buffer.skipped > 0 or len(numbers) == frames), (gaps, buffer.skipped, len(numbers), frames)
    print("shards agree with NumPy's")


main()
