// Options of `zoo-bit evaluate` and `zoo-bit predict`.
#pragma once

#include <libzoo/data/loader_options.h>
#include <libzoo/data/dataset_options.h>

#include <filesystem>
#include <optional>

namespace zoo::bit {

// Resolution and crop of the pictures; unset, the checkpoint says.
struct EvaluateOptions {
  std::filesystem::path checkpoint;
  data::ImageDatasetOptions test;
  std::optional<int64_t> resolution;
  int64_t batch_size = 64;
  data::ReadOptions data;
};

template <class Field>
void fields(Field& field, EvaluateOptions& o) {
  field("checkpoint", o.checkpoint, "weights: .safetensors, .pth or BiT .npz", required(), existing_file());
  field("test", o.test, "labelled images to measure on", required());
  field("resolution", o.resolution, "pixels, square, seen by the network; the checkpoint's own unless set", between(1, 4096));
  field("batch_size", o.batch_size, "images at a time", at_least(1));
  field("data", o.data, "how images are read");
}

struct PredictOptions {
  std::filesystem::path checkpoint;
  std::optional<int64_t> resolution;
  int64_t top = 5;
  int64_t batch_size = 32;
  data::ReadOptions data;
};

template <class Field>
void fields(Field& field, PredictOptions& o) {
  field("checkpoint", o.checkpoint, "weights: .safetensors, .pth or BiT .npz", required(), existing_file());
  field("resolution", o.resolution, "pixels, square, seen by the network; the checkpoint's own unless set", between(1, 4096));
  field("top", o.top, "classes to name for each picture", at_least(1));
  field("batch_size", o.batch_size, "pictures at a time", at_least(1));
  field("data", o.data, "how pictures are read");
}

}  // namespace zoo::bit
