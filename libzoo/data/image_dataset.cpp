#include <libzoo/data/image_dataset.h>

#include <libzoo/core/error.h>
#include <libzoo/data/catalogue.h>
#include <libzoo/data/picture_files.h>

#include <fmt/format.h>

namespace zoo::data {
namespace {

class Subset final : public ImageDataset {
 public:
  Subset(DatasetPointer dataset, std::vector<int64_t> indices) : dataset_(std::move(dataset)), indices_(std::move(indices)) {
    for (int64_t index : indices_)
      if (index < 0 || index >= dataset_->size())
        throw Error(fmt::format("subset: item {} is not in [0, {}) of {}", index, dataset_->size(), dataset_->describe()));
  }

  int64_t size() const override { return int64_t(indices_.size()); }
  int64_t num_classes() const override { return dataset_->num_classes(); }
  std::string class_name(int64_t label) const override { return dataset_->class_name(label); }
  std::string superclass(int64_t label) const override { return dataset_->superclass(label); }
  bool has_several_labels() const override { return dataset_->has_several_labels(); }
  ImageSize typical_size() const override { return dataset_->typical_size(); }
  std::string describe() const override { return fmt::format("{} of {}", size(), dataset_->describe()); }

 protected:
  int64_t get_label(int64_t index) const override { return dataset_->label(indices_[size_t(index)]); }
  std::vector<int64_t> get_labels(int64_t index) const override { return dataset_->labels(indices_[size_t(index)]); }
  void get_picture(int64_t index, Picture& picture) const override { dataset_->read(indices_[size_t(index)], picture); }
  std::string get_item_name(int64_t index) const override { return dataset_->item_name(indices_[size_t(index)]); }

 private:
  DatasetPointer dataset_;
  std::vector<int64_t> indices_;
};

}  // namespace

void ImageDataset::check(int64_t index) const {
  if (index < 0 || index >= size()) throw Error(fmt::format("item {} is not in [0, {}) of {}", index, size(), describe()));
}

int64_t ImageDataset::label(int64_t index) const {
  check(index);
  if (has_several_labels())
    throw UserError(fmt::format("{}: this needs one label for each picture", describe()),
                    "zoo-bit pretrain, finetune, evaluate and predict take several");
  return get_label(index);
}

std::vector<int64_t> ImageDataset::labels(int64_t index) const {
  check(index);
  return get_labels(index);
}

// With the item's name in front, unless it is there already.
void ImageDataset::rethrow_named(int64_t index) const {
  try {
    throw;
  } catch (const Error& error) {
    const std::string name = get_item_name(index), what = error.what();
    throw UserError(what.find(name) == std::string::npos ? fmt::format("{}: {}", name, what) : what, error.hint());
  }
}

io::Image ImageDataset::image(int64_t index) const {
  Picture picture;
  read(index, picture);
  try {
    return std::move(picture).image();
  } catch (const Error&) {
    rethrow_named(index);
  }
}

void ImageDataset::read(int64_t index, Picture& picture) const {
  check(index);
  try {
    get_picture(index, picture);
  } catch (const Error&) {
    rethrow_named(index);
  }
}

std::string ImageDataset::item_name(int64_t index) const {
  check(index);
  return get_item_name(index);
}

std::vector<std::string> ImageDataset::class_names() const {
  std::vector<std::string> names;
  for (int64_t label = 0; label < num_classes(); ++label) names.push_back(class_name(label));
  return names;
}

DatasetPointer open_dataset(const ImageDatasetOptions& options) {
  struct Open {
    DatasetPointer operator()(const ShapesOptions& o) const { return open_shapes(o); }
    DatasetPointer operator()(const GlyphsOptions& o) const { return open_glyphs(o); }
    DatasetPointer operator()(const IdxOptions& o) const { return open_idx(o); }
    DatasetPointer operator()(const ImageFolderOptions& o) const { return open_image_folder(o); }
    DatasetPointer operator()(const ImageListOptions& o) const { return open_image_list(o); }
    DatasetPointer operator()(const CifarOptions& o) const { return open_cifar(o); }
    DatasetPointer operator()(const TarOptions& o) const { return open_tar(o); }
    DatasetPointer operator()(const TfRecordSetOptions& o) const { return open_tfrecord(o); }
    DatasetPointer operator()(const NpyOptions& o) const { return open_npy(o); }
    DatasetPointer operator()(const TexturesOptions& o) const { return open_textures(o); }
    DatasetPointer operator()(const Stl10Options& o) const { return open_stl10(o); }
    DatasetPointer operator()(const PicturesOptions& o) const { return picture_files(list_pictures(o.paths)); }
  };
  return std::visit(Open{}, options);
}

DatasetPointer subset(DatasetPointer dataset, std::vector<int64_t> indices) {
  return std::make_shared<Subset>(std::move(dataset), std::move(indices));
}

void require_same_classes(const ImageDataset& train, const ImageDataset& test) {
  if (train.num_classes() != test.num_classes()) {
    throw UserError(fmt::format("the training set has {} classes, the test set {}", train.num_classes(), test.num_classes()),
                    "both must have the same classes, empty folders included");
  }
  if (train.has_several_labels() != test.has_several_labels())
    throw UserError("pictures have several labels in one of the two sets and one in the other", "give two sets of one kind");
  for (int64_t c = 0; c < train.num_classes(); ++c) {
    if (train.class_name(c) != test.class_name(c)) {
      throw UserError(
          fmt::format("class {} is '{}' in the training set and '{}' in the test set", c, train.class_name(c), test.class_name(c)));
    }
  }
}

io::Image to_rgb(io::Image image) {
  if (image.channels == 3) return image;
  if (image.channels != 1 && image.channels != 2 && image.channels != 4)
    throw Error(fmt::format("a picture of {} channels can't be made RGB", image.channels));
  io::Image rgb{image.height, image.width, 3, std::vector<uint8_t>(size_t(image.height * image.width * 3))};
  const uint8_t* from = image.pixels.data();
  uint8_t* to = rgb.pixels.data();
  const bool grey = image.channels <= 2;
  for (int64_t i = 0, n = image.height * image.width; i < n; ++i, from += image.channels, to += 3) {
    to[0] = from[0];
    to[1] = from[grey ? 0 : 1];
    to[2] = from[grey ? 0 : 2];
  }
  return rgb;
}

}  // namespace zoo::data
