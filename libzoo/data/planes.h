// Float pictures as three planes, red, green and blue one after another, the layout in which colour changes and blur run several
// pixels at a time. The results are those of color.h and blur.h but for the last digits.
//
//   Planes planes(view.height, view.width);
//   planes.take(image.pixels.data(), 1.0f / 255);  color_jitter(planes, jitter);  planes.put(out);
#pragma once

#include <libzoo/data/color.h>

#include <cstdint>
#include <vector>

namespace zoo::data {

class Planes {
 public:
  Planes(int64_t height, int64_t width) { reset(height, width); }
  void reset(int64_t height, int64_t width);  // keeps the memory

  int64_t height() const { return height_; }
  int64_t width() const { return width_; }
  int64_t pixels() const { return height_ * width_; }
  float* plane(int64_t channel) { return values_.data() + channel * pixels(); }
  float* row(int64_t channel, int64_t y) { return plane(channel) + y * width_; }

  // From and to [height, width, 3]; take() multiplies by `scale`, put() cuts to [0, 1].
  void take(const float* interleaved, float scale);
  void put(float* interleaved) const;

 private:
  int64_t height_ = 0, width_ = 0;
  std::vector<float> values_;
};

// As the functions of these names in color.h and blur.h do it, in SimCLR's conventions: the operations in their order, each followed by
// clipping to [0, 1]; grey in all three planes, clipped; 2 · int(kernel_size / 2) + 1 taps and zeros around the picture, clipped. Throw
// UserError as those do.
void color_jitter(Planes& planes, const ColorJitter& jitter);
void to_grayscale(Planes& planes);
void gaussian_blur(Planes& planes, int64_t kernel_size, double sigma);
void clip(Planes& planes);

}  // namespace zoo::data
