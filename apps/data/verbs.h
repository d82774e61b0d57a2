// The verbs of zoo-data, one file each.
#pragma once

#include "apps/common/program.h"
#include <libzoo/data/dataset_options.h>
#include <libzoo/data/loader_options.h>

#include <filesystem>

namespace zoo::apps {

struct VerifyDataOptions {
  data::ImageDatasetOptions set;
  int64_t workers = 2;
};
template <class Field>
void fields(Field& field, VerifyDataOptions& o) {
  field("set", o.set, "the pictures", required());
  field("workers", o.workers, "threads that decode", between(0, 256));
}
// Decodes everything and prints a line for each picture that can't be. Throws Error, after the last line, if there was one.
Json verify_data(const VerifyDataOptions& options, const Context& context);

enum class DataFormat { image_folder, tar, tfrecord };
constexpr auto enum_names(DataFormat) {
  return EnumNames<DataFormat, 3>{
      {{DataFormat::image_folder, "image_folder"}, {DataFormat::tar, "tar"}, {DataFormat::tfrecord, "tfrecord"}}};
}

struct ConvertDataOptions {
  data::ImageDatasetOptions set;
  std::filesystem::path out;
  DataFormat to = DataFormat::tar;
  int64_t per_shard = 10'000;
};
template <class Field>
void fields(Field& field, ConvertDataOptions& o) {
  field("set", o.set, "the pictures", required());
  field("out", o.out, "folder to write into; what is there already is kept, so an interrupted conversion goes on", required());
  field("to", o.to, "a folder for each class, WebDataset shards, or TFRecords of tf.train.Example");
  field("per_shard", o.per_shard, "pictures in a shard", at_least(1));
}
Json convert_data(const ConvertDataOptions& options, const Context& context);

struct BenchDataOptions {
  data::ImageDatasetOptions train;
  data::LoaderOptions data;
  int64_t batch_size = 64;
  int64_t resolution = 224;
  double seconds = 5;
  double step_seconds = 0;
};
template <class Field>
void fields(Field& field, BenchDataOptions& o) {
  field("train", o.train, "the pictures", required());
  field("data", o.data, "how they are read, as in a recipe");
  field("batch_size", o.batch_size, "pictures in a batch", at_least(1));
  field("resolution", o.resolution, "pixels, square, after random crops as in Inception", between(1, 4096));
  field("seconds", o.seconds, "how long to measure, after the first batch", between(0.1, 3600.0));
  field("step_seconds", o.step_seconds, "what a training step takes, in seconds, to suggest an echo factor; 0: not known", non_negative());
}
// Names the data set and the stages of its stream.
Json describe_data(const BenchDataOptions& options, const Context& context);
// Runs the stream without training and says what each stage did.
Json bench_data(const BenchDataOptions& options, const Context& context);

}  // namespace zoo::apps
