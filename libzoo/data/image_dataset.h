// Labelled pictures by number. A data set draws or decodes picture i when asked, from any thread, and gives the same
// pixels each time; what is opened here is read-only.
//
//   auto train = zoo::data::open_dataset(zoo::data::ShapesOptions{.preset = zoo::data::ShapesPreset::upstream});
//   zoo::io::Image image = train->image(17);   int64_t label = train->label(17);
//   zoo::data::Picture picture;   train->read(17, picture);   // the same, decoded as far as it is used
#pragma once

#include <libzoo/data/dataset_options.h>
#include <libzoo/data/picture.h>

#include <memory>
#include <span>
#include <string>
#include <vector>

namespace zoo::data {

class ImageDataset {
 public:
  virtual ~ImageDataset() = default;

  virtual int64_t size() const = 0;
  virtual int64_t num_classes() const = 0;
  virtual std::string class_name(int64_t label) const = 0;
  // The class above a class (the shape of a texture, the alphabet of a glyph); empty where the set has no hierarchy.
  virtual std::string superclass(int64_t label) const { return {}; }
  // Whether pictures have any number of labels, not one each.
  virtual bool has_several_labels() const { return false; }
  virtual ImageSize typical_size() const = 0;
  virtual std::string describe() const = 0;  // "shapes: 6000 pictures 32x32, 24 classes"

  // The following throw Error if the index is not in [0, size()).
  int64_t label(int64_t index) const;           // without decoding; UserError if pictures have several
  std::vector<int64_t> labels(int64_t index) const;  // ascending; the one, if pictures have one each
  io::Image image(int64_t index) const;         // RGB; throws UserError naming the item if it can't be read
  void read(int64_t index, Picture& picture) const;  // not decoded if it comes from a file; throws as image()
  std::string item_name(int64_t index) const;   // the file, or the set and the number

  std::vector<std::string> class_names() const;

 protected:
  virtual int64_t get_label(int64_t index) const = 0;
  virtual std::vector<int64_t> get_labels(int64_t index) const { return {get_label(index)}; }
  virtual void get_picture(int64_t index, Picture& picture) const = 0;
  virtual std::string get_item_name(int64_t index) const = 0;
  void check(int64_t index) const;  // throws Error if it is not in [0, size())

 private:
  [[noreturn]] void rethrow_named(int64_t index) const;
};

using DatasetPointer = std::shared_ptr<const ImageDataset>;

// Throws UserError naming the file or folder and what is wrong with it.
DatasetPointer open_dataset(const ImageDatasetOptions& options);

// The items of `dataset` at these places, in this order; places may repeat. Classes stay as they are.
// Throws Error if a place is not in the data set.
DatasetPointer subset(DatasetPointer dataset, std::vector<int64_t> indices);

// Throws UserError naming the first class that differs.
void require_same_classes(const ImageDataset& train, const ImageDataset& test);

// Three equal or the first three channels: grey (with or without alpha), RGB or RGBA to RGB. Throws Error for others.
io::Image to_rgb(io::Image image);

}  // namespace zoo::data
