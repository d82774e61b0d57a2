// Options of the verbs that ask a finished network: `zoo-bit evaluate`, `zoo-bit report` and `zoo-bit predict`.
#pragma once

#include <libzoo/bit/precision.h>
#include <libzoo/data/loader_options.h>
#include <libzoo/data/dataset_options.h>

#include <filesystem>
#include <optional>

namespace zoo::bit {

// A finished network, and how pictures are shown to it.
struct NetworkOptions {
  std::filesystem::path checkpoint;
  std::optional<int64_t> resolution;
  int64_t batch_size = 64;
  Precision precision = Precision::f32;
  data::ReadOptions data;
};

template <class Field>
void fields(Field& field, NetworkOptions& o) {
  field("checkpoint", o.checkpoint, "weights: .safetensors, .pth or BiT .npz", required(), existing_file());
  field("resolution", o.resolution, "pixels, square, seen by the network; the checkpoint's own unless set", between(1, 4096));
  field("batch_size", o.batch_size, "images at a time", at_least(1));
  field("precision", o.precision, kPrecisionHelp);
  field("data", o.data, "how images are read");
}

struct EvaluateOptions : NetworkOptions {
  data::ImageDatasetOptions test;
  std::filesystem::path class_map;
};

template <class Field>
void fields(Field& field, EvaluateOptions& o) {
  fields(field, static_cast<NetworkOptions&>(o));
  field("test", o.test, "labelled images to measure on", required());
  field("class_map", o.class_map, "JSON from the set's class names to the network's outputs, where the classes differ", existing_file());
}

struct ReportOptions : NetworkOptions {
  data::ImageDatasetOptions test;
  std::filesystem::path folder = "report";
  int64_t mistakes = 48;
};

template <class Field>
void fields(Field& field, ReportOptions& o) {
  fields(field, static_cast<NetworkOptions&>(o));
  field("test", o.test, "labelled images to measure on", required());
  field("folder", o.folder, "where classes.json, confusion.png and mistakes.png are written", not_empty());
  field("mistakes", o.mistakes, "pictures on the sheet of the worst mistakes", between(1, 1000));
}

struct PredictOptions : NetworkOptions {
  int64_t top = 5;
  std::filesystem::path features;
};

template <class Field>
void fields(Field& field, PredictOptions& o) {
  fields(field, static_cast<NetworkOptions&>(o));
  field("top", o.top, "classes to name for each picture", at_least(1));
  field("features", o.features, ".npz or .safetensors to write the pooled features, logits and file names of all pictures to");
}

inline void check(const PredictOptions& o, Problems& problems) {
  const auto ending = o.features.extension();
  if (!o.features.empty() && ending != ".npz" && ending != ".safetensors") problems.add("features", "must end in .npz or .safetensors");
}

}  // namespace zoo::bit
