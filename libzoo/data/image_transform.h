// What makes a network's input of a picture, as image_batches() uses it.
//
//   auto batches = image_batches(train, image_transform(TrainTransform{.mode = TrainMode::inception, .crop = 224}), {.workers = 2});
#pragma once

#include <libzoo/core/random.h>
#include <libzoo/data/eval_transform.h>
#include <libzoo/data/picture.h>
#include <libzoo/data/train_transform.h>

#include <functional>

namespace zoo::data {

struct ImageTransform {
  int64_t height = 0, width = 0;  // pixels of the result
  // Writes [height, width, 3] floats from an RGB picture of any size. Called from several threads; all randomness comes
  // from RandomStream(key), purpose augmentation, of which every picture of every epoch has its own.
  std::function<void(Picture& picture, const RandomKey& key, float* out)> apply;
};

// Throw UserError if mean or std make no sense.
ImageTransform image_transform(const TrainTransform& transform);
ImageTransform image_transform(const EvalTransform& transform);

}  // namespace zoo::data
