#include <libzoo/data/random_crop.h>

#include <libzoo/core/error.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

namespace zoo::data {
namespace {

void check(int64_t height, int64_t width, const CropRange& range) {
  constexpr int64_t kMaxSide = int64_t(1) << 24;
  if (height < 1 || width < 1 || height > kMaxSide || width > kMaxSide) {
    throw UserError(fmt::format("no box can be drawn in a picture of {}x{}: sides are 1 to {}", height, width, kMaxSide));
  }
  const bool good = range.area_min >= 0 && range.area_min <= range.area_max && range.area_max > 0 && range.area_max <= 1 &&
                    range.aspect_min > 0 && range.aspect_min <= range.aspect_max && std::isfinite(range.aspect_max) &&
                    range.min_object_covered >= 0 && range.min_object_covered <= 1;
  if (!good) {
    throw UserError(fmt::format("no box can be drawn with area {} to {}, aspect {} to {}, {} of the object covered", range.area_min,
                                range.area_max, range.aspect_min, range.aspect_max, range.min_object_covered),
                    "areas are fractions with 0 <= min <= max <= 1, aspects width / height with 0 < min <= max");
  }
}

// GenerateRandomCrop of sample_distorted_bounding_box_op.cc, in its single precision.
std::optional<PixelBox> attempt_tf(int64_t full_height, int64_t full_width, const CropRange& range, RandomStream& random) {
  const float aspect = random.uniform() * (float(range.aspect_max) - float(range.aspect_min)) + float(range.aspect_min);
  const float full = float(full_height) * float(full_width);
  const float min_area = float(range.area_min) * full, max_area = float(range.area_max) * full;
  auto width_of = [&](int64_t height) { return int64_t(std::lrint(float(height) * aspect)); };

  int64_t height = std::lrint(std::sqrt(min_area / aspect)), max_height = std::lrint(std::sqrt(max_area / aspect));
  if (width_of(max_height) > full_width) {
    max_height = int64_t((double(full_width) + 0.5 - 1e-7) / double(aspect));
    if (width_of(max_height) > full_width) --max_height;
  }
  max_height = std::min(max_height, full_height);
  height = std::min(height, max_height);
  if (height < max_height) height += int64_t(random.below(uint64_t(max_height - height + 1)));
  int64_t width = width_of(height);
  if (float(width * height) < min_area) width = width_of(++height);
  if (float(width * height) > max_area) width = width_of(--height);
  const float area = float(width * height);
  if (area < min_area || area > max_area || width < 1 || height < 1 || width > full_width || height > full_height) return std::nullopt;

  PixelBox box{0, 0, height, width};
  if (height < full_height) box.top = int64_t(random.below(uint64_t(full_height - height)));
  if (width < full_width) box.left = int64_t(random.below(uint64_t(full_width - width)));
  return box;
}

}  // namespace

PixelBox sample_crop_tf(int64_t height, int64_t width, const CropRange& range, RandomStream& random) {
  check(height, width, range);
  const double needed = range.min_object_covered * double(height) * double(width);
  for (int attempt = 0; attempt < 100; ++attempt) {
    const auto box = attempt_tf(height, width, range, random);
    if (box && double(box->height * box->width) >= needed) return *box;
  }
  return {0, 0, height, width};
}

PixelBox sample_crop_torchvision(int64_t height, int64_t width, const CropRange& range, RandomStream& random) {
  check(height, width, range);
  const double full = double(height) * double(width), low = std::log(range.aspect_min), high = std::log(range.aspect_max);
  for (int attempt = 0; attempt < 10; ++attempt) {
    const double area = full * random.uniform(range.area_min, range.area_max), aspect = std::exp(random.uniform(low, high));
    const int64_t w = std::lrint(std::sqrt(area * aspect)), h = std::lrint(std::sqrt(area / aspect));
    if (w < 1 || h < 1 || w > width || h > height) continue;
    const int64_t top = int64_t(random.below(uint64_t(height - h + 1)));
    return {top, int64_t(random.below(uint64_t(width - w + 1))), h, w};
  }
  const double aspect = double(width) / double(height);
  int64_t w = width, h = height;
  if (aspect < range.aspect_min)
    h = std::lrint(double(width) / range.aspect_min);
  else if (aspect > range.aspect_max)
    w = std::lrint(double(height) * range.aspect_max);
  h = std::clamp<int64_t>(h, 1, height), w = std::clamp<int64_t>(w, 1, width);
  return {(height - h) / 2, (width - w) / 2, h, w};
}

}  // namespace zoo::data
