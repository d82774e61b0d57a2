#include <libzoo/data/image_ops.h>

#include <libzoo/core/error.h>

#include <fmt/format.h>

#include <cmath>

namespace zoo::data {

Normalizer::Normalizer(std::vector<float> mean, std::vector<float> std) : mean_(std::move(mean)), std_(std::move(std)) {
  if (mean_.empty() || mean_.size() != std_.size()) {
    throw UserError(
        fmt::format("normalize: {} means and {} standard deviations; there must be equally many, at least one", mean_.size(), std_.size()));
  }
  for (size_t c = 0; c < mean_.size(); ++c) {
    if (!std::isfinite(mean_[c]) || !std::isfinite(std_[c]) || std_[c] == 0) {
      throw UserError(
          fmt::format("normalize: channel {} has mean {} and standard deviation {}; the latter must not be 0", c, mean_[c], std_[c]));
    }
    for (int value = 0; value < 256; ++value) table_.push_back((float(value) / 255.0f - mean_[c]) / std_[c]);
  }
}

void Normalizer::check(int64_t channels) const {
  if (mean_.size() != 1 && channels != int64_t(mean_.size())) {
    throw UserError(fmt::format("normalize: the picture has {} channels, mean and standard deviation {}", channels, mean_.size()));
  }
}

void Normalizer::chw(View<uint8_t> image, float* out) const {
  check(image.channels);
  const int64_t plane = image.height * image.width;
  if (image.channels == 3) {
    const float *red = &table_[of(0) * 256], *green = &table_[of(1) * 256], *blue = &table_[of(2) * 256];
    for (int64_t y = 0; y < image.height; ++y) {
      const uint8_t* from = image.row(y);
      float* to = out + y * image.width;
      for (int64_t x = 0; x < image.width; ++x, from += 3) {
        to[x] = red[from[0]];
        to[x + plane] = green[from[1]];
        to[x + 2 * plane] = blue[from[2]];
      }
    }
    return;
  }
  for (int64_t c = 0; c < image.channels; ++c) {
    const float* table = &table_[of(c) * 256];
    for (int64_t y = 0; y < image.height; ++y)
      for (int64_t x = 0; x < image.width; ++x) *out++ = table[image.row(y)[x * image.channels + c]];
  }
}

void Normalizer::hwc(View<uint8_t> image, float* out) const {
  check(image.channels);
  if (image.channels == 3) {
    const float *red = &table_[of(0) * 256], *green = &table_[of(1) * 256], *blue = &table_[of(2) * 256];
    for (int64_t y = 0; y < image.height; ++y) {
      const uint8_t* from = image.row(y);
      for (int64_t x = 0; x < image.width; ++x, from += 3, out += 3) out[0] = red[from[0]], out[1] = green[from[1]], out[2] = blue[from[2]];
    }
    return;
  }
  for (int64_t y = 0; y < image.height; ++y) {
    const uint8_t* from = image.row(y);
    for (int64_t x = 0; x < image.width; ++x)
      for (int64_t c = 0; c < image.channels; ++c) *out++ = table_[of(c) * 256 + *from++];
  }
}

void Normalizer::chw(View<float> image, float* out) const {
  check(image.channels);
  for (int64_t c = 0; c < image.channels; ++c) {
    const float mean = mean_[of(c)], std = std_[of(c)];
    for (int64_t y = 0; y < image.height; ++y)
      for (int64_t x = 0; x < image.width; ++x) *out++ = (image.row(y)[x * image.channels + c] / 255.0f - mean) / std;
  }
}

void Normalizer::hwc(View<float> image, float* out) const {
  check(image.channels);
  for (int64_t y = 0; y < image.height; ++y) {
    const float* from = image.row(y);
    for (int64_t x = 0; x < image.width; ++x)
      for (int64_t c = 0; c < image.channels; ++c) *out++ = (*from++ / 255.0f - mean_[of(c)]) / std_[of(c)];
  }
}

}  // namespace zoo::data
