"""A TFRecord file of tf.train.Examples with random bytes for pictures, 50 to 150 KB each: what io_tfrecord_read.py reads.

    python io_make_tfrecord.py --out records.tfrecord --count 1000
"""
import argparse
import os
import random

from tfrecord.writer import TFRecordWriter

parser = argparse.ArgumentParser()
parser.add_argument("--out", required=True)
parser.add_argument("--count", type=int, default=1000)
arguments = parser.parse_args()
rng = random.Random(0)
os.makedirs(os.path.dirname(os.path.abspath(arguments.out)), exist_ok=True)
writer = TFRecordWriter(arguments.out + ".part")
for i in range(arguments.count):
    writer.write({"image/encoded": (rng.randbytes(rng.randrange(50_000, 150_000)), "byte"), "image/class/label": (i % 10, "int")})
writer.file.flush()
os.fsync(writer.file.fileno())
# Out of the page cache: the next reader finds the file as one that was not just written, in large pieces.
os.posix_fadvise(writer.file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
writer.close()
os.rename(arguments.out + ".part", arguments.out)
