#include <libzoo/data/eval_transform.h>

#include <libzoo/core/error.h>
#include <libzoo/data/resize_into.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace zoo::data {
namespace {

void check(const EvalTransform& t) {
  if (t.size < 1 || t.size > 65536) throw UserError(fmt::format("size: {} pixels are not 1 to 65536", t.size));
  if (!(t.crop_pct > 0 && t.crop_pct <= 4)) throw UserError(fmt::format("crop_pct: {} is not in (0, 4]", t.crop_pct));
  const bool known = t.interpolation == Interpolation::bilinear || (t.interpolation == Interpolation::bicubic && t.mode != EvalMode::tf);
  if (!known) throw UserError("interpolation: bilinear or bicubic; in mode tf bilinear");
}

FloatImage tf_resized(const EvalTransform& t, View<uint8_t> picture) {
  check(t);
  return resize_float(picture, t.size, t.size, {.convention = Convention::tf, .mode = t.interpolation});
}

}  // namespace

EvalMode parse_eval_mode(std::string_view name) {
  if (name == "squash") return EvalMode::squash;
  if (name == "shortest") return EvalMode::shortest;
  if (name == "tf") return EvalMode::tf;
  throw UserError(fmt::format("evaluation mode '{}' is unknown", name), "there are squash, shortest, tf");
}

namespace {

// To what the picture is resized; a window smaller than `size` gets black around it.
ResizeTarget target_of(const EvalTransform& t, const ImageSize& picture) {
  check(t);
  if (t.mode == EvalMode::tf) throw UserError("mode tf has no 8-bit pictures between resize and network");
  ResizeTarget target{.height = t.size,
                      .width = t.size,
                      .options = {.convention = Convention::pillow, .mode = t.interpolation},
                      .scaled_decode = t.scaled_decode};
  if (t.mode == EvalMode::squash) return target;

  const auto [full_height, full_width] = picture;
  if (full_height < 1 || full_width < 1) throw UserError(fmt::format("a picture of {}x{} is empty", full_height, full_width));
  const int64_t side = int64_t(std::floor(double(t.size) / t.crop_pct)), shorter = std::min(full_height, full_width);
  auto scaled = [&](int64_t length) { return length == shorter ? side : int64_t(double(side * length) / double(shorter)); };
  const int64_t height = scaled(full_height), width = scaled(full_width), size = t.size;
  target.height = height, target.width = width;
  // Only what the crop keeps is computed.
  target.options.window = PixelBox{height > size ? center_offset(height, size) : 0, width > size ? center_offset(width, size) : 0,
                                   std::min(height, size), std::min(width, size)};
  return target;
}

}  // namespace

io::Image EvalTransform::resized(View<uint8_t> picture) const {
  const ResizeTarget target = target_of(*this, {picture.height, picture.width});
  io::Image inner = resize(picture, target.height, target.width, target.options);
  return inner.height == size && inner.width == size ? inner : center_crop(View<uint8_t>(inner), size, size);
}

void EvalTransform::chw(View<uint8_t> picture, float* out) const {
  const Normalizer normalize(mean, std);
  if (mode == EvalMode::tf)
    normalize.chw(View<float>(tf_resized(*this, picture)), out);
  else
    normalize.chw(View<uint8_t>(resized(picture)), out);
}

void EvalTransform::hwc(View<uint8_t> picture, float* out) const {
  const Normalizer normalize(mean, std);
  if (mode == EvalMode::tf)
    normalize.hwc(View<float>(tf_resized(*this, picture)), out);
  else
    normalize.hwc(View<uint8_t>(resized(picture)), out);
}

void EvalTransform::hwc(Picture& picture, const Normalizer& normalize, float* out) const {
  if (mode == EvalMode::tf) return normalize.hwc(View<float>(tf_resized(*this, picture.pixels())), out);
  const ImageSize full = picture.size();
  const ResizeTarget target = target_of(*this, full);
  const auto& window = target.options.window;
  if (window && (window->height != size || window->width != size)) return normalize.hwc(View<uint8_t>(resized(picture.pixels())), out);
  resize_into(picture, {0, 0, full.height, full.width}, target, normalize, out);
}

}  // namespace zoo::data
