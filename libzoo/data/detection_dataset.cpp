#include <libzoo/data/detection_dataset.h>

namespace zoo::data {
namespace {

class WithoutBoxes final : public DetectionDataset {
 public:
  explicit WithoutBoxes(DatasetPointer pictures) : pictures_(std::move(pictures)) {}

  int64_t size() const override { return pictures_->size(); }
  int64_t num_classes() const override { return pictures_->num_classes(); }
  std::string class_name(int64_t label) const override { return pictures_->class_name(label); }
  ImageSize typical_size() const override { return pictures_->typical_size(); }
  std::string describe() const override { return pictures_->describe(); }

 protected:
  void get_picture(int64_t index, Picture& picture) const override { pictures_->read(index, picture); }
  std::string get_item_name(int64_t index) const override { return pictures_->item_name(index); }
  std::vector<LabelledBox> get_boxes(int64_t) const override { return {}; }

 private:
  DatasetPointer pictures_;
};

}  // namespace

std::vector<LabelledBox> DetectionDataset::boxes(int64_t index) const {
  check(index);
  return get_boxes(index);
}

DetectionPointer open_detection(const DetectionDatasetOptions& options) {
  struct Open {
    DetectionPointer operator()(const CocoOptions& o) const { return open_coco(o); }
    DetectionPointer operator()(const ScenesOptions& o) const { return open_scenes(o); }
  };
  return std::visit(Open{}, options);
}

DetectionPointer without_boxes(DatasetPointer pictures) { return std::make_shared<WithoutBoxes>(std::move(pictures)); }

}  // namespace zoo::data
