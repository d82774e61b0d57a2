// What sets have in common whose pictures are drawn when they are asked for: square, so many of each class, one class after another, each a
// function of the seed and its number.
#pragma once

#include <libzoo/core/random.h>
#include <libzoo/data/dataset_options.h>
#include <libzoo/data/image_dataset.h>

#include <string>

namespace zoo::data {

class DrawnDataset : public ImageDataset {
 public:
  struct Kind {
    std::string set;  // "shapes"
    Split split = Split::train;
    int64_t per_class = 0, image_size = 0;
    uint64_t seed = 0;  // of this set
  };

  explicit DrawnDataset(Kind kind);  // throws UserError for sizes out of range

  int64_t size() const override { return num_classes() * kind_.per_class; }
  ImageSize typical_size() const override { return {kind_.image_size, kind_.image_size}; }
  std::string describe() const override;

 protected:
  virtual io::Image draw_picture(int64_t label, RandomStream& random) const = 0;

  int64_t get_label(int64_t index) const override { return index / kind_.per_class; }
  void get_picture(int64_t index, Picture& picture) const override;
  std::string get_item_name(int64_t index) const override;

  int64_t image_size() const { return kind_.image_size; }
  uint64_t seed() const { return kind_.seed; }

 private:
  Kind kind_;
};

}  // namespace zoo::data
