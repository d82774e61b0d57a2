#include <libzoo/data/resize_plan.h>

#include <libzoo/core/error.h>

#include <fmt/format.h>

#include <algorithm>

namespace zoo::data {

ResizePlan resize_plan(const ImageSize& input, int64_t height, int64_t width, const ResizeOptions& options) {
  constexpr int64_t kMaxSide = int64_t(1) << 30;
  if (input.height < 1 || input.width < 1) {
    throw UserError(fmt::format("a picture of {}x{} can't be resized", input.height, input.width));
  }
  if (height < 1 || width < 1 || std::max(height, width) > kMaxSide || std::max(input.height, input.width) > kMaxSide) {
    throw UserError(
        fmt::format("a picture of {}x{} can't be resized to {}x{}: sides are 1 to {}", input.height, input.width, height, width, kMaxSide));
  }
  const ResizeBox all{0, 0, double(input.width), double(input.height)}, box = options.box.value_or(all);
  if (options.box) {
    if (options.convention != Convention::pillow) throw UserError("only the pillow convention resizes from a box");
    const bool inside = box.left >= 0 && box.top >= 0 && box.right <= all.right && box.bottom <= all.bottom;
    if (!inside || !(float(box.left) < float(box.right)) || !(float(box.top) < float(box.bottom))) {
      throw UserError(fmt::format("the box (left {}, top {}, right {}, bottom {}) is empty or leaves the picture of {}x{}", box.left,
                                  box.top, box.right, box.bottom, input.height, input.width));
    }
  }
  const PixelBox window = options.window.value_or(PixelBox{0, 0, height, width});
  check_box(window, height, width);
  auto across = axis_table(input.width, width, {window.left, window.width}, box.left, box.right, options);
  auto down = axis_table(input.height, height, {window.top, window.height}, box.top, box.bottom, options);
  const bool same_width = width == input.width && box.left == 0 && box.right == all.right;
  const bool same_height = height == input.height && box.top == 0 && box.bottom == all.bottom;
  return {options.mirror ? reversed(across) : std::move(across), std::move(down), window,
          same_width && window.width == width && !options.mirror, same_height};
}

PixelBox ResizePlan::source() const {
  PixelBox part = window;
  if (!keep_height) part.top = down.begin(), part.height = down.end() - part.top;
  if (!keep_width) part.left = across.begin(), part.width = across.end() - part.left;
  return part;
}

}  // namespace zoo::data
