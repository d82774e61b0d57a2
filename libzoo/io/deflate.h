// Compression piece by piece, handed on as it comes out.
//
//   DeflateStream out(Framing::gzip, [&](std::span<const uint8_t> bytes) { file.write(bytes); });
//   out.write(record);
//   out.finish();
#pragma once

#include <libzoo/io/inflate.h>

#include <functional>

namespace zoo::io {

class DeflateStream {
 public:
  using Sink = std::function<void(std::span<const uint8_t>)>;
  // level: 1 (fast) to 9 (small).
  DeflateStream(Framing framing, Sink sink, int level = 6);
  ~DeflateStream();
  DeflateStream(const DeflateStream&) = delete;
  DeflateStream& operator=(const DeflateStream&) = delete;

  void write(std::span<const uint8_t> bytes);
  void finish();  // the rest and the checksum; call once, last

 private:
  void run(std::span<const uint8_t> bytes, int flush);

  Sink sink_;
  std::unique_ptr<z_stream_s> z_;
};

}  // namespace zoo::io
