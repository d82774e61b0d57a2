// COCO's annotation files (cocodataset.org, "Object detection" format): images, categories and annotations with boxes [left, top, width,
// height]. Everything in the file is looked at when it is opened, so that a training never meets a bad box. Classes are the categories in
// the order of their ids, pictures those of `images` in the order of theirs, as in pycocotools.
#include <libzoo/core/error.h>
#include <libzoo/core/json.h>
#include <libzoo/data/detection_dataset.h>
#include <libzoo/io/bytes.h>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

namespace zoo::data {
namespace {

constexpr int64_t kLargestSide = 1'000'000;  // pixels
// Boxes of the published files end up to a pixel beyond their pictures; more is a mistake of units or of order.
constexpr double kMostBeyond = 2;

// An object of one of the file's lists: knows where it stands for messages such as
// "train.json: annotations[7]: bbox is [1,2,-3,4]: the width is negative".
class Entry {
 public:
  Entry(const Json& object, const std::string& file, const char* list, size_t index)
      : object_(object), file_(file), list_(list), index_(index) {
    if (!object.is_object()) throw UserError(fmt::format("{}: {}[{}] is no object", file, list, index));
  }

  bool has(const char* key) const { return object_.contains(key); }
  const Json& at(const char* key) const {
    const auto found = object_.find(key);
    if (found == object_.end()) throw UserError(fmt::format("{}: {}[{}] has no {}", file_, list_, index_, key), "COCO's format demands it");
    return *found;
  }

  [[noreturn]] void refuse(const char* key, const std::string& why, const std::string& hint = {}) const {
    std::string value = at(key).dump(-1, ' ', false, Json::error_handler_t::replace);
    if (value.size() > 100) value = value.substr(0, 100) + "…";
    throw UserError(fmt::format("{}: {}[{}]: {} is {}: {}", file_, list_, index_, key, value, why), hint);
  }

  int64_t integer(const char* key, int64_t least, int64_t most) const {
    const Json& value = at(key);
    if (!value.is_number_integer()) refuse(key, "not a whole number");
    const bool too_large = value.is_number_unsigned() && value.get<uint64_t>() > uint64_t(INT64_MAX);
    const auto number = too_large ? INT64_MAX : value.get<int64_t>();
    if (too_large || number < least || number > most) refuse(key, fmt::format("not in [{}, {}]", least, most));
    return number;
  }
  int64_t id(const char* key) const { return integer(key, 0, INT64_MAX); }

  double number(const Json& value, const char* key) const {
    if (!value.is_number()) refuse(key, "not a number");
    const auto number = value.get<double>();
    if (!std::isfinite(number)) refuse(key, "not finite");
    return number;
  }

  std::string text(const char* key) const {
    if (!at(key).is_string()) refuse(key, "not text");
    if (at(key).get_ref<const std::string&>().empty()) refuse(key, "empty");
    return at(key).get<std::string>();
  }

 private:
  const Json& object_;
  const std::string& file_;
  const char* list_;
  size_t index_;
};

class Coco final : public DetectionDataset {
 public:
  explicit Coco(const CocoOptions& options) : options_(options), file_(options.annotations.string()) {
    const io::Bytes bytes = io::map_file(options.annotations);
    const Json json = parse_json(bytes.text(), file_);
    if (!json.is_object()) throw UserError(fmt::format("{}: not an object with images, annotations and categories", file_));
    read_categories(list(json, "categories"));
    read_images(list(json, "images"));
    read_annotations(list(json, "annotations"));
  }

  int64_t size() const override { return int64_t(images_.size()); }
  int64_t num_classes() const override { return int64_t(classes_.size()); }
  std::string class_name(int64_t label) const override { return classes_.at(size_t(label)); }
  ImageSize typical_size() const override { return images_.empty() ? ImageSize{} : images_[images_.size() / 2].size; }
  std::string describe() const override {
    return fmt::format("coco {}: {} pictures, {} classes", options_.annotations.filename().string(), size(), num_classes());
  }

 protected:
  std::vector<LabelledBox> get_boxes(int64_t index) const override { return images_[size_t(index)].boxes; }

