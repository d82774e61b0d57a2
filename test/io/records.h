// TFRecord frames, protobuf fields and tar headers put together by hand, and random contents.
#pragma once

#include "test/io/files.h"

#include <libzoo/core/random.h>
#include <libzoo/io/crc32c.h>
#include <libzoo/io/proto.h>

#include <cstdio>

namespace zoo::test {

inline std::string record(const std::string& payload) {
  const std::string length = raw<uint64_t>(payload.size());
  return length + raw(io::mask_crc(io::crc32c(length))) + payload + raw(io::mask_crc(io::crc32c(payload)));
}

inline std::string length_delimited(uint32_t field, const std::string& value) {
  io::ProtoWriter w;
  w.bytes(field, value);
  return w.text();
}

inline std::string random_text(RandomStream& random, size_t size) {
  std::string text(size, '\0');
  for (char& c : text) c = char(random.below(256));
  return text;
}

// Up to `most` bytes; short ones, and none, are frequent.
inline std::string random_text_below(RandomStream& random, uint64_t most) {
  return random_text(random, size_t(random.below(1 + random.below(random.below(4) == 0 ? most : 40))));
}

inline std::string text_of(std::span<const uint8_t> bytes) { return {bytes.begin(), bytes.end()}; }

// The header of a tar member, its checksum right; fields hold exactly the text given.
struct TarHeader {
  std::string name = "a", size = "00000000000", magic = std::string("ustar\0", 6), prefix;
  char type = '0';

  std::string bytes() const {
    std::string block(512, '\0');
    const auto put = [&](size_t at, const std::string& text) { block.replace(at, text.size(), text); };
    put(0, name);
    put(124, size);
    put(148, "        ");
    block[156] = type;
    put(257, magic);
    put(345, prefix);
    unsigned sum = 0;
    for (unsigned char c : block) sum += c;
    char digits[8];
    std::snprintf(digits, sizeof digits, "%06o", sum);
    put(148, std::string(digits) + std::string("\0 ", 2));
    return block;
  }
};

inline std::string padded(std::string payload) {
  payload.resize((payload.size() + 511) / 512 * 512);
  return payload;
}

inline std::string tar_end() { return std::string(1024, '\0'); }

}  // namespace zoo::test
