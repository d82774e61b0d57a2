#include <libzoo/core/error.h>
#include <libzoo/io/byte_reader.h>

#include <fmt/format.h>

namespace zoo::io {

void refuse(const std::string& where, uint64_t offset, std::string_view message, const std::string& hint) {
  throw UserError(fmt::format("{}: byte {}: {}", where, offset, message), hint);
}

void ByteReader::seek(uint64_t position) {
  if (position > bytes_.size()) fail(fmt::format("offset {} lies beyond the end, {}", position, bytes_.size()));
  position_ = size_t(position);
}

std::span<const uint8_t> ByteReader::take(uint64_t n, std::string_view what) {
  if (n > left()) fail(fmt::format("{} takes {} bytes, {} are left", what, n, left()));
  auto result = bytes_.subspan(position_, size_t(n));
  position_ += size_t(n);
  return result;
}

std::string_view ByteReader::text(uint64_t n, std::string_view what) {
  auto bytes = take(n, what);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace zoo::io
