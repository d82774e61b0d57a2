// Animated PNG (the APNG extension of PNG's third edition): browsers play it, everything else shows the first picture.
//
//   io::write_file("episode.png", io::encode_apng(frames, {.frame_milliseconds = 50}));
#pragma once

#include <libzoo/io/image.h>

#include <span>
#include <vector>

namespace zoo::io {

struct AnimationOptions {
  int frame_milliseconds = 100;  // 1 … 65535
  int loops = 0;                 // 0: for ever
};

// Pictures of one size and one number of channels. A picture that repeats the one before it lengthens that one instead.
// Throws UserError if there is none, or they differ in size.
std::vector<uint8_t> encode_apng(std::span<const Image> frames, const AnimationOptions& options = {});

}  // namespace zoo::io
