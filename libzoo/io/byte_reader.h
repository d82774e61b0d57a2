// A cursor over bytes of a file: every read is checked against what is left, and errors name the file and the offset.
//
//   ByteReader r(bytes, "labels.idx");
//   uint32_t count = r.big<uint32_t>("number of items");
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

namespace zoo::io {

static_assert(std::endian::native == std::endian::little, "the readers copy little-endian data as it is");

// Throws UserError "<where>: byte <offset>: <message>".
[[noreturn]] void refuse(const std::string& where, uint64_t offset, std::string_view message, const std::string& hint = {});

class ByteReader {
 public:
  // `base` is added to the offsets in messages: where `bytes` begin in the file.
  ByteReader(std::span<const uint8_t> bytes, std::string where, uint64_t base = 0) : bytes_(bytes), where_(std::move(where)), base_(base) {}

  size_t position() const { return position_; }
  size_t left() const { return bytes_.size() - position_; }
  const std::string& where() const { return where_; }

  void seek(uint64_t position);
  // The next n bytes. `what` is named if fewer are left.
  std::span<const uint8_t> take(uint64_t n, std::string_view what);
  std::string_view text(uint64_t n, std::string_view what);
  uint8_t byte(std::string_view what) { return take(1, what)[0]; }

  template <class T>
  T little(std::string_view what) {
    T value;
    std::memcpy(&value, take(sizeof(T), what).data(), sizeof(T));
    return value;
  }

  template <class T>
  T big(std::string_view what) {
    uint8_t reversed[sizeof(T)];
    auto bytes = take(sizeof(T), what);
    std::reverse_copy(bytes.begin(), bytes.end(), reversed);
    T value;
    std::memcpy(&value, reversed, sizeof(T));
    return value;
  }

  [[noreturn]] void fail(std::string_view message) const { refuse(where_, base_ + position_, message); }

 private:
  std::span<const uint8_t> bytes_;
  std::string where_;
  uint64_t base_;
  size_t position_ = 0;
};

}  // namespace zoo::io
