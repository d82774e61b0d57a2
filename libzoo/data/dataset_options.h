// Options of the data sets, one struct per `type` of a recipe's `data: {type: shapes, …}`.
#pragma once

#include <libzoo/core/options.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <variant>
#include <vector>

namespace zoo::data {

// Two parts of a procedural set that share their classes and no picture.
enum class Split { train, test };
constexpr auto enum_names(Split) { return EnumNames<Split, 2>{{{Split::train, "train"}, {Split::test, "test"}}}; }

enum class ShapesPreset { upstream, downstream, grid };
constexpr auto enum_names(ShapesPreset) {
  return EnumNames<ShapesPreset, 3>{
      {{ShapesPreset::upstream, "upstream"}, {ShapesPreset::downstream, "downstream"}, {ShapesPreset::grid, "grid"}}};
}

// Procedural figures (disc, square, triangle, cross, ring) filled with a sine grating. A class is shape, angle and cycles,
// its superclass the shape. Picture k of a class depends on seed, preset, split, class, k, size and noise only.
struct ShapesOptions {
  static constexpr const char* kType = "shapes";
  ShapesPreset preset = ShapesPreset::upstream;
  std::optional<int64_t> num_classes = {};
  int64_t per_class = 250;
  int64_t image_size = 32;
  double noise = 0.15;
  uint64_t seed = 0;
  Split split = Split::train;
};

template <class Field>
void fields(Field& field, ShapesOptions& o) {
  field("preset", o.preset, "upstream: 24 classes at 4 cycles; downstream: 10 others at 5.5; grid: num_classes");
  field("num_classes", o.num_classes, "classes of a grid of shapes, angles and cycles", at_least(2));
  field("per_class", o.per_class, "pictures of each class", at_least(1));
  field("image_size", o.image_size, "pixels, height and width", between(8, 4096));
  field("noise", o.noise, "standard deviation of the pixel noise, black to white being 1", between(0.0, 1.0));
  field("seed", o.seed, "draws another set of pictures");
  field("split", o.split, "train and test share classes and no picture");
}

inline void check(const ShapesOptions& o, Problems& problems) {
  if (o.preset == ShapesPreset::grid && !o.num_classes) problems.add("num_classes", "preset grid needs it");
}

// Procedural pen strokes. A class is two to four quadratic curves; the classes of an alphabet (its superclass) have equally
// many. Picture k of a class depends on seed, split, class, k and size only.
struct GlyphsOptions {
  static constexpr const char* kType = "glyphs";
  int64_t num_classes = 400;
  int64_t per_class = 40;
  int64_t image_size = 32;
  int64_t alphabet_size = 20;
  int64_t shared_strokes = 0;
  uint64_t seed = 0;
  Split split = Split::train;
};

template <class Field>
void fields(Field& field, GlyphsOptions& o) {
  field("num_classes", o.num_classes, "glyphs", between(2, 100'000'000));
  field("per_class", o.per_class, "pictures of each glyph", at_least(1));
  field("image_size", o.image_size, "pixels, height and width", between(8, 4096));
  field("alphabet_size", o.alphabet_size, "glyphs per alphabet", at_least(1));
  field("shared_strokes", o.shared_strokes, "strokes that all glyphs of an alphabet have in common", between(0, 2));
  field("seed", o.seed, "draws another set of glyphs");
  field("split", o.split, "train and test share glyphs and no picture");
}

// Procedural textures in two random colours: ten patterns, at a random scale, place and angle. Picture k of a class depends on seed,
// split, class, k and size only.
struct TexturesOptions {
  static constexpr const char* kType = "textures";
  int64_t per_class = 400;
  int64_t image_size = 32;
  uint64_t seed = 0;
  Split split = Split::train;
};

template <class Field>
void fields(Field& field, TexturesOptions& o) {
  field("per_class", o.per_class, "pictures of each of the ten textures", at_least(1));
  field("image_size", o.image_size, "pixels, height and width", between(8, 4096));
  field("seed", o.seed, "draws another set of pictures");
  field("split", o.split, "train and test share textures and no picture");
}

// MNIST's files, plain or gzip: images u8 [n, height, width] and labels u8 [n].
struct IdxOptions {
  static constexpr const char* kType = "idx";
  std::filesystem::path images;
  std::filesystem::path labels;
  std::optional<int64_t> resize = {};
  int64_t pad = 0;
  std::optional<int64_t> num_classes = {};
};

template <class Field>
void fields(Field& field, IdxOptions& o) {
  field("images", o.images, "IDX file of grey pictures", required(), existing_file());
  field("labels", o.labels, "IDX file of their classes", required(), existing_file());
  field("resize", o.resize, "pixels, height and width: bilinear, as torch's interpolate without antialiasing", between(1, 4096));
  field("pad", o.pad, "black pixels added on each side after that", between(0, 2048));
  field("num_classes", o.num_classes, "classes; the largest label plus one unless set", at_least(2));
}

// A folder per class, named after it, with pictures at any depth. The kind of a picture is told by its first bytes.
struct ImageFolderOptions {
  static constexpr const char* kType = "image_folder";
  std::filesystem::path path;
};

template <class Field>
void fields(Field& field, ImageFolderOptions& o) {
  field("path", o.path, "folder with one folder of pictures per class", required(), existing_directory());
}

// Pictures named by a list, with any number of labels each: CSV lines path,label;label or JSON lines {"path": …, "labels": […]}.
struct ImageListOptions {
  static constexpr const char* kType = "image_list";
  std::filesystem::path file;
  std::filesystem::path root;
  std::filesystem::path class_names;
};

template <class Field>
void fields(Field& field, ImageListOptions& o) {
  field("file", o.file, "list of pictures: .csv with lines path,label;label, or .jsonl", required(), existing_file());
  field("root", o.root, "folder that paths begin at; that of the list unless set", existing_directory());
  field("class_names", o.class_names, "text file, a name a line; all labels of the list in order unless set", existing_file());
}

// The CIFAR binary files (data_batch_1.bin …, test_batch.bin; train.bin, test.bin).
enum class CifarKind { cifar10, cifar100 };
constexpr auto enum_names(CifarKind) {
  return EnumNames<CifarKind, 2>{{{CifarKind::cifar10, "cifar10"}, {CifarKind::cifar100, "cifar100"}}};
}

struct CifarOptions {
  static constexpr const char* kType = "cifar";
  CifarKind variant = CifarKind::cifar10;
  std::vector<std::filesystem::path> files;
};

template <class Field>
void fields(Field& field, CifarOptions& o) {
  field("variant", o.variant, "which of the two sets");
  field("files", o.files, "binary files, one after the other", required(), not_empty(), existing_file());
}

// How the labels of shards are read.
template <class Field, class Options>
void fields_of_labels(Field& field, Options& o) {
  field("first_label", o.first_label, "the number that the first class has in the files: 1 in those of ImageNet");
  field("class_names", o.class_names, "text file, a name a line", existing_file());
  field("num_classes", o.num_classes, "classes; the largest label plus one unless set", at_least(2));
}

// WebDataset shards: tar archives in which the files of a sample share their name up to the first dot.
struct TarOptions {
  static constexpr const char* kType = "tar";
  std::vector<std::string> shards;
  std::vector<std::string> image = {"jpg", "jpeg", "png"};
  std::string label = "cls";
  int64_t first_label = 0;
  std::filesystem::path class_names;
  std::optional<int64_t> num_classes = {};
};

template <class Field>
void fields(Field& field, TarOptions& o) {
  field("shards", o.shards, "archives; several as train-{000000..000123}.tar", required(), not_empty());
  field("image", o.image, "extensions of which a sample has one: the picture", not_empty());
  field("label", o.label, "extension of the class's number, as text", not_empty());
  fields_of_labels(field, o);
}

// TFRecord files of tf.train.Example, uncompressed, so that records are reached by number.
struct TfRecordSetOptions {
  static constexpr const char* kType = "tfrecord";
  std::vector<std::string> files;
  std::string image = "image/encoded";
  std::string label = "image/class/label";
  int64_t first_label = 0;
  std::filesystem::path class_names;
  std::optional<int64_t> num_classes = {};
};

template <class Field>
void fields(Field& field, TfRecordSetOptions& o) {
  field("files", o.files, "uncompressed TFRecord files; several as train-{00000..01023}-of-01024", required(), not_empty());
  field("image", o.image, "feature that holds the JPEG or PNG", not_empty());
  field("label", o.label, "feature that holds the class's number", not_empty());
  fields_of_labels(field, o);
}

// numpy arrays of pixels and labels.
struct NpyOptions {
  static constexpr const char* kType = "npy";
  std::filesystem::path images;
  std::filesystem::path labels;
  std::filesystem::path class_names;
  std::optional<int64_t> num_classes = {};
};

template <class Field>
void fields(Field& field, NpyOptions& o) {
  field("images", o.images, ".npy of u1 [number, height, width] or [number, height, width, channels]", required(), existing_file());
  field("labels", o.labels, ".npy of integers [number]", required(), existing_file());
  field("class_names", o.class_names, "text file, a name a line", existing_file());
  field("num_classes", o.num_classes, "classes; the largest label plus one unless set", at_least(2));
}

// Pictures without labels.
struct PicturesOptions {
  static constexpr const char* kType = "pictures";
  std::vector<std::filesystem::path> paths;
};

template <class Field>
void fields(Field& field, PicturesOptions& o) {
  field("paths", o.paths, "pictures, folders of them at any depth, and .txt files that list either", required(), not_empty());
}

// STL-10's binary files: train_X.bin, test_X.bin, unlabeled_X.bin.
struct Stl10Options {
  static constexpr const char* kType = "stl10";
  std::filesystem::path images;
  std::filesystem::path labels;
};

template <class Field>
void fields(Field& field, Stl10Options& o) {
  field("images", o.images, "binary file of pictures", required(), existing_file());
  field("labels", o.labels, "binary file of labels 1 to 10; none for the unlabelled pictures", existing_file());
}

using ImageDatasetOptions = std::variant<ShapesOptions, GlyphsOptions, TexturesOptions, IdxOptions, ImageFolderOptions, ImageListOptions,
                                         CifarOptions, Stl10Options, TarOptions, TfRecordSetOptions, NpyOptions, PicturesOptions>;

}  // namespace zoo::data
