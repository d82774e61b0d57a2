#include <libzoo/io/byte_reader.h>
#include <libzoo/io/gzip.h>
#include <libzoo/io/inflate.h>

namespace zoo::io {
namespace {

// Decompresses every member into `out`. False if they give more or less than out.size().
bool fill(std::span<const uint8_t> in, std::span<uint8_t> out, const std::string& where) {
  uint64_t at = 0, produced = 0;
  while (at < in.size()) {
    if (!is_gzip(in.subspan(at))) refuse(where, at, "bytes after the end of the gzip data");
    const auto member = inflate_into(in.subspan(at), out.subspan(produced), Framing::gzip, where);
    if (!member.ended) return false;
    at += member.consumed;
    produced += member.produced;
  }
  return produced == out.size();
}

uint64_t measure(std::span<const uint8_t> in, const std::string& where) {
  uint64_t at = 0, produced = 0;
  while (at < in.size()) {
    if (!is_gzip(in.subspan(at))) refuse(where, at, "bytes after the end of the gzip data");
    const auto member = measure_inflated(in.subspan(at), UINT64_MAX - 1, Framing::gzip, where);
    at += member.consumed;
    produced += member.produced;
  }
  return produced;
}

}  // namespace

bool is_gzip(std::span<const uint8_t> bytes) { return bytes.size() >= 2 && bytes[0] == 0x1f && bytes[1] == 0x8b; }

Bytes gunzip(const Bytes& file, const std::string& where) {
  if (!is_gzip(file.view)) refuse(where, 0, "gzip data begins with 1f 8b");
  // The last four bytes give the size of the last member, in most files the only one. If that is false or would be
  // expensive, the data is run through once to find its size.
  if (file.size() >= 18) {
    ByteReader trailer(file.view.last(4), where);
    const uint64_t guess = trailer.little<uint32_t>("the size");
    if (guess <= most_inflated(file.size()) && MemoryBudget(file.size(), where).allows(guess)) {
      Writable memory(guess);
      if (fill(file.view, memory.bytes, where)) return std::move(memory).freeze();
    }
  }
  Writable memory(measure(file.view, where));
  if (!fill(file.view, memory.bytes, where)) refuse(where, 0, "gzip data changed while it was read");
  return std::move(memory).freeze();
}

}  // namespace zoo::io
