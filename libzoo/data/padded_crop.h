// A crop of a picture with a border around it, mirrored if asked: torchvision's RandomCrop(size, padding).
//
//   padded_crop(picture, {.pixels = 4}, {.top = 1, .left = 7, .height = 32, .width = 32}, flip, view);
#pragma once

#include <libzoo/data/image_view.h>

namespace zoo::data {

enum class Border { black, reflect };  // reflect: the picture mirrored at its edge pixels, which are not repeated

struct Padding {
  int64_t pixels = 4;  // on each side
  Border border = Border::black;
};

// `into` keeps its memory. Throws UserError if the box leaves the picture with its border, or if a reflected border is not
// smaller than the picture.
void padded_crop(const View<uint8_t>& picture, const Padding& padding, const PixelBox& box, bool mirror, io::Image& into);

}  // namespace zoo::data
