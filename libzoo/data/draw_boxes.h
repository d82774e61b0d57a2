// Boxes with captions drawn onto a picture.
#pragma once

#include <libzoo/data/canvas.h>

#include <cstdint>
#include <span>
#include <string>

namespace zoo::data {

struct DrawnBox {
  io::Box box;          // pixels of the picture
  std::string caption;  // ASCII; other characters become '?'
  int64_t label = 0;    // equal ones have one colour
};

// The first lies on top. Grey, alpha: see to_rgb().
io::Image draw_boxes(io::Image picture, std::span<const DrawnBox> boxes);

}  // namespace zoo::data
