#include <libzoo/data/detection_transform.h>

#include <libzoo/core/error.h>
#include <libzoo/core/random.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace zoo::data {
namespace {

double ratio(int64_t scaled, int64_t original) { return double(scaled) / double(original); }

Placement scaled_to(ImageSize picture, double longer_side, int64_t canvas) {
  if (picture.height < 1 || picture.width < 1) throw UserError(fmt::format("a picture of {}x{} pixels", picture.height, picture.width));
  const double scale = longer_side / double(std::max(picture.height, picture.width));
  const auto side = [&](int64_t pixels) { return std::max<int64_t>(1, int64_t(std::llround(double(pixels) * scale))); };
  Placement placement{.picture = picture, .scaled = {side(picture.height), side(picture.width)}};
  placement.window.height = std::min(placement.scaled.height, canvas);
  placement.window.width = std::min(placement.scaled.width, canvas);
  return placement;
}

}  // namespace

io::Box Placement::to_canvas(const io::Box& box) const {
  const double x = ratio(scaled.width, picture.width), y = ratio(scaled.height, picture.height);
  const double left = flip ? double(picture.width) - box.right() : box.left;
  return {left * x - double(window.left), box.top * y - double(window.top), box.width * x, box.height * y};
}

io::Box Placement::to_picture(const io::Box& box) const {
  const double x = ratio(scaled.width, picture.width), y = ratio(scaled.height, picture.height);
  io::Box back{(box.left + double(window.left)) / x, (box.top + double(window.top)) / y, box.width / x, box.height / y};
  if (flip) back.left = double(picture.width) - back.right();
  return back;
}

std::vector<LabelledBox> Placement::objects(std::vector<LabelledBox> boxes) const {
  std::vector<LabelledBox> kept;
  for (LabelledBox& object : boxes) {
    if (object.crowd) continue;
    object.box = io::common_box(to_canvas(object.box), {0, 0, double(window.width), double(window.height)});
    if (object.box.width >= 1 && object.box.height >= 1) kept.push_back(object);
  }
  return kept;
}

Placement DetectionTransform::place(ImageSize picture) const { return scaled_to(picture, double(size), size); }

Placement DetectionTransform::draw(ImageSize picture, RandomStream& random) const {
  const bool mirrored = flip && random.below(2) == 1;
  const double scale = least_scale < most_scale ? random.uniform(least_scale, most_scale) : least_scale;
  Placement placement = scaled_to(picture, scale * double(size), size);
  placement.flip = mirrored;
  auto& [top, left, height, width] = placement.window;
  top = int64_t(random.below(uint64_t(placement.scaled.height - height + 1)));
  left = int64_t(random.below(uint64_t(placement.scaled.width - width + 1)));
  return placement;
}

void DetectionTransform::apply(Picture& picture, const Placement& placement, const Normalizer& normalize, float* out) const {
  PixelBox window = placement.window;
  if (placement.flip) window.left = placement.scaled.width - window.left - window.width;
  const io::Image part =
      resize(picture.pixels(), placement.scaled.height, placement.scaled.width, {.window = window, .mirror = placement.flip});
  std::fill(out, out + size * size * 3, 0.0f);
  for (int64_t y = 0; y < part.height; ++y) normalize.hwc(crop(View<uint8_t>(part), {y, 0, 1, part.width}), out + y * size * 3);
}

}  // namespace zoo::data
