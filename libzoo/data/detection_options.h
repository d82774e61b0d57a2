// Options of the sets of pictures with boxes, one struct per `type`.
#pragma once

#include <libzoo/data/dataset_options.h>

#include <cstdint>
#include <filesystem>
#include <variant>

namespace zoo::data {

// A folder of pictures and a file of annotations as COCO has them ("instances_train2017.json").
struct CocoOptions {
  static constexpr const char* kType = "coco";
  std::filesystem::path images;
  std::filesystem::path annotations;
};

template <class Field>
void fields(Field& field, CocoOptions& o) {
  field("images", o.images, "folder of the pictures", required(), existing_directory());
  field("annotations", o.annotations, "JSON with images, annotations and categories", required(), existing_file());
}

// Procedural scenes: a few of the five figures of `shapes`, each a class, in front of a ground of soft waves. Picture k depends on
// seed, split, k, size, objects and noise only.
struct ScenesOptions {
  static constexpr const char* kType = "scenes";
  int64_t pictures = 1000;
  int64_t image_size = 96;
  int64_t most_objects = 4;
  double noise = 0.05;
  uint64_t seed = 0;
  Split split = Split::train;
};

template <class Field>
void fields(Field& field, ScenesOptions& o) {
  field("pictures", o.pictures, "scenes", between(1, 1'000'000'000));
  field("image_size", o.image_size, "pixels, height and width", between(32, 4096));
  field("most_objects", o.most_objects, "a scene has one to so many", between(1, 100));
  field("noise", o.noise, "standard deviation of the pixel noise, black to white being 1", between(0.0, 1.0));
  field("seed", o.seed, "draws another set of scenes");
  field("split", o.split, "train and test share classes and no picture");
}

using DetectionDatasetOptions = std::variant<CocoOptions, ScenesOptions>;

}  // namespace zoo::data
