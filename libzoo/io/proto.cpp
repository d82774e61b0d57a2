#include <libzoo/core/error.h>
#include <libzoo/io/proto.h>

#include <fmt/format.h>

#include <bit>
#include <cstring>
#include <vector>

namespace zoo::io {
namespace {

constexpr size_t kMaxDepth = 100;
constexpr auto kGroupEnd = WireType(4);

}  // namespace

double ProtoField::as_double() const { return std::bit_cast<double>(value); }
float ProtoField::as_float() const { return std::bit_cast<float>(uint32_t(value)); }

void ProtoReader::fail(std::string_view message) const { throw UserError(fmt::format("{}: {}", where_, message)); }

uint64_t ProtoReader::varint(std::string_view what, int most_bytes) {
  uint64_t value = 0;
  for (int i = 0; i < most_bytes; ++i) {
    if (left_.empty()) fail(fmt::format("{} takes 1 bytes more, the message has 0 left", what));
    const uint8_t byte = left_.front();
    left_ = left_.subspan(1);
    value |= uint64_t(byte & 0x7F) << 7 * i;  // bits beyond 64 are dropped
    if (byte < 0x80) return value;
  }
  fail(fmt::format("{} has more than {} bytes", what, most_bytes));
}

template <class T>
T ProtoReader::fixed() {
  if (left_.size() < sizeof(T)) fail(fmt::format("a fixed-size value takes {} bytes, the message has {} left", sizeof(T), left_.size()));
  T value;
  std::memcpy(&value, left_.data(), sizeof(T));
  left_ = left_.subspan(sizeof(T));
  return value;
}

// One field; for a group only its key.
ProtoField ProtoReader::take() {
  const uint64_t key = varint("a field's key", 5);
  if (key > UINT32_MAX || key >> 3 == 0) fail(fmt::format("field number {} is not allowed", key >> 3));
  ProtoField field;
  field.number = uint32_t(key >> 3);
  field.type = WireType(key & 7);
  closing_ = field.type == kGroupEnd;
  switch (key & 7) {
    case 0: field.value = varint(); break;
    case 1: field.value = fixed<uint64_t>(); break;
    case 2: {
      const uint64_t length = varint("a length", 5);
      if (length > left_.size()) fail(fmt::format("field {} takes {} bytes, the message has {} left", field.number, length, left_.size()));
      field.bytes = left_.first(size_t(length));
      left_ = left_.subspan(size_t(length));
      break;
    }
    case 3:
    case 4: break;
    case 5: field.value = fixed<uint32_t>(); break;
    default: fail(fmt::format("wire type {} is not allowed", key & 7));
  }
  return field;
}

void ProtoReader::skip_group(uint32_t number) {
  std::vector<uint32_t> open;
  const auto enter = [&](uint32_t group) {
    if (depth_ + open.size() == kMaxDepth) fail(fmt::format("groups nested more than {} deep", kMaxDepth));
    open.push_back(group);
  };
  enter(number);
  while (!open.empty()) {
    if (left_.empty()) fail("a group is not closed");
    const ProtoField field = take();
    if (field.type == WireType::group) {
      enter(field.number);
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

void ProtoWriter::packed(uint32_t field, std::span<const float> values) {
  bytes(field, {reinterpret_cast<const char*>(values.data()), values.size_bytes()});
}

void ProtoWriter::packed(uint32_t field, std::span<const int64_t> values) {
  ProtoWriter content;
  for (int64_t value : values) content.raw_varint(uint64_t(value));
  bytes(field, content.text());
}

}  // namespace zoo::io
