#include <libzoo/data/resize_into.h>

#include <libzoo/core/error.h>
#include <libzoo/data/resize_kernels.h>
#include <libzoo/data/resize_plan.h>

#include <algorithm>

namespace zoo::data {
namespace {

struct Scratch {
  std::vector<uint8_t> between;  // after the pass along rows
  std::vector<uint8_t> row;      // after the pass along columns
};

// `part` is plan.source() of the input.
void run(const View<uint8_t>& part, const ResizePlan& plan, const PixelBox& source, const Normalizer& normalize, float* out) {
  static thread_local Scratch scratch;
  const int64_t width = plan.window.width, row = width * part.channels;
  const uint8_t* rows = part.pixels;
  int64_t stride = part.row_stride;
  if (!plan.keep_width) {
    AxisTable<int32_t> across = fixed_point(plan.across);
    for (int32_t& first : across.first) first -= int32_t(source.left);
    scratch.between.resize(size_t(part.height * row));
    resize_across(part, across, scratch.between.data());
    rows = scratch.between.data(), stride = row;
  }
  if (plan.keep_height) return normalize.hwc(View<uint8_t>(rows, part.height, width, part.channels, stride), out);
  const AxisTable<int32_t> down = fixed_point(plan.down);
  scratch.row.resize(size_t(row));
  for (int64_t i = 0; i < down.outputs(); ++i) {
    resize_down_row(rows, stride, source.top, row, down, i, scratch.row.data());
    normalize.hwc(View<uint8_t>(scratch.row.data(), 1, width, part.channels, row), out + i * row);
  }
}

}  // namespace

void resize_into(Picture& picture, const PixelBox& box, const ResizeTarget& target, const Normalizer& normalize, float* out) {
  if (target.options.convention != Convention::pillow || target.options.box)
    throw Error("resize_into knows Pillow's convention, and boxes of whole pixels");
  const int denominator = target.scaled_decode ? picture.denominator(box, {target.height, target.width}) : 1;
  if (denominator > 1) {
    const Picture::Scaled scaled = picture.scaled_region(box, denominator);
    ResizeOptions options = target.options;
    options.box = scaled.box;
    const ResizePlan plan = resize_plan({scaled.pixels.height, scaled.pixels.width}, target.height, target.width, options);
    const PixelBox source = plan.source();
    return run(crop(scaled.pixels, source), plan, source, normalize, out);
  }
  const ResizePlan plan = resize_plan({box.height, box.width}, target.height, target.width, target.options);
  const PixelBox source = plan.source();
  const View<uint8_t> part = picture.region({box.top + source.top, box.left + source.left, source.height, source.width});
  run(part, plan, source, normalize, out);
}

}  // namespace zoo::data
