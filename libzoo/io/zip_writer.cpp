#include <libzoo/core/error.h>
#include <libzoo/io/zip.h>

#include <fmt/format.h>
#include <zlib.h>

namespace zoo::io {
namespace {

constexpr uint32_t kShort = 0xFFFFFFFF;  // in a 32-bit field: see the ZIP64 field
constexpr uint16_t kDate = 1 << 5 | 1;   // 1 January 1980: the same contents give the same file

template <class T>
void append(std::string& bytes, T value) {
  bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
}

std::string zip64_field(const std::vector<uint64_t>& values) {
  std::string field;
  append<uint16_t>(field, 1);
  append<uint16_t>(field, uint16_t(8 * values.size()));
  for (uint64_t value : values) append(field, value);
  return field;
}

// What local and central headers share, from the version to the length of the name.
std::string common_fields(uint32_t crc, uint64_t size, bool long_size, size_t name) {
  std::string bytes;
  append<uint16_t>(bytes, long_size ? 45 : 20);
  append<uint16_t>(bytes, 1 << 11);  // the name is UTF-8
  append<uint16_t>(bytes, 0);        // stored
  append<uint16_t>(bytes, 0);
  append(bytes, kDate);
  append(bytes, crc);
  append(bytes, long_size ? kShort : uint32_t(size));
  append(bytes, long_size ? kShort : uint32_t(size));
  append(bytes, uint16_t(name));
  return bytes;
}

}  // namespace

void ZipWriter::put(const std::string& bytes) {
  sink_({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()});
  offset_ += bytes.size();
}

void ZipWriter::add(const std::string& name, std::string_view text) {
  add(name, {std::span(reinterpret_cast<const uint8_t*>(text.data()), text.size())});
}

void ZipWriter::add(const std::string& name, const std::vector<std::span<const uint8_t>>& pieces) {
  if (name.size() > 0xFFFF) throw Error(fmt::format("a member's name has {} bytes, zip allows 65535", name.size()));
  uint64_t size = 0;
  uLong crc = crc32_z(0, nullptr, 0);
  for (auto piece : pieces) {
    size += piece.size();
    crc = piece.empty() ? crc : crc32_z(crc, piece.data(), piece.size());
  }
  const bool long_size = options_.force_zip64 || size >= kShort, long_offset = options_.force_zip64 || offset_ >= kShort;

  std::string extra = long_size ? zip64_field({size, size}) : std::string();
  const uint64_t data = offset_ + 30 + name.size() + extra.size();
  if (uint64_t gap = -data & (options_.alignment - 1); gap > 0) {
    while (gap < 4) gap += options_.alignment;
    append<uint16_t>(extra, 0x4246);  // the field torch.save pads with
    append<uint16_t>(extra, uint16_t(gap - 4));
    extra.append(gap - 4, '\0');
  }
  const std::string common = common_fields(uint32_t(crc), size, long_size, name.size());

  std::string central = "PK\1\2";
  append<uint16_t>(central, 45);
  central += common;
  std::vector<uint64_t> longs;
  if (long_size) longs = {size, size};
  if (long_offset) longs.push_back(offset_);
  const std::string central_extra = longs.empty() ? std::string() : zip64_field(longs);
  append(central, uint16_t(central_extra.size()));
  central.append(10, '\0');  // comment, disk, attributes
  append(central, long_offset ? kShort : uint32_t(offset_));
  directory_ += central + name + central_extra;
  ++entries_;

  std::string local = "PK\3\4";
  local += common;
  append(local, uint16_t(extra.size()));
  put(local + name + extra);
  for (auto piece : pieces) {
    sink_(piece);
    offset_ += piece.size();
  }
}

void ZipWriter::finish() {
  const uint64_t begin = offset_;
  put(directory_);
  const uint64_t size = offset_ - begin;
  const bool zip64 = options_.force_zip64 || begin >= kShort || size >= kShort || entries_ >= 0xFFFF;
  std::string end;
  if (zip64) {
    end = "PK\6\6";
    append<uint64_t>(end, 44);
    append<uint16_t>(end, 45);
    append<uint16_t>(end, 45);
    append<uint64_t>(end, 0);
    for (uint64_t value : {entries_, entries_, size, begin}) append(end, value);
    end += "PK\6\7";
    append<uint32_t>(end, 0);
    append<uint64_t>(end, offset_);
    append<uint32_t>(end, 1);
  }
  end += "PK\5\6";
  append<uint32_t>(end, 0);
  append<uint16_t>(end, zip64 ? 0xFFFF : uint16_t(entries_));
  append<uint16_t>(end, zip64 ? 0xFFFF : uint16_t(entries_));
  append<uint32_t>(end, zip64 ? kShort : uint32_t(size));
  append<uint32_t>(end, zip64 ? kShort : uint32_t(begin));
  append<uint16_t>(end, 0);
  put(end);
}

}  // namespace zoo::io
