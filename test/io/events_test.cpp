#include "test/catch.h"
#include "test/io/records.h"

#include <libzoo/core/error.h>
#include <libzoo/io/tfevents.h>

#include <cmath>
#include <limits>
#include <map>
#include <thread>

using namespace zoo;
using namespace zoo::test;

namespace {

std::string hex(const std::string& bytes) {
  std::string result;
  for (unsigned char b : bytes) {
    constexpr char digits[] = "0123456789abcdef";
    result += digits[b >> 4];
    result += digits[b & 15];
  }
  return result;
}

std::vector<io::ScalarEvent> scalars(const std::string& file) { return io::read_scalars(bytes(file), "t"); }

// An event with one value of the given fields after the tag "t".
std::string value_event(const std::string& fields) {
  return record(length_delimited(5, length_delimited(1, length_delimited(1, "t") + fields)));
}

}  // namespace

TEST_CASE("CRC-32C has the published values, in pieces too, on both paths", "[io]") {
  // RFC 3720, B.4, and the check value of the catalogue of CRC algorithms.
  REQUIRE(io::crc32c("123456789") == 0xE3069283);
  REQUIRE(io::mask_crc(0xE3069283) == 0xC78AB0E5);
  REQUIRE(io::crc32c(std::string(32, '\0')) == 0x8A9136AA);
  REQUIRE(io::crc32c(std::string(32, '\xFF')) == 0x62A8AB43);
  REQUIRE(io::crc32c("") == 0);
  std::vector<uint8_t> data(50'000);
  for (size_t i = 0; i < data.size(); ++i) data[i] = uint8_t(i * i >> 3);
  for (size_t size : {0, 1, 7, 8, 767, 768, 769, 1535, 1536, 1543, 1544, 13'100, 49'991}) {
    const auto whole = std::span(data).subspan(3, size);
    REQUIRE(io::crc32c(whole) == io::crc32c_portable(whole));
    REQUIRE(io::crc32c(whole.subspan(size / 3), io::crc32c(whole.first(size / 3))) == io::crc32c(whole));
  }
}

TEST_CASE("Events are the bytes that TensorBoard's own writer gives", "[io]") {
  // Spec: known bytes of protobuf's serialisation.
  REQUIRE(hex(io::version_event(1.0)) == "1800000000000000a37f4b2209000000000000f03f1a0d627261696e2e4576656e743a3286bf577a");
  REQUIRE(hex(io::scalar_event("loss", 0.5f, {2.0, 3})) ==
          "1a00000000000000129bd82d09000000000000004010032a0d0a0b0a046c6f7373150000003fbac36b94");
}

TEST_CASE("Scalars are read back as they were written, -1 and 0 included", "[io]") {
  const auto read = scalars(io::version_event(1) + io::scalar_event("", 0.0f, {0, 0}) + io::scalar_event("b", -0.0f, {2, -1}) +
                            io::scalar_event("c", NAN, {3, INT64_MAX}));
  REQUIRE(read.size() == 3);
  REQUIRE((read[0].tag.empty() && read[0].value == 0 && read[0].step == 0));
  REQUIRE((std::signbit(read[1].value) && read[1].step == -1));
  REQUIRE((std::isnan(read[2].value) && read[2].step == INT64_MAX && read[2].wall_time == 3));
}

TEST_CASE("Scalars that TensorFlow 2 writes as tensors are read, other tensors passed over", "[io]") {
  const std::string f = raw(2.5f);
  const auto tensor = [](const std::string& fields) { return value_event(length_delimited(8, fields)); };
  const std::string dtype = std::string("\x08\x01", 2), shape = length_delimited(2, ""),
                    vector = length_delimited(2, length_delimited(2, "\x08\x01"));
  REQUIRE(scalars(tensor(dtype + shape + length_delimited(4, f))).at(0).value == 2.5f);
  REQUIRE(scalars(tensor(dtype + length_delimited(5, f))).at(0).value == 2.5f);
  REQUIRE(scalars(tensor(dtype + "\x2D" + f)).at(0).value == 2.5f);
  REQUIRE(scalars(tensor(dtype + vector + length_delimited(4, f))).empty());
  REQUIRE(scalars(tensor(std::string("\x08\x02", 2) + length_delimited(4, f + f))).empty());
  REQUIRE(scalars(tensor(dtype + length_delimited(5, f + f))).empty());
  REQUIRE_THROWS_WITH(scalars(tensor(dtype + length_delimited(5, f + "x"))), Contains("fixed-size value"));
}

TEST_CASE("The last member of a oneof counts", "[io]") {
  const std::string simple = "\x15" + raw(1.0f);
  REQUIRE(scalars(value_event(simple + length_delimited(4, ""))).empty());
  REQUIRE(scalars(value_event(length_delimited(4, "") + simple)).size() == 1);
  const std::string summary = length_delimited(5, length_delimited(1, simple));
  REQUIRE(scalars(record(summary + summary)).size() == 2);  // merged
  REQUIRE(scalars(record(summary + length_delimited(3, "x"))).empty());
  // The step may follow the summary.
  REQUIRE(scalars(record(summary + "\x10\x07")).at(0).step == 7);
}

TEST_CASE("A file that is still being written ends quietly, a wrong checksum does not", "[io]") {
  const std::string one = io::scalar_event("a", 1, {1, 1}), file = one + one;
  for (size_t cut = one.size(); cut < file.size(); ++cut) REQUIRE(scalars(file.substr(0, cut)).size() == 1);
  REQUIRE_THROWS_WITH(scalars(with(file, one.size(), 1, "\x7F")), Contains("record 1: the checksum of its length"));
  REQUIRE_THROWS_WITH(scalars(with(file, one.size() + 14, 1, "\x7F")), Contains("record 1: the checksum of its data"));
}

TEST_CASE("Malformed messages are refused", "[io]") {
  const std::string start_group = "\x0B", end_group = "\x0C";
  REQUIRE(scalars(record(start_group + "\x08\x01" + end_group)).empty());
  REQUIRE_THROWS_WITH(scalars(record(start_group)), Contains("not closed"));
  REQUIRE_THROWS_WITH(scalars(record(end_group)), Contains("never began"));
  REQUIRE_THROWS_WITH(scalars(record(start_group + "\x14")), Contains("another field's end"));
  REQUIRE_THROWS_WITH(scalars(record([&] {
                        std::string s;
                        for (int i = 0; i < 101; ++i) s += start_group;
                        return s;
                      }())),
                      Contains("more than 100 deep"));
  REQUIRE_THROWS_WITH(scalars(record(std::string("\x00\x01", 2))), Contains("field number 0"));
  REQUIRE_THROWS_WITH(scalars(record("\x0E\x01")), Contains("wire type 6"));
  REQUIRE_THROWS_WITH(scalars(record("\x0F\x01")), Contains("wire type 7"));
  REQUIRE_THROWS_WITH(scalars(record("\x10" + std::string(10, '\xFF') + "\x01")), Contains("more than 10 bytes"));
  REQUIRE_THROWS_WITH(scalars(record("\x10\xFF")), Contains("a varint takes 1 bytes more"));
  REQUIRE_THROWS_WITH(scalars(record("\x2A\x05x")), Contains("field 5 takes 5 bytes"));
  REQUIRE_THROWS_WITH(scalars(value_event(length_delimited(1, "\xFF"))), Contains("not UTF-8"));
}

TEST_CASE("A histogram counts every value inside the edges once", "[io]") {
  const std::vector<double> values{-1e30, -2, 0, 0, 1e-12, 3, 1e25};
  const auto h = io::tensorboard_histogram(values);
  double counted = 0;
  for (double n : h.bucket) counted += n;
  REQUIRE(counted == 5);
  REQUIRE((h.num == 7 && h.min == -1e30 && h.max == 1e25));
  REQUIRE(h.bucket.size() == h.bucket_limit.size());
  REQUIRE((h.bucket.front() == 0 && h.bucket[1] == 1 && h.bucket.back() == 1));
  REQUIRE((h.bucket_limit.front() <= -2 && h.bucket_limit.back() > 3));
  REQUIRE_THROWS_WITH(io::tensorboard_histogram({}), Contains("at least one value"));
  REQUIRE_THROWS_WITH(io::tensorboard_histogram(std::vector<double>{1e30, NAN}), Contains("between"));
}

TEST_CASE("Threads write whole events to one file", "[io]") {
  TemporaryFolder folder;
  std::filesystem::path path;
  {
    io::EventWriter writer(folder / "tensorboard");
    io::EventWriter other(folder / "tensorboard");  // within the same second
    REQUIRE(other.path() != writer.path());
    path = writer.path();
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < 500; ++i) writer.scalar("thread" + std::to_string(t), i, i);
      });
    }
    for (auto& thread : threads) thread.join();
    const std::vector<uint8_t> png{1, 2, 3};
    writer.image("image", 1, 2, 3, 3, png);
    writer.histogram("histogram", 1, std::vector<double>{1, 2});
    writer.text("text", 1, "**bold**");
  }
  const auto read = io::read_scalars(io::map_file(path), path.string());
  REQUIRE(read.size() == 2000);
  std::map<std::string, int64_t> next;
  for (const auto& s : read) REQUIRE(s.step == next[s.tag]++);
}
