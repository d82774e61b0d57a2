#include <libzoo/core/error.h>
#include <libzoo/io/deflate.h>

#include <zlib.h>

#include <algorithm>

namespace zoo::io {

DeflateStream::DeflateStream(Framing framing, Sink sink, int level) : sink_(std::move(sink)), z_(new z_stream{}) {
  const int window = framing == Framing::raw_deflate ? -15 : framing == Framing::gzip ? 15 + 16 : 15;
  if (deflateInit2(z_.get(), level, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY) != Z_OK) throw Error("cannot start zlib");
}

DeflateStream::~DeflateStream() { deflateEnd(z_.get()); }

void DeflateStream::run(std::span<const uint8_t> bytes, int flush) {
  uint8_t out[1 << 15];
  z_->next_in = const_cast<uint8_t*>(bytes.data());
  z_->avail_in = uInt(bytes.size());
  do {
    z_->next_out = out;
    z_->avail_out = sizeof out;
    deflate(z_.get(), flush);
    sink_(std::span(out).first(sizeof out - z_->avail_out));
  } while (z_->avail_out == 0);
}

void DeflateStream::write(std::span<const uint8_t> bytes) {
  while (!bytes.empty()) {
    const auto piece = bytes.first(std::min(bytes.size(), size_t(1) << 30));
    run(piece, Z_NO_FLUSH);
    bytes = bytes.subspan(piece.size());
  }
}

void DeflateStream::finish() { run({}, Z_FINISH); }

}  // namespace zoo::io
