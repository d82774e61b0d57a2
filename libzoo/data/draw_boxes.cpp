#include <libzoo/data/draw_boxes.h>

#include <libzoo/data/image_dataset.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace zoo::data {
namespace {

// Okabe and Ito's colours, which the colour-blind tell apart.
constexpr std::array<Color, 7> kColors{
    {{230, 159, 0}, {86, 180, 233}, {0, 158, 115}, {240, 228, 66}, {0, 114, 178}, {213, 94, 0}, {204, 121, 167}}};
constexpr Color kText{0, 0, 0};

io::PixelBox outline(const io::Box& box) {
  const auto left = int64_t(std::floor(box.left)), top = int64_t(std::floor(box.top));
  return {top, left, int64_t(std::ceil(box.bottom())) - top, int64_t(std::ceil(box.right())) - left};
}

}  // namespace

io::Image draw_boxes(io::Image picture, std::span<const DrawnBox> boxes) {
  Canvas canvas(to_rgb(std::move(picture)));
  const int64_t dot = std::max<int64_t>(1, std::min(canvas.image.height, canvas.image.width) / 320);
  for (size_t i = boxes.size(); i-- > 0;) {
    const auto& [box, caption, label] = boxes[i];
    const Color color = kColors[size_t(label) % kColors.size()];
    const io::PixelBox place = outline(box);
    canvas.frame(place, dot, color);
    if (caption.empty()) continue;
    // Above the box, or inside where there is no room.
    const int64_t height = (kFontHeight + 2) * dot, top = place.top >= height ? place.top - height : place.top;
    canvas.fill({top, place.left, height, text_width(caption, dot) + 2 * dot}, color);
    canvas.write(caption, top + dot, place.left + dot, dot, kText);
  }
  return std::move(canvas.image);
}

}  // namespace zoo::data
