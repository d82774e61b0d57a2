#include <libzoo/core/error.h>
#include <libzoo/io/apng.h>
#include <libzoo/io/png.h>

#include <fmt/format.h>

#include <zlib.h>

#include <algorithm>
#include <string_view>

namespace zoo::io {
namespace {

using Bytes = std::vector<uint8_t>;
constexpr size_t kSignature = 8, kAround = 12;  // bytes: of the file's head; of a chunk beside its data
constexpr uint32_t kMaxDelay = 65535;           // milliseconds

void put(Bytes& to, uint32_t value, int bytes) {  // big-endian
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) to.push_back(uint8_t(value >> shift));
}

uint32_t get(const uint8_t* from) { return uint32_t(from[0]) << 24 | uint32_t(from[1]) << 16 | uint32_t(from[2]) << 8 | from[3]; }

void put_chunk(Bytes& to, std::string_view type, std::span<const uint8_t> data) {
  put(to, uint32_t(data.size()), 4);
  const size_t start = to.size();
  to.insert(to.end(), type.begin(), type.end());
  to.insert(to.end(), data.begin(), data.end());
  put(to, uint32_t(crc32(0, to.data() + start, uInt(to.size() - start))), 4);
}

// Calls visit(type, data) for every chunk of a PNG of ours.
template <class Visit>
void for_each_chunk(const Bytes& png, Visit visit) {
  for (size_t at = kSignature; at < png.size();) {
    const size_t size = get(png.data() + at);
    visit(std::string_view(reinterpret_cast<const char*>(png.data()) + at + 4, 4), std::span(png).subspan(at + 8, size));
    at += kAround + size;
  }
}

struct Frame {
  const Image* image;
  uint32_t milliseconds;
};

std::vector<Frame> merged(std::span<const Image> images, uint32_t delay) {
  std::vector<Frame> frames;
  for (const Image& image : images) {
    const Image& first = images.front();
    if (image.height != first.height || image.width != first.width || image.channels != first.channels)
      throw UserError(fmt::format("an animation has pictures of one size: {}x{} with {} channels, then {}x{} with {}", first.height,
                                  first.width, first.channels, image.height, image.width, image.channels));
    if (!frames.empty() && frames.back().image->pixels == image.pixels && frames.back().milliseconds + delay <= kMaxDelay)
      frames.back().milliseconds += delay;
    else
      frames.push_back({&image, delay});
  }
  return frames;
}

Bytes frame_control(uint32_t sequence, const Frame& frame) {
  Bytes data;
  put(data, sequence, 4);
  put(data, uint32_t(frame.image->width), 4);
  put(data, uint32_t(frame.image->height), 4);
  put(data, 0, 4);  // offsets
  put(data, 0, 4);
  put(data, frame.milliseconds, 2);
  put(data, 1000, 2);  // of a second
  put(data, 0, 2);     // stays when its time is over; replaces what is there
  return data;
}

}  // namespace

std::vector<uint8_t> encode_apng(std::span<const Image> images, const AnimationOptions& options) {
  if (images.empty()) throw UserError("an animation needs at least one picture");
  if (options.frame_milliseconds < 1 || uint32_t(options.frame_milliseconds) > kMaxDelay || options.loops < 0)
    throw UserError(fmt::format("a picture is shown for 1 to {} ms, 0 or more times, not for {} ms {} times", kMaxDelay,
                                options.frame_milliseconds, options.loops));
  const auto frames = merged(images, uint32_t(options.frame_milliseconds));
  Bytes result;
  uint32_t sequence = 0;
  for (const Frame& frame : frames) {
    const Bytes png = encode_png(*frame.image);
    const bool first = &frame == &frames.front();
    if (first) result.assign(png.begin(), png.begin() + kSignature);
    bool announced = false;
    for_each_chunk(png, [&](std::string_view type, std::span<const uint8_t> data) {
      if (type == "IDAT") {
        if (!announced) put_chunk(result, "fcTL", frame_control(sequence++, frame));
        announced = true;
        if (first) return put_chunk(result, type, data);
        Bytes numbered;
        put(numbered, sequence++, 4);
        numbered.insert(numbered.end(), data.begin(), data.end());
        put_chunk(result, "fdAT", numbered);
      } else if (first && type != "IEND") {
        put_chunk(result, type, data);
        if (type != "IHDR") return;
        Bytes control;
        put(control, uint32_t(frames.size()), 4);
        put(control, uint32_t(options.loops), 4);
        put_chunk(result, "acTL", control);
      }
    });
  }
  put_chunk(result, "IEND", {});
  return result;
}

}  // namespace zoo::io
