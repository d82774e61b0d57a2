// Options of `zoo-bit evaluate`, `zoo-bit report` and `zoo-bit predict`.
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
  std::filesystem::path class_map;
  int64_t batch_size = 64;
  data::ReadOptions data;
};

template <class Field>
void fields(Field& field, EvaluateOptions& o) {
  field("checkpoint", o.checkpoint, "weights: .safetensors, .pth or BiT .npz", required(), existing_file());
  field("test", o.test, "labelled images to measure on", required());
  field("resolution", o.resolution, "pixels, square, seen by the network; the checkpoint's own unless set", between(1, 4096));
  field("class_map", o.class_map, "JSON from the set's class names to the network's outputs, where the classes differ", existing_file());
  field("batch_size", o.batch_size, "images at a time", at_least(1));
  field("data", o.data, "how images are read");
}

struct ReportOptions {
  std::filesystem::path checkpoint;
  data::ImageDatasetOptions test;
  std::filesystem::path folder = "report";
  std::optional<int64_t> resolution;
  int64_t mistakes = 48;
  int64_t batch_size = 64;
  data::ReadOptions data;
};

template <class Field>
void fields(Field& field, ReportOptions& o) {
  field("checkpoint", o.checkpoint, "weights: .safetensors, .pth or BiT .npz", required(), existing_file());
  field("test", o.test, "labelled images to measure on", required());
  field("folder", o.folder, "where classes.json, confusion.png and mistakes.png are written", not_empty());
  field("resolution", o.resolution, "pixels, square, seen by the network; the checkpoint's own unless set", between(1, 4096));
  field("mistakes", o.mistakes, "pictures on the sheet of the worst mistakes", between(1, 1000));
  field("batch_size", o.batch_size, "images at a time", at_least(1));
  field("data", o.data, "how images are read");
}

struct PredictOptions {
  std::filesystem::path checkpoint;
  std::optional<int64_t> resolution;
  int64_t top = 5;
  std::filesystem::path features;
  int64_t batch_size = 32;
  data::ReadOptions data;
};

template <class Field>
void fields(Field& field, PredictOptions& o) {
  field("checkpoint", o.checkpoint, "weights: .safetensors, .pth or BiT .npz", required(), existing_file());
  field("resolution", o.resolution, "pixels, square, seen by the network; the checkpoint's own unless set", between(1, 4096));
  field("top", o.top, "classes to name for each picture", at_least(1));
  field("features", o.features, ".npz or .safetensors to write the pooled features, logits and file names of all pictures to");
  field("batch_size", o.batch_size, "pictures at a time", at_least(1));
  field("data", o.data, "how pictures are read");
}

inline void check(const PredictOptions& o, Problems& problems) {
  const auto ending = o.features.extension();
  if (!o.features.empty() && ending != ".npz" && ending != ".safetensors") problems.add("features", "must end in .npz or .safetensors");
}

}  // namespace zoo::bit