  void get_picture(int64_t index, Picture& picture) const override {
    picture.read(options_.images / images_[size_t(index)].file);
    const ImageSize told = images_[size_t(index)].size, real = picture.size();
    if (real.height != told.height || real.width != told.width)
      throw UserError(
          fmt::format("{}: has {}x{} pixels, {} says {}x{}", get_item_name(index), real.height, real.width, file_, told.height, told.width),
          "the boxes would not fit: take the pictures that the annotations were made for");
  }
  std::string get_item_name(int64_t index) const override { return (options_.images / images_[size_t(index)].file).string(); }

 private:
  struct Image {
    std::string file;
    ImageSize size;
    std::vector<LabelledBox> boxes;
  };

  const Json& list(const Json& json, const char* key) const {
    if (!json.contains(key))
      throw UserError(fmt::format("{}: has no {}", file_, key), "COCO's format has images, annotations and categories");
    if (!json.at(key).is_array()) throw UserError(fmt::format("{}: {} is no list", file_, key));
    return json.at(key);
  }

  // The entries of a list by their ids.
  std::map<int64_t, Entry> by_id(const Json& entries, const char* name) const {
    std::map<int64_t, Entry> found;
    for (size_t i = 0; i < entries.size(); ++i) {
      const Entry entry(entries[i], file_, name, i);
      if (!found.emplace(entry.id("id"), entry).second) entry.refuse("id", "another one has it already");
    }
    return found;
  }

  void read_categories(const Json& entries) {
    for (const auto& [id, entry] : by_id(entries, "categories")) {
      labels_.emplace(id, int64_t(classes_.size()));
      classes_.push_back(entry.text("name"));
    }
    if (classes_.empty()) throw UserError(fmt::format("{}: has no categories", file_));
  }

  void read_images(const Json& entries) {
    for (const auto& [id, entry] : by_id(entries, "images")) {
      places_.emplace(id, images_.size());
      images_.push_back({.file = entry.text("file_name"),
                         .size = {entry.integer("height", 1, kLargestSide), entry.integer("width", 1, kLargestSide)},
                         .boxes = {}});
    }
    if (images_.empty()) throw UserError(fmt::format("{}: has no images", file_));
  }

  void read_annotations(const Json& entries) {
    // In the order of the file.
    by_id(entries, "annotations");
    for (size_t i = 0; i < entries.size(); ++i) {
      const Entry entry(entries[i], file_, "annotations", i);
      const auto place = places_.find(entry.id("image_id"));
      if (place == places_.end()) entry.refuse("image_id", "no image has this id");
      const auto label = labels_.find(entry.id("category_id"));
      if (label == labels_.end()) entry.refuse("category_id", "no category has this id");
      Image& image = images_[place->second];
      LabelledBox object{.box = box(entry, image.size), .label = label->second};
      object.area = entry.has("area") ? entry.number(entry.at("area"), "area") : object.box.area();
      if (object.area < 0) entry.refuse("area", "negative");
      object.crowd = entry.has("iscrowd") && entry.integer("iscrowd", 0, 1) == 1;
      image.boxes.push_back(object);
    }
  }

  static io::Box box(const Entry& entry, const ImageSize& image) {
    const Json& list = entry.at("bbox");
    if (!list.is_array() || list.size() != 4) entry.refuse("bbox", "not a list of left, top, width and height");
    const auto value = [&](size_t i) { return entry.number(list[i], "bbox"); };
    const io::Box box{value(0), value(1), value(2), value(3)};
    if (box.width < 0 || box.height < 0)
      entry.refuse("bbox", fmt::format("the {} is negative", box.width < 0 ? "width" : "height"),
                   "boxes are left, top, width, height in pixels");
    if (std::min(box.left, box.top) < -kMostBeyond || box.right() > double(image.width) + kMostBeyond ||
        box.bottom() > double(image.height) + kMostBeyond)
      entry.refuse("bbox", fmt::format("leaves its image of {}x{} pixels (height x width)", image.height, image.width),
                   "boxes are left, top, width, height in pixels");
    return box;
  }

  CocoOptions options_;
  std::string file_;
  std::vector<std::string> classes_;
  std::map<int64_t, int64_t> labels_;   // category id -> class
  std::map<int64_t, size_t> places_;    // image id -> place in images_
  std::vector<Image> images_;
};

}  // namespace

DetectionPointer open_coco(const CocoOptions& options) { return std::make_shared<Coco>(options); }

}  // namespace zoo::data
