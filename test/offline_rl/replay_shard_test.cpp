#include "test/catch.h"
#include "test/files.h"

#include <libzoo/core/error.h>
#include <libzoo/io/bytes.h>
#include <libzoo/io/deflate.h>
#include <libzoo/io/npy_header.h>
#include <libzoo/offline_rl/replay_shard.h>

#include <malloc.h>

using namespace zoo;
using namespace zoo::offline_rl;
using namespace zoo::test;

namespace {

ReplayShard sample(int64_t rows = 40) {
  ReplayShard shard;
  shard.observation = Array(DType::u8, {rows, 6, 5});
  shard.action = Array(DType::i32, {rows});
  shard.reward = Array(DType::f32, {rows});
  shard.terminal = Array(DType::u8, {rows});
  for (int64_t i = 0; i < shard.observation.size(); ++i) shard.observation.mutable_span<uint8_t>()[size_t(i)] = uint8_t(i * 7);
  for (int64_t i = 0; i < rows; ++i) {
    shard.action.mutable_span<int32_t>()[size_t(i)] = int32_t(i % 4);
    shard.reward.mutable_span<float>()[size_t(i)] = float(i) / 8;
    shard.terminal.mutable_span<uint8_t>()[size_t(i)] = i % 9 == 8;
  }
  shard.add_count = rows - 1;
  shard.invalid_range = {rows - 2, rows - 1, 0, 1, 2};
  return shard;
}

std::vector<uint8_t> gzipped(const std::string& text) {
  std::vector<uint8_t> result;
  io::DeflateStream out(io::Framing::gzip,
                        [&](std::span<const uint8_t> bytes) { result.insert(result.end(), bytes.begin(), bytes.end()); });
  out.write(io::view_bytes(text));
  out.finish();
  return result;
}

void put(const std::filesystem::path& path, const std::vector<uint8_t>& bytes) {
  write_text(path, std::string(bytes.begin(), bytes.end()));
}

// What reading says of a shard, one of whose files has other contents.
std::string complaint(ShardArray array, const std::function<std::string(std::string)>& change) {
  const TemporaryFolder folder;
  write_shard(folder.path(), 3, sample());
  const auto path = folder / shard_file_name(array, 3);
  write_text(path, change(read_text(path)));
  try {
    ShardReader(folder.path(), 3).read();
  } catch (const UserError& error) {
    const std::string what = error.what();
    CHECK_THAT(what, Contains(path.filename().string()));
    return what;
  }
  return "read";
}

std::string as_text(const std::vector<uint8_t>& bytes) { return {bytes.begin(), bytes.end()}; }
std::string npy(DType type, const std::vector<int64_t>& shape, size_t bytes) {
  return io::make_npy_header(type, shape) + std::string(bytes, '\0');
}

}  // namespace

TEST_CASE("a shard is read back as it was written, whole and piece by piece", "[offline_rl]") {
  const TemporaryFolder folder;
  const auto shard = sample();
  write_shard(folder.path(), 12, shard);
  CHECK(shard_suffixes(names_in(folder.path())) == std::vector<int64_t>{12});
  const ShardReader reader(folder.path(), 12);
  const auto got = reader.read();
  const auto same = [](const Array& a, const Array& b) {
    return a.shape() == b.shape() && a.dtype() == b.dtype() && std::equal(a.data(), a.data() + a.bytes(), b.data());
  };
  CHECK(same(got.observation, shard.observation));
  CHECK(same(got.action, shard.action));
  CHECK(same(got.reward, shard.reward));
  CHECK(same(got.terminal, shard.terminal));
  CHECK(got.add_count == 39);
  CHECK(got.invalid_range == shard.invalid_range);
  std::vector<uint8_t> frames;
  reader.observations([&](std::span<const uint8_t> piece) { frames.insert(frames.end(), piece.begin(), piece.end()); });
  CHECK(std::equal(frames.begin(), frames.end(), shard.observation.span<uint8_t>().begin()));
  CHECK_NOTHROW(reader.verify());
}

