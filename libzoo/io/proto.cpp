#include <libzoo/core/error.h>
#include <libzoo/io/proto.h>

#include <fmt/format.h>

#include <bit>
#include <cstring>
#include <vector>

namespace zoo::io {
namespace {

constexpr size_t kMaxGroups = 100;
constexpr auto kGroupEnd = WireType(4);

}  // namespace

double ProtoField::as_double() const { return std::bit_cast<double>(value); }
float ProtoField::as_float() const { return std::bit_cast<float>(uint32_t(value)); }

void ProtoReader::fail(std::string_view message) const { throw UserError(fmt::format("{}: {}", where_, message)); }

std::span<const uint8_t> ProtoReader::bytes(uint64_t n, std::string_view what) {
  if (n > left_.size()) fail(fmt::format("{} takes {} bytes, the message has {} left", what, n, left_.size()));
  auto result = left_.first(size_t(n));
  left_ = left_.subspan(size_t(n));
  return result;
}

uint64_t ProtoReader::varint() {
  uint64_t value = 0;
  for (int i = 0; i < 10; ++i) {
    const uint8_t byte = bytes(1, "a varint")[0];
    value |= uint64_t(byte & 0x7F) << 7 * i;  // bits beyond 64 are dropped
    if (byte < 0x80) return value;
  }
  fail("a varint has more than 10 bytes");
}

template <class T>
T ProtoReader::fixed() {
  T value;
  std::memcpy(&value, bytes(sizeof(T), "a fixed-size value").data(), sizeof(T));
  return value;
}

// One field; for a group only its key.
ProtoField ProtoReader::take() {
  const uint64_t key = varint();
  if (key > UINT32_MAX || key >> 3 == 0) fail(fmt::format("field number {} is not allowed", key >> 3));
  ProtoField field;
  field.number = uint32_t(key >> 3);
  field.type = WireType(key & 7);
  closing_ = field.type == kGroupEnd;
  switch (key & 7) {
    case 0: field.value = varint(); break;
    case 1: field.value = fixed<uint64_t>(); break;
    case 2: field.bytes = bytes(varint(), fmt::format("field {}", field.number)); break;
    case 3:
    case 4: break;
    case 5: field.value = fixed<uint32_t>(); break;
    default: fail(fmt::format("wire type {} is not allowed", key & 7));
  }
  return field;
}

void ProtoReader::skip_group(uint32_t number) {
  std::vector<uint32_t> open{number};
  while (!open.empty()) {
    if (left_.empty()) fail("a group is not closed");
    const ProtoField field = take();
    if (field.type == WireType::group) {
      if (open.size() == kMaxGroups) fail(fmt::format("groups nested more than {} deep", kMaxGroups));
      open.push_back(field.number);
    } else if (closing_) {
      if (open.back() != field.number) fail("a group is closed by another field's end");
      open.pop_back();
    }
  }
}

std::optional<ProtoField> ProtoReader::next() {
  while (!left_.empty()) {
    const ProtoField field = take();
    if (closing_) fail("a group ends that never began");
    if (field.type != WireType::group) return field;
    skip_group(field.number);
  }
  return std::nullopt;
}

std::optional<uint64_t> ProtoReader::next_varint() {
  if (left_.empty()) return std::nullopt;
  return varint();
}

std::optional<uint32_t> ProtoReader::next_fixed32() {
  if (left_.empty()) return std::nullopt;
  return fixed<uint32_t>();
}

void ProtoWriter::raw_varint(uint64_t value) {
  for (; value >= 0x80; value >>= 7) text_ += char(value | 0x80);
  text_ += char(value);
}

void ProtoWriter::key(uint32_t field, WireType type) { raw_varint(uint64_t(field) << 3 | uint64_t(type)); }

void ProtoWriter::varint(uint32_t field, uint64_t value) {
  key(field, WireType::varint);
  raw_varint(value);
}

void ProtoWriter::fixed64(uint32_t field, double value) {
  key(field, WireType::fixed64);
  text_.append(reinterpret_cast<const char*>(&value), sizeof value);
}

void ProtoWriter::fixed32(uint32_t field, float value) {
  key(field, WireType::fixed32);
  text_.append(reinterpret_cast<const char*>(&value), sizeof value);
}

void ProtoWriter::bytes(uint32_t field, std::string_view value) {
  key(field, WireType::bytes);
  raw_varint(value.size());
  text_ += value;
}

void ProtoWriter::packed(uint32_t field, std::span<const double> values) {
  bytes(field, {reinterpret_cast<const char*>(values.data()), values.size_bytes()});
}

}  // namespace zoo::io
