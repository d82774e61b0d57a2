#include <libzoo/data/blur.h>

#include <libzoo/core/error.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace zoo::data {
namespace {

// The sample at `index`, which may lie outside: -1 stands for a zero.
int64_t place(int64_t index, int64_t size, bool mirror) {
  if (index >= 0 && index < size) return index;
  if (!mirror) return -1;
  return index < 0 ? -index : 2 * (size - 1) - index;
}

// Along one axis of `size` samples, `inner` values each.
void blur_axis(const float* in, float* out, int64_t size, int64_t inner, const std::vector<double>& weights, bool mirror) {
  const int64_t radius = int64_t(weights.size()) / 2;
  std::vector<double> sums(size_t(inner), 0.0);
  for (int64_t i = 0; i < size; ++i) {
    std::fill(sums.begin(), sums.end(), 0.0);
    for (int64_t k = -radius; k <= radius; ++k) {
      const int64_t from = place(i + k, size, mirror);
      if (from < 0) continue;
      const double weight = weights[size_t(k + radius)];
      for (int64_t c = 0; c < inner; ++c) sums[size_t(c)] += weight * double(in[from * inner + c]);
    }
    for (double sum : sums) *out++ = float(sum);
  }
}

}  // namespace

std::vector<double> gaussian_weights(int64_t radius, double sigma) {
  if (radius < 0 || radius > 65536) throw UserError(fmt::format("gaussian_blur: radius {} is not 0 to 65536", radius));
  if (!(sigma > 0) || !std::isfinite(sigma)) throw UserError(fmt::format("gaussian_blur: sigma {} is not a positive number", sigma));
  std::vector<double> weights;
  double sum = 0;
  for (int64_t x = -radius; x <= radius; ++x) sum += weights.emplace_back(std::exp(-double(x * x) / (2 * sigma * sigma)));
  for (double& weight : weights) weight /= sum;
  return weights;
}

FloatImage gaussian_blur(View<float> image, BlurConvention convention, int64_t kernel_size, double sigma) {
  const bool mirror = convention == BlurConvention::torchvision;
  if (kernel_size < 1 || (mirror && kernel_size % 2 == 0)) {
    throw UserError(fmt::format("gaussian_blur: kernel size {} is not {}", kernel_size, mirror ? "odd and positive" : "positive"));
  }
  const auto weights = gaussian_weights(kernel_size / 2, sigma);
  if (image.height < 1 || image.width < 1)
    throw UserError(fmt::format("gaussian_blur: a picture of {}x{} is empty", image.height, image.width));
  if (mirror && std::min(image.height, image.width) <= kernel_size / 2) {
    throw UserError(
        fmt::format("gaussian_blur: a picture of {}x{} is too small for kernel size {}", image.height, image.width, kernel_size));
  }
  FloatImage across{image.height, image.width, image.channels, {}};
  across.pixels.resize(size_t(image.height * image.width * image.channels));
  FloatImage result = across;
  for (int64_t y = 0; y < image.height; ++y) blur_axis(image.row(y), across.row(y), image.width, image.channels, weights, mirror);
  blur_axis(across.pixels.data(), result.pixels.data(), image.height, image.width * image.channels, weights, mirror);
  return result;
}

}  // namespace zoo::data
