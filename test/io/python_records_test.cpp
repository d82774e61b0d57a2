// Python reads what is written here and writes what is read here: 1,000 random records of each container, compared as text.
#include "test/io/python.h"
#include "test/io/records.h"

#include <libzoo/io/tar.h>
#include <libzoo/io/tf_example.h>
#include <libzoo/io/tfrecord.h>
#include <libzoo/io/webdataset.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <bit>

using namespace zoo;
using namespace zoo::test;

namespace {

constexpr int kRecords = 1000;

std::string hex(std::string_view bytes) {
  std::string result;
  for (unsigned char b : bytes) result += fmt::format("{:02x}", b);
  return result;
}
std::string hex(std::span<const uint8_t> bytes) { return hex(text_of(bytes)); }

// One line: every feature's name, kind and values; floats as their bits.
std::string line(const io::TfFeatures& features) {
  std::string result;
  for (const auto& [name, feature] : features) {
    result += fmt::format("{} {}", hex(name), feature.index());
    if (const auto* all = std::get_if<1>(&feature)) {
      for (auto bytes : *all) result += " " + hex(bytes) + ";";
    } else if (const auto* floats = std::get_if<2>(&feature)) {
      for (float value : *floats) result += fmt::format(" {:08x}", std::bit_cast<uint32_t>(value));
    } else if (const auto* integers = std::get_if<3>(&feature)) {
      result += fmt::format(" {}", fmt::join(*integers, " "));
    }
    result += "|";
  }
  return result + "\n";
}

std::string lines(const std::filesystem::path& path, io::Compression compression) {
  io::TfRecordReader reader(io::map_file(path), path.string(), {.compression = compression});
  std::string result;
  while (auto record = reader.next()) result += line(io::decode_example(*record, path.string()).features);
  return result;
}

// Random examples, written, and their lines.
std::string write_examples(const std::filesystem::path& path, io::Compression compression) {
  RandomStream random({.seed = 21});
  io::TfRecordWriter writer(path, compression);
  std::string expected;
  for (int i = 0; i < kRecords; ++i) {
    const std::string image = random_text_below(random, 5000), empty;
    std::vector<float> floats;
    std::vector<int64_t> integers;
    for (uint64_t n = random.below(30); n > 0; --n) floats.push_back(float(random.normal()));
    for (uint64_t n = 1 + random.below(30); n > 0; --n) integers.push_back(int64_t(uint64_t(random.next()) << 32 | random.next()));
    using BytesList = std::vector<std::span<const uint8_t>>;
    io::TfFeatures features{{"image/encoded", BytesList{io::view_bytes(image)}}, {"label", integers}};
    if (i % 2) features["b\xC3\xB6x"] = floats;
    if (i % 3) features["texts"] = BytesList{io::view_bytes(empty), io::view_bytes(image)};
    if (i % 7 == 0) features["none"] = {};
    writer.write(io::encode_example(features));
    expected += line(features);
  }
  writer.commit();
  return expected;
}

// In Python: an Example as `line` writes it, and random ones. Ours are the messages `Example`, `Feature`, … of the package.
const std::string kExamples = R"(
import random, struct
rng = random.Random(7)
def line(example):
    out = []
    for name in sorted(example.features.feature, key=lambda n: n.encode()):
        feature = example.features.feature[name]
        kind = feature.WhichOneof("kind")
        number = {None: 0, "bytes_list": 1, "float_list": 2, "int64_list": 3}[kind]
        values = getattr(feature, kind).value if kind else []
        text = [v.hex() + ";" if number == 1 else "%08x" % struct.unpack("<I", struct.pack("<f", v)) if number == 2 else str(v) for v in values]
        if number == 3: out.append("%s %d %s|" % (name.encode().hex(), number, " ".join(text)))
        else: out.append(" ".join(["%s %d" % (name.encode().hex(), number)] + text) + "|")
    return "".join(out) + "\n"
def example(pb):
    e = pb.Example()
    f = e.features.feature
    f["label"].int64_list.value.extend(rng.randrange(-2**63, 2**63) for _ in range(1 + rng.randrange(20)))
    f["image/encoded"].bytes_list.value.append(rng.randbytes(rng.choice([0, 10, 5000])))
    if rng.random() < 0.5: f["f\u00f6"].float_list.value.extend(rng.gauss(0, 1) for _ in range(rng.randrange(20)))
    if rng.random() < 0.2: f["none"].SetInParent()
    return e
)";

using Members = std::vector<std::pair<std::string, std::string>>;

