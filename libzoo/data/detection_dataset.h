// Pictures and the boxes of the objects in them.
//
//   auto train = zoo::data::open_detection(zoo::data::ScenesOptions{.pictures = 500});
//   for (const zoo::data::LabelledBox& object : train->boxes(17)) …
#pragma once

#include <libzoo/data/detection_options.h>
#include <libzoo/data/image_dataset.h>

#include <memory>
#include <vector>

namespace zoo::data {

struct LabelledBox {
  io::Box box = {};    // pixels
  int64_t label = 0;   // class, from 0
  double area = 0;     // of the object, pixels; of COCO's sets that of its outline
  bool crowd = false;  // many objects in one box
};

class DetectionDataset : public ImageDataset {
 public:
  // In the pixels of image(index), as the source has them: crowds and empty boxes included. Throws Error unless the index is in
  // [0, size()).
  std::vector<LabelledBox> boxes(int64_t index) const;

 protected:
  virtual std::vector<LabelledBox> get_boxes(int64_t index) const = 0;

 private:
  int64_t get_label(int64_t) const final { return 0; }  // a picture of many things has no class of its own
};

using DetectionPointer = std::shared_ptr<const DetectionDataset>;

// Throws UserError naming the file, the entry and what is wrong with it.
DetectionPointer open_detection(const DetectionDatasetOptions& options);

// Pictures of which nobody knows what is in them.
DetectionPointer without_boxes(DatasetPointer pictures);

DetectionPointer open_coco(const CocoOptions& options);
DetectionPointer open_scenes(const ScenesOptions& options);

}  // namespace zoo::data
