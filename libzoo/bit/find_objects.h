// A finished detector at work: on the pictures of a set, to be measured, and on single files (`zoo-bit detect-evaluate`, `detect-predict`).
#pragma once

#include <libzoo/bit/detections.h>
#include <libzoo/bit/detector.h>
#include <libzoo/bit/predict_options.h>
#include <libzoo/core/json.h>
#include <libzoo/data/detection_batches.h>
#include <libzoo/eval/average_precision.h>
#include <libzoo/io/image.h>

#include <c10/core/Device.h>

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace zoo::bit {

struct FindOptions {
  int64_t resolution = 0;  // pixels, of the canvas
  int64_t batch_size = 16;
  data::ReadOptions read = {};
  SelectOptions select = {};
  int64_t most_pictures = INT64_MAX;  // of the set, its first
};

// Calls `receive` with the place of each picture in the set and what is in it, best first, in the picture's own pixels, cut at its
// borders. In evaluation mode, without gradients.
void find_objects(Detector& model, const data::DetectionPointer& pictures, const FindOptions& options, const at::Device& device,
                  const std::function<void(int64_t index, const std::vector<Detection>& found)>& receive);

eval::AveragePrecision measure_detector(Detector& model, const data::DetectionPointer& test, const FindOptions& options,
                                        const at::Device& device);

// {ap, ap50, ap75, ap_small …, recall_100 …}: fractions, null where there is nothing to find.
Json as_json(const eval::AveragePrecision& result);

// The first pictures of a set with what is found in them.
io::Image detection_sheet(Detector& model, const data::DetectionPointer& pictures, const FindOptions& options,
                          const std::vector<std::string>& classes, const at::Device& device);

struct DetectEvaluateOptions : NetworkOptions {
  data::DetectionDatasetOptions test;
  SelectOptions select;
};

template <class Field>
void fields(Field& field, DetectEvaluateOptions& o) {
  fields(field, static_cast<NetworkOptions&>(o));
  field("test", o.test, "pictures with boxes to measure on", required());
  field("select", o.select, "which detections are measured");
}

// as_json(), pictures, and of_class: the average precision of each. Throws UserError if the set has other classes than the detector.
Json detect_evaluate(const DetectEvaluateOptions& options, const at::Device& device);

struct DetectPredictOptions : NetworkOptions {
  SelectOptions select = {.least_score = 0.3};
  std::filesystem::path pictures;
};

template <class Field>
void fields(Field& field, DetectPredictOptions& o) {
  fields(field, static_cast<NetworkOptions&>(o));
  field("select", o.select, "which detections are told");
  field("pictures", o.pictures, "folder to write the pictures with their boxes to; empty: none are written");
}

struct FoundObject {
  std::string name;  // of the class
  double score;
  io::Box box;  // pixels of the picture
};

// Calls `receive` for each file in order. Throws UserError naming a picture that can't be decoded.
void detect_predict(const DetectPredictOptions& options, const std::vector<std::filesystem::path>& files, const at::Device& device,
                    const std::function<void(const std::filesystem::path& file, const std::vector<FoundObject>& found)>& receive);

}  // namespace zoo::bit
