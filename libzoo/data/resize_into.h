// From a picture to a network's input in one go: what the result needs is decoded, resized, mirrored, normalised and written
// to its place. The pixels are those of crop_resize() and Normalizer.
//
//   resize_into(picture, box, {.height = 224, .width = 224, .options = {.mirror = true}}, normalize, tensor.data_ptr<float>());
#pragma once

#include <libzoo/data/image_ops.h>
#include <libzoo/data/picture.h>

namespace zoo::data {

struct ResizeTarget {
  int64_t height = 0, width = 0;   // of the whole result
  ResizeOptions options = {};      // Pillow's convention, no box; with a window only that is written
  // Decode a JPEG at 1/2, 1/4 or 1/8 where the box is at least that much larger than the result: faster, other pixels.
  bool scaled_decode = false;
};

// The box of the picture to [height, width, 3] floats. Memory for what lies in between belongs to the thread and stays.
// Throws UserError if the picture is damaged, the box leaves it, or the target makes no sense.
void resize_into(Picture& picture, const PixelBox& box, const ResizeTarget& target, const Normalizer& normalize, float* out);

}  // namespace zoo::data
