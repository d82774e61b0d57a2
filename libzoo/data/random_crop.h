// Boxes for training views. Two famous samplers that are not the same: TensorFlow's draws aspect and height uniformly,
// torchvision's draws area and log-aspect.
//
//   PixelBox box = sample_crop_tf(image.height, image.width, {.area_min = 0.05}, random);
#pragma once

#include <libzoo/core/random.h>
#include <libzoo/data/image_view.h>

namespace zoo::data {

struct CropRange {
  double area_min = 0.08, area_max = 1;              // fractions of the picture
  double aspect_min = 3.0 / 4, aspect_max = 4.0 / 3;  // width / height
  double min_object_covered = 0.1;                   // TensorFlow's only; the object is the whole picture
};

// Both throw UserError if the picture is empty or a range is empty, negative or not finite. The box lies in the picture.

// sample_distorted_bounding_box: up to 100 attempts, then the whole picture. Draws per attempt: aspect (one word), height
// (one word, if there is a choice), top and left (one word each, if there is room; the last position never occurs).
PixelBox sample_crop_tf(int64_t height, int64_t width, const CropRange& range, RandomStream& random);

// RandomResizedCrop: 10 attempts, then the largest centred box of an aspect in the range. Draws per attempt: area and
// log-aspect (two words each), and once a box fits top and left (one word each).
PixelBox sample_crop_torchvision(int64_t height, int64_t width, const CropRange& range, RandomStream& random);

}  // namespace zoo::data
