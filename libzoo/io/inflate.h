// Decompression with a limit on what comes out. A stream that lies about its size costs no memory: it is measured first.
#pragma once

#include <libzoo/io/bytes.h>
#include <libzoo/io/memory_budget.h>

#include <memory>
#include <string>

struct z_stream_s;

namespace zoo::io {

enum class Framing { raw_deflate, gzip, zlib };

// A stream that is read piece by piece; its checksum is verified where it ends. Throws UserError on damaged data and on a
// stream that is cut, after everything before the damage was given out.
class InflateStream {
 public:
  // `in` and `where` must outlive the stream.
  InflateStream(std::span<const uint8_t> in, Framing framing, const std::string& where);
  ~InflateStream();
  InflateStream(const InflateStream&) = delete;
  InflateStream& operator=(const InflateStream&) = delete;

  // Fills as much of `out` as the stream gives; returns how much. Less than out.size() only at the end of the stream.
  size_t read(std::span<uint8_t> out);
  // True if the stream has nothing more to give.
  bool finish();

  uint64_t consumed() const { return consumed_; }  // bytes of `in`
  bool ended() const { return ended_; }

 private:
  size_t step(std::span<uint8_t> out);

  std::span<const uint8_t> in_;
  const std::string& where_;
  std::unique_ptr<z_stream_s> z_;
  uint64_t consumed_ = 0;
  bool ended_ = false;
};

// One stream of `in` into `out`. `ended` is false if `out` was full before the end of the stream.
// Throws UserError on damaged data and on a stream that is cut.
struct Inflated {
  uint64_t consumed = 0, produced = 0;
  bool ended = false;
};
Inflated inflate_into(std::span<const uint8_t> in, std::span<uint8_t> out, Framing framing, const std::string& where);

// The same without keeping the output; stops, with ended = false, once more than `limit` bytes have come out.
// *crc32 receives the checksum of the output.
Inflated measure_inflated(std::span<const uint8_t> in, uint64_t limit, Framing framing, const std::string& where,
                          uint32_t* crc32 = nullptr);

// Memory for n bytes that are about to be written; not cleared.
struct Writable {
  explicit Writable(uint64_t n) : owner(new uint8_t[n ? n : 1]), bytes(owner.get(), n) {}
  Bytes freeze() && { return {bytes, std::shared_ptr<const void>(owner, owner.get())}; }
  std::shared_ptr<uint8_t[]> owner;
  std::span<uint8_t> bytes;
};

// What deflate cannot exceed: 1032 bytes out for each byte in.
inline uint64_t most_inflated(uint64_t compressed) { return compressed > UINT64_MAX / 1032 - 1 ? UINT64_MAX : 1032 * (compressed + 1); }

}  // namespace zoo::io
