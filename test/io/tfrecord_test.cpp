#include "test/catch.h"
#include "test/io/records.h"

#include <libzoo/core/error.h>
#include <libzoo/io/tfrecord.h>

#include <thread>

using namespace zoo;
using namespace zoo::test;
using io::Compression;

namespace {

std::vector<std::string> read(io::Bytes file, io::TfRecordOptions options = {}) {
  io::TfRecordReader reader(std::move(file), "t", options);
  std::vector<std::string> records;
  while (const auto record = reader.next()) records.push_back(text_of(record->view));
  REQUIRE(reader.records() == int64_t(records.size()));
  return records;
}

std::vector<std::string> read(const std::string& file, io::TfRecordOptions options = {}) { return read(bytes(file), options); }

std::string compressed(const std::string& contents, io::Framing framing) {
  std::string result;
  io::DeflateStream out(framing, [&](std::span<const uint8_t> piece) { result += text_of(piece); });
  out.write(io::view_bytes(contents));
  out.finish();
  return result;
}

std::vector<std::string> random_records(size_t count, uint64_t most) {
  RandomStream random({.seed = 5});
  std::vector<std::string> records;
  for (size_t i = 0; i < count; ++i) records.push_back(random_text_below(random, most));
  return records;
}

const std::string kTwo = record("first") + record(std::string(300, 'x'));

}  // namespace

TEST_CASE("Records come back as they were written, in each compression", "[io]") {
  TemporaryFolder folder;
  auto records = random_records(500, 3000);
  records.push_back(std::string(5'000'000, 'z'));  // more than is trusted without having been seen
  for (const auto compression : {Compression::none, Compression::gzip, Compression::zlib}) {
    const auto path = folder / "records";
    io::TfRecordWriter writer(path, compression);
    for (const auto& text : records) writer.write(text);
    REQUIRE(!std::filesystem::exists(path));
    writer.commit();
    REQUIRE(writer.records() == int64_t(records.size()));
    REQUIRE(read(io::map_file(path), {.compression = compression}) == records);
    std::filesystem::remove(path);
  }
}

TEST_CASE("An empty file has no records, and a record may be empty", "[io]") {
  for (const auto compression : {Compression::none, Compression::gzip, Compression::zlib})
    REQUIRE(read("", {.compression = compression}).empty());
  REQUIRE(read(record("") + record("")) == std::vector<std::string>{"", ""});
  REQUIRE(read(compressed("", io::Framing::gzip), {.compression = Compression::gzip}).empty());
  REQUIRE(io::TfRecordFile(bytes(""), "t").size() == 0);
}

TEST_CASE("A plain file's records are views of it", "[io]") {
  const auto file = bytes(kTwo);
  io::TfRecordReader reader(file, "t");
  REQUIRE(reader.next()->data() == file.data() + 12);
  REQUIRE(reader.offset() == 21);
  const auto second = reader.next();
  REQUIRE(second->data() == file.data() + 21 + 12);
  REQUIRE(second->owner == file.owner);
  REQUIRE(io::TfRecordFile(file, "t").record(1).data() == second->data());
}

TEST_CASE("A file that ends inside a record is an error wherever it is cut, or the end before it", "[io]") {
  for (size_t cut = 1; cut < kTwo.size(); ++cut) {
    if (cut == 21) continue;  // between the two
    const auto part = kTwo.substr(0, cut);
    CAPTURE(cut);
    REQUIRE_THROWS_WITH(read(part), Contains(cut < 21 ? "t: byte 0: record 0: the file ends" : "t: byte 21: record 1: the file ends"));
    REQUIRE_THROWS_WITH(io::TfRecordFile(bytes(part), "t"), Contains("the file ends"));
    REQUIRE(read(part, {.stop_on_error = true}).size() == (cut < 21 ? 0 : 1));
    REQUIRE(read(part, {.still_written = true}).size() == (cut < 21 ? 0 : 1));
  }
}

TEST_CASE("Flipped bits are found by the checksum that guards them", "[io]") {
  for (size_t at = 0; at < kTwo.size(); ++at) {
    std::string damaged = kTwo;
    damaged[at] = char(damaged[at] ^ 0x10);
    const bool in_length = at < 12 || (at >= 21 && at < 33);
    CAPTURE(at);
    REQUIRE_THROWS_WITH(read(damaged), Contains(in_length ? "the checksum of its length is wrong" : "the checksum of its data is wrong"));
    REQUIRE(read(damaged, {.stop_on_error = true}).size() == (at < 21 ? 0 : 1));
    REQUIRE_THROWS_AS(read(damaged, {.still_written = true}), UserError);
    if (in_length) {
      REQUIRE_THROWS_AS(read(damaged, {.verify_crc = false}), UserError);
      REQUIRE_THROWS_AS(io::TfRecordFile(bytes(damaged), "t"), UserError);
    } else {
      REQUIRE(read(damaged, {.verify_crc = false}).size() == 2);
      const io::TfRecordFile file(bytes(damaged), "t");
      REQUIRE_THROWS_WITH(file.record(at < 21 ? 0 : 1), Contains("data is wrong"));
      REQUIRE_NOTHROW(file.record(at < 21 ? 1 : 0));
      REQUIRE_NOTHROW(io::TfRecordFile(bytes(damaged), "t", false).record(at < 21 ? 0 : 1));
    }
  }
}

