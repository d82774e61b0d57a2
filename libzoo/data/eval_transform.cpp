#include <libzoo/data/eval_transform.h>

#include <libzoo/core/error.h>

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

io::Image EvalTransform::resized(View<uint8_t> picture) const {
  check(*this);
  if (mode == EvalMode::tf) throw UserError("mode tf has no 8-bit pictures between resize and network");
  ResizeOptions options{.convention = Convention::pillow, .mode = interpolation};
  if (mode == EvalMode::squash) return resize(picture, size, size, options);

  if (picture.height < 1 || picture.width < 1) throw UserError(fmt::format("a picture of {}x{} is empty", picture.height, picture.width));
  const int64_t side = int64_t(std::floor(double(size) / crop_pct)), shorter = std::min(picture.height, picture.width);
  auto scaled = [&](int64_t length) { return length == shorter ? side : int64_t(double(side * length) / double(shorter)); };
  const int64_t height = scaled(picture.height), width = scaled(picture.width);
  // Only what the crop keeps is computed.
  options.window = PixelBox{height > size ? center_offset(height, size) : 0, width > size ? center_offset(width, size) : 0,
                            std::min(height, size), std::min(width, size)};
  io::Image inner = resize(picture, height, width, options);
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

}  // namespace zoo::data