Members random_members() {
  RandomStream random({.seed = 22});
  Members members;
  for (int i = 0; i < kRecords; ++i) {
    std::string name = fmt::format("{:04}", i);
    for (uint64_t parts = random.below(8); parts > 0; --parts)
      name += "/" + std::string(1 + random.below(60), char('a' + random.below(26)));
    if (i % 10 == 0) name += "\xC3\xA9";
    members.emplace_back(name, random_text_below(random, 4000));
  }
  return members;
}

}  // namespace

TEST_CASE("Python's tarfile reads 1,000 random members of ours and we read 1,000 of each of its formats", "[io][python]") {
  const auto python = python_with("tarfile");
  if (!python) return;
  TemporaryFolder folder;
  std::string ours;
  io::TarWriter writer(folder / "ours.tar");
  for (const auto& [name, payload] : random_members()) {
    writer.add(name, io::view_bytes(payload));
    ours += hex(name) + " " + hex(payload) + "\n";
  }
  writer.commit();
  write_text(folder / "ours.txt", ours);
  REQUIRE(runs(*python, folder, R"(
import io, random, tarfile
with tarfile.open(folder + "/ours.tar", "r:") as tar:
    got = "".join("%s %s\n" % (m.name.encode().hex(), tar.extractfile(m).read().hex()) for m in tar)
assert got == open(folder + "/ours.txt").read() and got.count("\n") == 1000
rng = random.Random(1)
def name(i, format):
    parts = ["%04d" % i] + ["".join(rng.choice("abcdef. \u00e9\n" if format == tarfile.PAX_FORMAT else "abcdef. \u00e9") for _ in range(rng.randrange(1, 40))) + "x"
                            for _ in range(rng.randrange(3 if format == tarfile.USTAR_FORMAT else 8))]
    return "/".join(parts)
for key, format in dict(ustar=tarfile.USTAR_FORMAT, gnu=tarfile.GNU_FORMAT, pax=tarfile.PAX_FORMAT).items():
    with tarfile.open("%s/%s.tar" % (folder, key), "w:", format=format) as tar, open("%s/%s.txt" % (folder, key), "w") as text:
        for i in range(1000):
            info, payload = tarfile.TarInfo(name(i, format)), rng.randbytes(rng.choice([0, 1, 511, 512, 513, 3000]))
            info.size, info.mtime, info.uid = len(payload), rng.random() * 2e9 if format == tarfile.PAX_FORMAT else 5, 3000000 if format != tarfile.USTAR_FORMAT else 0
            tar.addfile(info, io.BytesIO(payload))
            text.write("%s %s\n" % (info.name.encode().hex(), payload.hex()))
            if i % 50 == 0:
                info = tarfile.TarInfo("dir%d" % i)
                info.type = tarfile.DIRTYPE
                tar.addfile(info)
)"));
  for (const std::string format : {"ustar", "gnu", "pax"}) {
    io::TarReader tar(io::map_file(folder / (format + ".tar")), format);
    std::string theirs;
    while (const auto member = tar.next()) {
      if (member->regular()) theirs += hex(member->name) + " " + hex(tar.payload(*member).view) + "\n";
    }
    REQUIRE(std::ranges::count(theirs, '\n') == kRecords);
    REQUIRE(theirs == read_text(folder / (format + ".txt")));
  }
}

TEST_CASE("The tfrecord package reads 1,000 random examples of ours and we read 1,000 of its", "[io][python]") {
  const auto python = python_with("tfrecord, google.protobuf, numpy");
  if (!python) return;
  TemporaryFolder folder;
  for (const auto& [name, compression] : {std::pair("plain", io::Compression::none), std::pair("gzip", io::Compression::gzip)})
    write_text(folder / (std::string(name) + ".txt"), write_examples(folder / name, compression));
  REQUIRE(runs(*python, folder, kExamples + R"(
import gzip
from tfrecord import example_pb2 as pb, reader, writer
for name, compression in (("plain", None), ("gzip", "gzip")):
    got = []
    for record in reader.tfrecord_iterator(folder + "/" + name, compression_type=compression):
        e = pb.Example()
        e.ParseFromString(bytes(record))
        got.append(line(e))
    assert len(got) == 1000 and "".join(got) == open(folder + "/" + name + ".txt").read(), name
w = writer.TFRecordWriter(folder + "/theirs")
with open(folder + "/theirs.txt", "w") as text:
    for _ in range(1000):
        e = example(pb)
        kinds = dict(bytes_list="byte", float_list="float", int64_list="int")
        datum = {k: (list(getattr(f, f.WhichOneof("kind")).value), kinds[f.WhichOneof("kind")]) for k, f in e.features.feature.items() if f.WhichOneof("kind")}
        w.write(datum)
        if "none" in e.features.feature: del e.features.feature["none"]
        text.write(line(e))
w.close()
gzip.open(folder + "/theirs.gz", "wb").write(open(folder + "/theirs", "rb").read())
)"));
  REQUIRE(lines(folder / "theirs", io::Compression::none) == read_text(folder / "theirs.txt"));
  REQUIRE(lines(folder / "theirs.gz", io::Compression::gzip) == read_text(folder / "theirs.txt"));
  REQUIRE(io::TfRecordFile(folder / "theirs").size() == kRecords);
}

TEST_CASE("TensorFlow reads 1,000 random examples of ours in each compression and we read 1,000 of its", "[io][python]") {
  const auto python = python_with("tensorflow");
  if (!python) return;
  TemporaryFolder folder;
  const std::pair<std::string, io::Compression> kinds[] = {
      {"", io::Compression::none}, {"GZIP", io::Compression::gzip}, {"ZLIB", io::Compression::zlib}};
  for (const auto& [name, compression] : kinds)
    write_text(folder / ("ours" + name + ".txt"), write_examples(folder / ("ours" + name), compression));
  REQUIRE(runs(*python, folder, kExamples + R"(
import tensorflow as tf
for name in ("", "GZIP", "ZLIB"):
    got = [line(tf.train.Example.FromString(r.numpy())) for r in tf.data.TFRecordDataset(folder + "/ours" + name, name)]
    assert len(got) == 1000 and "".join(got) == open(folder + "/ours" + name + ".txt").read(), name
    with tf.io.TFRecordWriter(folder + "/theirs" + name, name) as w, open(folder + "/theirs" + name + ".txt", "w") as text:
        for _ in range(1000):
            e = example(tf.train)
            w.write(e.SerializeToString())
            text.write(line(e))
)"));
  for (const auto& [name, compression] : kinds)
    REQUIRE(lines(folder / ("theirs" + name), compression) == read_text(folder / ("theirs" + name + ".txt")));
}

TEST_CASE("The webdataset package reads 1,000 random samples of ours and we read 1,000 of its", "[io][python]") {
  const auto python = python_with("webdataset");
  if (!python) return;
  TemporaryFolder folder;
  RandomStream random({.seed = 23});
  io::WebDatasetWriter writer(folder / "ours.tar");
  std::string ours;
  for (int i = 0; i < kRecords; ++i) {
    const std::string key = fmt::format("{}{:06}", i % 3 ? "train/" : "", i), image = random_text_below(random, 4000),
                      label = std::to_string(i);
    writer.add(key, std::vector<io::WebDatasetWriter::Field>{{"cls", io::view_bytes(label)}, {"seg.png", io::view_bytes(image)}});
    ours += fmt::format("{} cls={} seg.png={}\n", key, hex(label), hex(image));
  }
  writer.commit();
  write_text(folder / "ours.txt", ours);
  REQUIRE(runs(*python, folder, R"(
import random, webdataset as wds
def line(s): return s["__key__"] + "".join(" %s=%s" % (k, s[k].hex()) for k in sorted(s) if not k.startswith("__")) + "\n"
got = "".join(line(s) for s in wds.WebDataset(folder + "/ours.tar", shardshuffle=False))
assert got.count("\n") == 1000 and got == open(folder + "/ours.txt").read()
rng = random.Random(3)
with wds.TarWriter(folder + "/theirs.tar", encoder=False) as w, open(folder + "/theirs.txt", "w") as text:
    for i in range(1000):
        sample = {"__key__": "part%d/%06d" % (i % 3, i), "jpg": rng.randbytes(rng.choice([0, 700, 3000])), "json": b"{}"}
        if i % 2: sample["mask.png"] = rng.randbytes(5)
        w.write(sample)
        text.write(line(sample))
)"));
  io::WebDatasetReader shard(io::map_file(folder / "theirs.tar"), "theirs");
  std::string theirs;
  while (const auto sample = shard.next()) {
    theirs += sample->key;
    for (const auto& field : sample->fields) theirs += " " + field.extension + "=" + hex(shard.bytes(field).view);
    theirs += "\n";
  }
  REQUIRE(theirs == read_text(folder / "theirs.txt"));
}
