// Batches of pictures on a canvas with the boxes of what is in them, decoded and resized by threads.
//
//   auto batches = detection_batches(train, {.size = 640, .flip = true}, {.batch_size = 16, .seed = 1, .read = {.workers = 4}});
//   while (auto batch = batches.next()) …     // batch->images, batch->boxes
#pragma once

#include <libzoo/data/detection_transform.h>
#include <libzoo/data/loader_options.h>
#include <libzoo/data/stream.h>

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace zoo::data {

struct DetectionBatch {
  at::Tensor images;                            // [n, 3, size, size] f32, channels last
  std::vector<std::vector<LabelledBox>> boxes;  // [n], what Placement::objects() gives
  std::vector<Placement> placements;            // [n]
  std::vector<int64_t> indices;                 // [n], places in the data set
};

struct DetectionBatchOptions {
  int64_t batch_size = 16;
  bool training = true;  // endless, each epoch in a new order, augmented; else every picture once, in order, as it is
  uint64_t seed = 0;     // of order and augmentation
  ReadOptions read = {};
};

// The same for every number of workers; batches reach across epochs, so any set fills any batch. Throws UserError if the set is empty
// or the transform makes no sense.
Stream<DetectionBatch> detection_batches(DetectionPointer dataset, const DetectionTransform& transform,
                                         const DetectionBatchOptions& options);

}  // namespace zoo::data
