#include <libzoo/simclr/views.h>

#include <libzoo/core/error.h>
#include <libzoo/data/image_ops.h>
#include <libzoo/data/planes.h>
#include <libzoo/data/random_crop.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace zoo::simclr {
namespace {

constexpr int64_t kSmall = 32;

// Values 0..255.
data::FloatImage cropped(data::View<uint8_t> image, const data::PixelBox& box, int64_t size, ViewResize resize, bool mirror) {
  const auto convention = resize == ViewResize::tf1_bicubic ? data::Convention::tf1 : data::Convention::tf;
  const auto mode = resize == ViewResize::tf2_bilinear ? data::Interpolation::bilinear : data::Interpolation::bicubic;
  return data::crop_resize_float(image, box, size, size, {.convention = convention, .mode = mode, .mirror = mirror});
}

void write_view(data::View<uint8_t> image, const ViewDraw& draw, const ViewOptions& o, float* out) {
  static thread_local data::Planes planes(0, 0);  // keeps its memory
  const auto view = cropped(image, draw.box, o.size, o.resize, draw.flip);
  planes.reset(o.size, o.size);
  planes.take(view.pixels.data(), 1.0f / 255);
  if (draw.jitter) data::color_jitter(planes, *draw.jitter);
  if (draw.grayscale) data::to_grayscale(planes);
  if (draw.blur_sigma > 0) {
    data::clip(planes);
    data::gaussian_blur(planes, std::max<int64_t>(o.size / 10, 1), draw.blur_sigma);
  }
  planes.put(out);
}

}  // namespace

ViewDraw draw_view(int64_t height, int64_t width, const ViewOptions& o, RandomStream& random) {
  if (!(o.color_strength >= 0)) throw UserError(fmt::format("color_strength must not be negative, got {}", o.color_strength));
  ViewDraw draw{.box = {0, 0, height, width}};
  if (o.crop) draw.box = data::sample_crop_tf(height, width, {.area_min = 0.08}, random);
  draw.flip = o.flip && random.below(2) == 1;
  if (o.color_strength > 0) {
    const double s = o.color_strength, range = 0.8 * s;
    if (random.uniform64() < 0.8) {
      using enum data::ColorOperation;
      data::ColorJitter jitter{.order = {brightness, contrast, saturation, hue}};
      for (size_t i = 3; i > 0; --i) std::swap(jitter.order[i], jitter.order[random.below(i + 1)]);
      const bool adds = o.version == ViewVersion::simclr_v1;
      jitter.convention = adds ? data::JitterConvention::simclr_v1 : data::JitterConvention::simclr_v2;
      jitter.brightness = float(adds ? random.uniform(-range, range) : random.uniform(std::max(0.0, 1 - range), 1 + range));
      jitter.contrast = float(random.uniform(1 - range, 1 + range));
      jitter.saturation = float(random.uniform(1 - range, 1 + range));
      jitter.hue = float(random.uniform(-0.2 * s, 0.2 * s));
      draw.jitter = std::move(jitter);
    }
    draw.grayscale = random.uniform64() < 0.2;
  }
  if (o.blur && random.below(2) == 1) draw.blur_sigma = random.uniform(0.1, 2.0);
  return draw;
}

data::FloatImage make_view(data::View<uint8_t> image, const ViewDraw& draw, const ViewOptions& o) {
  data::FloatImage view{o.size, o.size, 3, std::vector<float>(size_t(std::max<int64_t>(o.size, 0) * std::max<int64_t>(o.size, 0) * 3))};
  write_view(image, draw, o, view.pixels.data());
  return view;
}

data::PixelBox evaluation_box(int64_t height, int64_t width, int64_t size) {
  if (size <= kSmall) {
    if (height != size || width != size)
      throw UserError(fmt::format("pictures must be {0}x{0}, not {1}x{2}", size, height, width),
                      "pictures of 32 pixels and less are not resized");
    return {0, 0, height, width};
  }
  const auto side = int64_t(std::nearbyint(0.875 * double(std::min(height, width))));
  return {(height - side + 1) / 2, (width - side + 1) / 2, side, side};
}

data::FloatImage evaluation_view(data::View<uint8_t> image, int64_t size, ViewResize resize) {
  const auto box = evaluation_box(image.height, image.width, size);
  if (size <= kSmall) return data::to_float(image);
  data::FloatImage view = cropped(image, box, size, resize, /*mirror=*/false);
  for (float& value : view.pixels) value = std::clamp(value / 255, 0.0f, 1.0f);
  return view;
}

namespace {

void draw_and_write(data::Picture& picture, const ViewOptions& options, RandomStream& random, float* out) {
  const auto image = picture.pixels();  // decoded once for both views
  write_view(image, draw_view(image.height, image.width, options, random), options, out);
}

}  // namespace

data::ImageTransform two_views(const ViewOptions& options) {
  return {2 * options.size, options.size, [options](data::Picture& picture, const RandomKey& key, float* out) {
            RandomStream random(key);
            draw_and_write(picture, options, random, out);
            draw_and_write(picture, options, random, out + 3 * options.size * options.size);
          }};
}

data::ImageTransform one_view(const ViewOptions& options) {
  return {options.size, options.size, [options](data::Picture& picture, const RandomKey& key, float* out) {
            RandomStream random(key);
            draw_and_write(picture, options, random, out);
          }};
}

data::ImageTransform evaluation_transform(int64_t size, ViewResize resize) {
  return {size, size, [size, resize](data::Picture& picture, const RandomKey&, float* out) {
            const auto view = evaluation_view(picture.pixels(), size, resize);
            std::copy(view.pixels.begin(), view.pixels.end(), out);
          }};
}

at::Tensor both_views(const at::Tensor& images) {
  const int64_t n = images.size(0), size = images.size(3);
  return images.permute({0, 2, 3, 1}).reshape({2 * n, size, size, 3}).permute({0, 3, 1, 2});
}

}  // namespace zoo::simclr