TEST_CASE("A length that the file cannot hold costs no memory", "[io]") {
  for (uint64_t length : {UINT64_MAX, UINT64_MAX - 3, UINT64_MAX - 16, uint64_t(1) << 40}) {
    const std::string text = raw(length), file = text + raw(io::mask_crc(io::crc32c(text))) + "abc";
    REQUIRE_THROWS_WITH(read(file), Contains("the file ends inside its data"));
    REQUIRE_THROWS_WITH(read(compressed(file, io::Framing::gzip), {.compression = Compression::gzip}),
                        Contains("the file ends inside its data"));
    REQUIRE_THROWS_WITH(io::TfRecordFile(bytes(file), "t"), Contains("the file ends inside its data"));
  }
}

TEST_CASE("Compression is what the options say, and its end is verified", "[io]") {
  const std::vector<std::string> both = {"first", std::string(300, 'x')};
  for (const auto& [framing, compression, other] : {std::tuple(io::Framing::gzip, Compression::gzip, Compression::zlib),
                                                    std::tuple(io::Framing::zlib, Compression::zlib, Compression::gzip)}) {
    const std::string file = compressed(kTwo, framing);
    const io::TfRecordOptions options{.compression = compression}, stop{.compression = compression, .stop_on_error = true};
    REQUIRE(read(file, options) == both);
    REQUIRE_THROWS_WITH(read(file), Contains("checksum of its length"));
    REQUIRE_THROWS_WITH(read(file, {.compression = other}), Contains("compressed data is damaged"));
    REQUIRE_THROWS_WITH(read(file + "junk", options), Contains("4 bytes after the end of the compressed data"));
    for (size_t cut = 1; cut < file.size(); ++cut)
      REQUIRE_THROWS_WITH(read(file.substr(0, cut), options), Contains("ends before its stream"));
    for (size_t back = 1; back <= 4; ++back) {
      const std::string damaged = with(file, file.size() - back, 1, std::string(1, char(file[file.size() - back] ^ 1)));
      REQUIRE_THROWS_WITH(read(damaged, options), Contains("check"));
      REQUIRE(read(damaged, stop) == both);  // both came before the damage
    }
  }
  // Members of gzip concatenate, also inside a record; streams of zlib do not.
  const std::string split = compressed(kTwo.substr(0, 30), io::Framing::gzip) + compressed("", io::Framing::gzip) +
                            compressed(kTwo.substr(30), io::Framing::gzip);
  REQUIRE(read(split, {.compression = Compression::gzip}) == both);
  const std::string twice = compressed(record("a"), io::Framing::zlib) + compressed(record("b"), io::Framing::zlib);
  REQUIRE_THROWS_WITH(read(twice, {.compression = Compression::zlib}), Contains("after the end"));
}

TEST_CASE("Compressions have TensorFlow's names", "[io]") {
  REQUIRE(io::compression_named("") == Compression::none);
  REQUIRE(io::compression_named("GZIP") == Compression::gzip);
  REQUIRE(io::compression_named("ZLIB") == Compression::zlib);
  REQUIRE_THROWS_WITH(io::compression_named("gzip"), Contains("compression 'gzip' is unknown"));
}

TEST_CASE("Records are reached by number in any order by any thread", "[io]") {
  TemporaryFolder folder;
  const auto records = random_records(1000, 2000);
  io::TfRecordWriter writer(folder / "r");
  for (const auto& text : records) writer.write(text);
  writer.commit();
  const io::TfRecordFile file(folder / "r");
  REQUIRE(file.size() == 1000);
  std::vector<int> wrong(4);
  std::vector<std::thread> threads;
  for (size_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int64_t i : permutation(1000, {.seed = t})) wrong[t] += text_of(file.record(i).view) != records[size_t(i)];
    });
  }
  for (auto& thread : threads) thread.join();
  REQUIRE(wrong == std::vector<int>(4));
  REQUIRE(file.offset(0) == 0);
  REQUIRE(file.length(999) == records[999].size());
  for (int64_t i : {INT64_MIN, int64_t(-1), int64_t(1000), INT64_MAX}) REQUIRE_THROWS_AS(file.record(i), Error);
}

TEST_CASE("A record outlives the reader and the file's name", "[io]") {
  TemporaryFolder folder;
  io::TfRecordWriter writer(folder / "r", Compression::gzip);
  writer.write("kept");
  writer.commit();
  std::optional<io::Bytes> kept;
  {
    io::TfRecordReader reader(io::map_file(folder / "r"), "r", {.compression = Compression::gzip});
    io::TfRecordReader moved = std::move(reader);
    kept = moved.next();
    REQUIRE(!moved.next());
    REQUIRE(!moved.next());
  }
  REQUIRE(kept->text() == "kept");
}
