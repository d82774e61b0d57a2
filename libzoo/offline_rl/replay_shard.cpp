#include <libzoo/core/error.h>
#include <libzoo/io/atomic_file.h>
#include <libzoo/io/byte_reader.h>
#include <libzoo/io/deflate.h>
#include <libzoo/io/gzip.h>
#include <libzoo/io/npy_header.h>
#include <libzoo/offline_rl/replay_shard.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <optional>

namespace zoo::offline_rl {
namespace {

constexpr ShardArray kArrays[] = {ShardArray::observation, ShardArray::action,    ShardArray::reward,
                                  ShardArray::terminal,    ShardArray::add_count, ShardArray::invalid_range};
constexpr size_t kPiece = 1 << 20;        // bytes read at once
constexpr size_t kLongestHeader = 1 << 16;
constexpr int64_t kMostInvalid = 10'000;  // horizon + stack

const char* stem_of(ShardArray array) {
  switch (array) {
    case ShardArray::observation: return "$store$_observation";
    case ShardArray::action: return "$store$_action";
    case ShardArray::reward: return "$store$_reward";
    case ShardArray::terminal: return "$store$_terminal";
    case ShardArray::add_count: return "add_count";
    default: return "invalid_range";
  }
}

DType dtype_of_array(ShardArray array) {
  switch (array) {
    case ShardArray::observation:
    case ShardArray::terminal: return DType::u8;
    case ShardArray::action: return DType::i32;
    case ShardArray::reward: return DType::f32;
    default: return DType::i64;
  }
}

// An .npy array inside of one gzip member.
class PackedArray {
 public:
  PackedArray(const io::Bytes& file, const std::string& where)
      : where_(where), in_(file.view), stream_(open(in_, where_), io::Framing::gzip, where_) {
    std::vector<uint8_t> head(10);
    fill(head, 0);
    if (std::memcmp(head.data(), "\x93NUMPY", 6) != 0) throw UserError(where_ + ": holds no .npy array");
    const bool first = head[6] == 1;
    if (!first) head.resize(12), fill(head, 10);
    const size_t length = first ? size_t(head[8] | head[9] << 8) : size_t(head[8] | head[9] << 8 | head[10] << 16) | size_t(head[11]) << 24;
    if (length > kLongestHeader) throw UserError(fmt::format("{}: claims an .npy header of {} bytes", where_, length));
    const size_t begin = head.size();
    head.resize(begin + length);
    fill(head, begin);
    io::ByteReader reader(head, where_);
    header_ = io::read_npy_header(reader);
    if (header_.fortran_order && header_.shape.size() > 1) throw UserError(where_ + ": the array lies in Fortran order");
  }

  const io::NpyHeader& header() const { return header_; }

  // All of `out` from the array's data.
  void read(std::span<uint8_t> out) {
    const size_t got = stream_.read(out);
    if (got < out.size())
      throw UserError(fmt::format("{}: the array ends before the {} values of its shape", where_, fmt::join(header_.shape, "x")));
  }
  // Call after the last of the data.
  void finish() {
    if (!stream_.finish())
      throw UserError(fmt::format("{}: more data follows the array of shape {}", where_, fmt::join(header_.shape, "x")));
    if (stream_.consumed() != in_.size())
      throw UserError(fmt::format("{}: {} bytes follow the gzip member", where_, in_.size() - stream_.consumed()));
  }

 private:
  static std::span<const uint8_t> open(std::span<const uint8_t> in, const std::string& where) {
    if (!io::is_gzip(in)) throw UserError(where + ": is no gzip file: it does not begin with 1f 8b");
    return in;
  }
  void fill(std::vector<uint8_t>& bytes, size_t from) {
    if (stream_.read(std::span(bytes).subspan(from)) < bytes.size() - from) throw UserError(where_ + ": ends inside of its .npy header");
  }