TEST_CASE("every kind of damage to a shard is told with the file's name", "[offline_rl]") {
  const auto cut = [](std::string text) { return text.substr(0, text.size() / 2); };
  CHECK_THAT(complaint(ShardArray::observation, cut), Contains("ends before"));
  const auto last_byte = [](std::string text) {
    text.back() = char(text.back() + 1);  // of the length modulo 2^32
    return text;
  };
  CHECK_THAT(complaint(ShardArray::reward, last_byte), Contains("damaged"));
  const auto checksum = [](std::string text) {
    text[text.size() - 8] = char(text[text.size() - 8] + 1);
    return text;
  };
  CHECK_THAT(complaint(ShardArray::action, checksum), Contains("damaged"));
  CHECK_THAT(complaint(ShardArray::action, [](std::string) { return std::string("not gzip"); }), Contains("no gzip file"));
  CHECK_THAT(complaint(ShardArray::action, [](std::string text) { return text + "tail"; }), Contains("4 bytes follow the gzip member"));
  CHECK_THAT(complaint(ShardArray::terminal, [](std::string) { return as_text(gzipped("no array")); }), Contains("npy"));
  const auto with = [](const std::string& contents) { return [contents](std::string) { return as_text(gzipped(contents)); }; };
  CHECK_THAT(complaint(ShardArray::terminal, with(npy(DType::u8, {39}, 39))), Contains("39 rows where the observations have 40"));
  CHECK_THAT(complaint(ShardArray::reward, with(npy(DType::f64, {40}, 320))), Contains("F64, not F32"));
  CHECK_THAT(complaint(ShardArray::reward, with(npy(DType::f32, {40}, 159))), Contains("ends before"));
  CHECK_THAT(complaint(ShardArray::reward, with(npy(DType::f32, {40}, 161))), Contains("more data follows"));
  CHECK_THAT(complaint(ShardArray::observation, with(npy(DType::u8, {int64_t(1) << 40, 6, 5}, 9))), Contains("claims 1099511627776 rows"));
  CHECK_THAT(complaint(ShardArray::observation, with(npy(DType::u8, {40, 1 << 20, 5}, 9))), Contains("claims frames"));
  CHECK_THAT(complaint(ShardArray::add_count, with(npy(DType::i64, {2}, 16))), Contains("2 numbers, not one"));
  const std::string objects = "{'descr': '|O', 'fortran_order': False, 'shape': (40,), }\n";
  CHECK_THAT(complaint(ShardArray::action, with(std::string("\x93NUMPY\x01\x00", 8) + char(objects.size()) + '\0' + objects)),
             Contains("dtype '|O'"));
}

TEST_CASE("a shard without one of its files names it", "[offline_rl]") {
  const TemporaryFolder folder;
  write_shard(folder.path(), 0, sample());
  std::filesystem::remove(folder / "invalid_range_ckpt.0.gz");
  CHECK(shard_suffixes(names_in(folder.path())).empty());
  CHECK_THROWS_WITH(ShardReader(folder.path(), 0), Contains("invalid_range_ckpt.0.gz"));
}

TEST_CASE("a gzip bomb is refused without the memory that it asks for", "[offline_rl]") {
  // 400 MB of zeros behind an array of 40 rows, in 400 KB.
  const TemporaryFolder folder;
  write_shard(folder.path(), 0, sample());
  std::vector<uint8_t> bomb;
  io::DeflateStream out(io::Framing::gzip, [&](std::span<const uint8_t> bytes) { bomb.insert(bomb.end(), bytes.begin(), bytes.end()); });
  out.write(io::view_bytes(io::make_npy_header(DType::f32, {40})));
  const std::vector<uint8_t> zeros(1 << 22);
  for (int i = 0; i < 100; ++i) out.write(zeros);
  out.finish();
  put(folder / "$store$_reward_ckpt.0.gz", bomb);
  const auto before = mallinfo2().uordblks + mallinfo2().hblkhd;
  CHECK_THROWS_WITH(ShardReader(folder.path(), 0).read(), Contains("more data follows"));
  CHECK(mallinfo2().uordblks + mallinfo2().hblkhd < before + (1 << 23));
}
