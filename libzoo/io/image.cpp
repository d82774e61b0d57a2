#include <libzoo/core/error.h>
#include <libzoo/io/image.h>

#include <fmt/format.h>

#include <algorithm>

namespace zoo::io {

void check_box(const PixelBox& box, int64_t height, int64_t width, std::string_view where) {
  const bool inside = box.top >= 0 && box.left >= 0 && box.height >= 1 && box.width >= 1 && box.top <= height && box.left <= width &&
                      box.height <= height - box.top && box.width <= width - box.left;
  if (inside) return;
  throw UserError(fmt::format("{}{}the box (top {}, left {}, height {}, width {}) is empty or leaves the picture of {}x{}", where,
                              where.empty() ? "" : ": ", box.top, box.left, box.height, box.width, height, width));
}

Box common_box(const Box& a, const Box& b) {
  const double left = std::max(a.left, b.left), top = std::max(a.top, b.top);
  return {left, top, std::min(a.right(), b.right()) - left, std::min(a.bottom(), b.bottom()) - top};
}

double common_area(const Box& a, const Box& b) {
  const Box common = common_box(a, b);
  return common.width > 0 && common.height > 0 ? common.area() : 0;
}

}  // namespace zoo::io