  const std::string where_;
  std::span<const uint8_t> in_;
  io::InflateStream stream_;
  io::NpyHeader header_;
};

// The data, in memory that grows as it comes out.
Array read_all(PackedArray& packed, DType type) {
  const auto& shape = packed.header().shape;
  const auto total = size_t(count(shape, item_size(type))) * item_size(type);
  auto bytes = std::make_shared<std::vector<uint8_t>>();
  while (bytes->size() < total) {
    const size_t before = bytes->size();
    bytes->resize(std::min(total, std::max(2 * before, kPiece)));
    packed.read(std::span(*bytes).subspan(before));
  }
  packed.finish();
  const uint8_t* data = bytes->data();
  return Array(type, shape, data, std::move(bytes));
}

}  // namespace

std::string shard_file_name(ShardArray array, int64_t suffix) { return fmt::format("{}_ckpt.{}.gz", stem_of(array), suffix); }

std::vector<int64_t> shard_suffixes(const std::vector<std::string>& names) {
  std::map<int64_t, int> counted;
  for (const std::string& name : names) {
    if (!name.ends_with(".gz")) continue;
    const std::string stem = name.substr(0, name.size() - 3);
    const size_t dot = stem.rfind('.');
    if (dot == std::string::npos) continue;
    int64_t suffix = 0;
    const char *begin = stem.data() + dot + 1, *end = stem.data() + stem.size();
    const auto [stop, error] = std::from_chars(begin, end, suffix);
    if (error == std::errc() && stop == end && begin != end && *begin != '-') ++counted[suffix];
  }
  std::vector<int64_t> suffixes;
  for (const auto& [suffix, files] : counted)
    if (files == 6 || files == 7) suffixes.push_back(suffix);
  return suffixes;
}

std::vector<std::string> names_in(const std::filesystem::path& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (auto entry = std::filesystem::directory_iterator(folder, error); !error && entry != std::filesystem::directory_iterator();
       entry.increment(error))
    names.push_back(entry->path().filename().string());
  if (error)
    throw UserError(fmt::format("{}: {}", folder.string(), error.message()), "name the folder that holds the $store$_…_ckpt.N.gz files");
  std::sort(names.begin(), names.end());
  return names;
}

ShardReader::ShardReader(const std::filesystem::path& folder, int64_t suffix, const ShardLimits& limits) : limits_(limits) {
  for (const ShardArray array : kArrays) {
    const auto path = folder / shard_file_name(array, suffix);
    files_.emplace(array, Place{io::map_file(path), path.string()});
  }
  read_headers();
}

ShardReader::ShardReader(std::map<std::string, io::Bytes> files, int64_t suffix, const ShardLimits& limits) : limits_(limits) {
  for (const ShardArray array : kArrays) {
    const auto name = shard_file_name(array, suffix);
    const auto found = files.find(name);
    if (found == files.end()) throw UserError(fmt::format("{}: is missing from shard {}", name, suffix));
    files_.emplace(array, Place{found->second, name});
  }
  read_headers();
}

int64_t ShardReader::frame_bytes() const { return count(frame_shape_); }

void ShardReader::read_headers() {
  std::optional<int64_t> rows;
  for (const ShardArray array : kArrays) {
    const auto& [file, where] = files_.at(array);
    const auto header = PackedArray(file, where).header();
    const DType wanted = dtype_of_array(array);
    // The data set's terminal is u1; buffers that hold it as a truth value are as good.
    const bool fits = header.dtype == wanted || (array == ShardArray::terminal && header.dtype == DType::boolean);
    if (!fits || header.big_endian)
      throw UserError(
          fmt::format("{}: holds {}{}, not {}", where, name(header.dtype), header.big_endian ? " (big-endian)" : "", name(wanted)));
    const auto& shape = header.shape;
    if (array == ShardArray::add_count) {
      if (count(shape) != 1) throw UserError(fmt::format("{}: holds {} numbers, not one", where, count(shape)));
      continue;
    }
    if (array == ShardArray::invalid_range) {
      if (shape.size() != 1 || shape[0] > kMostInvalid)
        throw UserError(fmt::format("{}: the shape ({}) is not that of a range", where, fmt::join(shape, ", ")));
      continue;
    }
    const bool frames = array == ShardArray::observation;
    if (frames ? shape.size() < 2 || shape.size() > 4 : shape.size() != 1)
      throw UserError(fmt::format("{}: the shape ({}) is not [rows{}]", where, fmt::join(shape, ", "), frames ? ", height, width" : ""));
    if (shape[0] < 1 || shape[0] > limits_.rows)
      throw UserError(fmt::format("{}: claims {} rows; between 1 and {} are read", where, shape[0], limits_.rows));
    if (rows && *rows != shape[0]) throw UserError(fmt::format("{}: has {} rows where the observations have {}", where, shape[0], *rows));
    rows = shape[0];
    if (!frames) continue;
    frame_shape_.assign(shape.begin() + 1, shape.end());
    const int64_t bytes = count(frame_shape_);
    if (bytes < 1 || bytes > limits_.frame_bytes)
      throw UserError(fmt::format("{}: claims frames of {} bytes; between 1 and {} are read", where, bytes, limits_.frame_bytes));
  }
  rows_ = rows.value();
}

ReplayShard ShardReader::read_without_frames() const {
  const auto array = [&](ShardArray which) {
    const auto& [file, where] = files_.at(which);
    PackedArray packed(file, where);
    return read_all(packed, dtype_of_array(which));
  };
  ReplayShard shard;
  shard.action = array(ShardArray::action);
  shard.reward = array(ShardArray::reward);
  shard.terminal = array(ShardArray::terminal);
  shard.add_count = array(ShardArray::add_count).span<int64_t>()[0];
  const Array range = array(ShardArray::invalid_range);
  shard.invalid_range.assign(range.span<int64_t>().begin(), range.span<int64_t>().end());
  if (shard.add_count < 0)
    throw UserError(fmt::format("{}: a negative number of rows, {}", files_.at(ShardArray::add_count).where, shard.add_count));
  return shard;
}

ReplayShard ShardReader::read() const {
  ReplayShard shard = read_without_frames();
  const auto& [file, where] = files_.at(ShardArray::observation);
  PackedArray packed(file, where);
  shard.observation = read_all(packed, DType::u8);
  return shard;
}

void ShardReader::observations(const std::function<void(std::span<const uint8_t>)>& take) const {
  const auto& [file, where] = files_.at(ShardArray::observation);
  PackedArray packed(file, where);
  const int64_t bytes = frame_bytes(), together = std::max<int64_t>(1, int64_t(kPiece) / bytes);
  std::vector<uint8_t> piece(size_t(std::min(rows_, together) * bytes));
  for (int64_t row = 0; row < rows_; row += together) {
    const auto part = std::span(piece).first(size_t(std::min(together, rows_ - row) * bytes));
    packed.read(part);
    take(part);
  }
  packed.finish();
}

void ShardReader::verify() const {
  const auto shard = read_without_frames();
  const auto& range_place = files_.at(ShardArray::invalid_range).where;
  for (int64_t index : shard.invalid_range)
    if (index < 0 || index >= rows_) throw UserError(fmt::format("{}: index {} is not one of {} rows", range_place, index, rows_));
  for (uint8_t terminal : shard.terminal.span<uint8_t>())
    if (terminal > 1) throw UserError(fmt::format("{}: a terminal of {}", files_.at(ShardArray::terminal).where, terminal));
  observations([](std::span<const uint8_t>) {});
}

void write_shard(const std::filesystem::path& folder, int64_t suffix, const ReplayShard& shard, int level) {
  std::filesystem::create_directories(folder);
  const auto write = [&](ShardArray which, const Array& array) {
    io::AtomicFile file(folder / shard_file_name(which, suffix));
    io::DeflateStream out(io::Framing::gzip, [&](std::span<const uint8_t> bytes) { file.write(bytes); }, level);
    out.write(io::view_bytes(io::make_npy_header(array.dtype(), array.shape())));
    out.write(std::span(reinterpret_cast<const uint8_t*>(array.data()), array.bytes()));
    out.finish();
    file.commit();
  };
  write(ShardArray::action, shard.action);
  write(ShardArray::reward, shard.reward);
  write(ShardArray::terminal, shard.terminal);
  write(ShardArray::add_count, Array::scalar(shard.add_count));
  write(ShardArray::invalid_range, Array::of<int64_t>({std::ssize(shard.invalid_range)}, std::span<const int64_t>(shard.invalid_range)));
  write(ShardArray::observation, shard.observation);
}

}  // namespace zoo::offline_rl
