#include <libzoo/data/figures.h>

#include <cmath>

namespace zoo::data {
namespace {

template <class Inside>
void fill_mask(std::vector<uint8_t>& mask, int64_t size, float cy, float cx, float radius, Inside inside) {
  for (int64_t y = 0; y < size; ++y) {
    const float dy = ((float(y) + 0.5f) / float(size) - cy) / radius;
    for (int64_t x = 0; x < size; ++x) mask[size_t(y * size + x)] = inside(((float(x) + 0.5f) / float(size) - cx) / radius, dy);
  }
}

}  // namespace

std::vector<uint8_t> figure_mask(Figure figure, int64_t size, float cy, float cx, float r) {
  std::vector<uint8_t> mask(size_t(size * size));
  const auto a = [](float v) { return std::abs(v); };
  switch (figure) {
    case Figure::disc: fill_mask(mask, size, cy, cx, r, [](float dx, float dy) { return dx * dx + dy * dy < 1; }); break;
    case Figure::square: fill_mask(mask, size, cy, cx, r, [a](float dx, float dy) { return (a(dx) < 0.85f) & (a(dy) < 0.85f); }); break;
    case Figure::triangle: fill_mask(mask, size, cy, cx, r, [a](float dx, float dy) { return (dy < 0.8f) & (dy > 2 * a(dx) - 1); }); break;
    case Figure::cross:
      fill_mask(mask, size, cy, cx, r,
                [a](float dx, float dy) { return ((a(dx) < 0.35f) & (a(dy) < 1)) | ((a(dy) < 0.35f) & (a(dx) < 1)); });
      break;
    case Figure::ring:
      fill_mask(mask, size, cy, cx, r, [](float dx, float dy) {
        const float q = dx * dx + dy * dy;
        return (q < 1) & (q > 0.36f);
      });
  }
  return mask;
}

}  // namespace zoo::data
