#include <libzoo/core/error.h>
#include <libzoo/io/byte_reader.h>
#include <libzoo/io/inflate.h>

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>

namespace zoo::io {
namespace {

constexpr size_t kChunk = size_t(1) << 30;

}  // namespace

InflateStream::InflateStream(std::span<const uint8_t> in, Framing framing, const std::string& where)
    : in_(in), where_(where), z_(new z_stream{}) {
  const int window = framing == Framing::raw_deflate ? -15 : framing == Framing::gzip ? 15 + 16 : 15;
  if (inflateInit2(z_.get(), window) != Z_OK) throw Error(fmt::format("{}: cannot start zlib", where));
}

InflateStream::~InflateStream() { inflateEnd(z_.get()); }

size_t InflateStream::read(std::span<uint8_t> out) {
  size_t produced = 0;
  while (produced < out.size() && !ended_) {
    auto rest = out.subspan(produced);
    produced += step(rest.first(std::min(rest.size(), kChunk)));
  }
  return produced;
}

bool InflateStream::finish() {
  uint8_t more;
  return ended_ || (step({&more, 1}) == 0 && ended_);
}

size_t InflateStream::step(std::span<uint8_t> out) {
  while (true) {
    const auto in = in_.subspan(consumed_, std::min(in_.size() - consumed_, kChunk));
    z_->next_in = const_cast<uint8_t*>(in.data());
    z_->avail_in = uInt(in.size());
    z_->next_out = out.data();
    z_->avail_out = uInt(out.size());
    const int status = inflate(z_.get(), Z_NO_FLUSH);
    const size_t taken = in.size() - z_->avail_in, given = out.size() - z_->avail_out;
    consumed_ += taken;
    if (status == Z_STREAM_END) {
      ended_ = true;
      return given;
    }
    if (given > 0) return given;  // damage, if this was the last before it, is told by the next call
    if (status != Z_OK && status != Z_BUF_ERROR) {
      const char* why = z_->msg ? z_->msg : status == Z_NEED_DICT ? "needs a dictionary" : zError(status);
      refuse(where_, consumed_, fmt::format("compressed data is damaged: {}", why));
    }
    if (taken == 0) refuse(where_, consumed_, "compressed data ends before its stream does");
  }
}

Inflated inflate_into(std::span<const uint8_t> in, std::span<uint8_t> out, Framing framing, const std::string& where) {
  InflateStream stream(in, framing, where);
  Inflated result;
  result.produced = stream.read(out);
  result.ended = stream.finish();
  result.consumed = stream.consumed();
  return result;
}

Inflated measure_inflated(std::span<const uint8_t> in, uint64_t limit, Framing framing, const std::string& where, uint32_t* crc32) {
  InflateStream stream(in, framing, where);
  uint8_t scratch[1 << 15];
  Inflated result;
  uLong checksum = ::crc32(0, nullptr, 0);
  while (!stream.ended() && result.produced <= limit) {
    const size_t n = stream.read(scratch);
    checksum = ::crc32(checksum, scratch, uInt(n));
    result.produced += n;
  }
  result.ended = stream.ended() && result.produced <= limit;
  result.consumed = stream.consumed();
  if (crc32) *crc32 = uint32_t(checksum);
  return result;
}

}  // namespace zoo::io
