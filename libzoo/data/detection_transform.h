// From a picture of any shape to a square canvas: resized with its aspect kept, put into the upper left corner, the rest filled with the
// mean, boxes moved along; in training mirrored and larger or smaller at random, a part of it where it is larger than the canvas
// (tensorflow/tpu RetinaNet, dataloader.py).
//
//   DetectionTransform train{.size = 640, .flip = true, .least_scale = 0.8, .most_scale = 1.2};
//   const Placement placement = train.draw(picture.size(), random);
//   train.apply(picture, placement, normalizer, out);              // [640, 640, 3]
//   const auto objects = placement.objects(dataset.boxes(17));     // on the canvas
#pragma once

#include <libzoo/data/detection_dataset.h>
#include <libzoo/data/image_ops.h>
#include <libzoo/data/picture.h>

#include <vector>

namespace zoo {
class RandomStream;
}

namespace zoo::data {

// Where a picture lies on its canvas: mirrored if asked, resized to `scaled`, of which `window` is kept, from the canvas's corner on.
struct Placement {
  ImageSize picture = {}, scaled = {};  // pixels
  PixelBox window = {};                 // in the resized picture
  bool flip = false;                    // left-right

  io::Box to_canvas(const io::Box& box) const;
  io::Box to_picture(const io::Box& box) const;  // undoes to_canvas
  // What can be learnt: on the canvas, cut at the window, without crowds and what has less than a pixel left of a side.
  std::vector<LabelledBox> objects(std::vector<LabelledBox> boxes) const;
};

struct DetectionTransform {
  int64_t size = 640;                             // pixels, of the canvas
  bool flip = false;                              // half of the pictures
  double least_scale = 1, most_scale = 1;         // the longer side, as a fraction of the canvas's
  std::vector<float> mean = {0.5f}, std = {0.5f};  // one for all channels, or one each

  // The longer side equal to the canvas's.
  Placement place(ImageSize picture) const;
  // Draws flip (one word, if asked), scale (two words, if it varies), top and left (a word each).
  Placement draw(ImageSize picture, RandomStream& random) const;

  // Writes [size, size, 3]; `normalize` has mean and std. Throws UserError if the picture is damaged.
  void apply(Picture& picture, const Placement& placement, const Normalizer& normalize, float* out) const;
};

}  // namespace zoo::data
