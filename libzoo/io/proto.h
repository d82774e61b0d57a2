// The wire format of protocol buffers, as much as readers and writers of single messages need.
//
//   ProtoReader r(bytes, where);
//   while (auto field = r.next()) if (field->number == 1 && field->type == WireType::bytes) name = field->bytes;
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace zoo::io {

enum class WireType : uint8_t { varint = 0, fixed64 = 1, bytes = 2, group = 3, fixed32 = 5 };

struct ProtoField {
  uint32_t number = 0;
  WireType type = WireType::varint;
  uint64_t value = 0;              // varint, fixed64, fixed32
  std::span<const uint8_t> bytes;  // of type bytes

  double as_double() const;
  float as_float() const;
  std::string_view text() const { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }
};

// The fields of a message in order; groups, which no current message uses, are checked and passed over.
class ProtoReader {
 public:
  // `where` must outlive the reader and opens its messages. `depth`: how many messages this one lies in.
  ProtoReader(std::span<const uint8_t> message, const std::string& where, size_t depth = 0)
      : left_(message), where_(where), depth_(depth) {}

  // Throws UserError on anything that is no well-formed message: varints of more than 10 bytes (keys and lengths: 5),
  // lengths beyond the message, field number 0, wire types 6 and 7, unbalanced groups, and messages and groups nested more
  // than 100 deep; as protobuf does.
  std::optional<ProtoField> next();

  // The items of a packed field.
  std::optional<uint64_t> next_varint();
  std::optional<uint32_t> next_fixed32();

 private:
  ProtoField take();
  void skip_group(uint32_t number);
  uint64_t varint(std::string_view what = "a varint", int most_bytes = 10);
  template <class T>
  T fixed();
  [[noreturn]] void fail(std::string_view message) const;

  std::span<const uint8_t> left_;
  const std::string& where_;
  size_t depth_;
  bool closing_ = false;  // the field just taken ends a group
};

// Appends fields to a message.
class ProtoWriter {
 public:
  void varint(uint32_t field, uint64_t value);
  void fixed64(uint32_t field, double value);
  void fixed32(uint32_t field, float value);
  void bytes(uint32_t field, std::string_view value);
  void message(uint32_t field, const ProtoWriter& message) { bytes(field, message.text()); }
  void packed(uint32_t field, std::span<const double> values);
  void packed(uint32_t field, std::span<const float> values);
  void packed(uint32_t field, std::span<const int64_t> values);  // varints

  const std::string& text() const { return text_; }

 private:
  void key(uint32_t field, WireType type);
  void raw_varint(uint64_t value);
  std::string text_;
};

}  // namespace zoo::io
