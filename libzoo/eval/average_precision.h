// Average precision of boxes as COCO measures it (pycocotools COCOeval, iouType "bbox"), in the same arithmetic: 10 thresholds of
// overlap from .50 to .95, precision at 101 recalls, 100 detections a picture and category, crowds and areas ignored.
//
//   const auto result = zoo::eval::average_precision(truth, found, num_categories);   // result.ap, result.ap50 …
#pragma once

#include <libzoo/io/image.h>

#include <cstdint>
#include <span>
#include <vector>

namespace zoo::eval {

// Intersection over union; over the area of `found` alone if the other is a crowd. 0 for boxes without an overlap.
double overlap(const io::Box& found, const io::Box& other, bool crowd = false);

struct TrueBox {
  int64_t picture = 0, category = 0;
  io::Box box = {};
  double area = 0;     // of the object, pixels; COCO's is that of its outline, not of its box
  bool crowd = false;  // many objects in one box: may be found any number of times, and need not be
};

struct FoundBox {
  int64_t picture = 0, category = 0;
  io::Box box = {};
  double score = 0;
};

// Fractions; -1 where there is nothing to find.
struct AveragePrecision {
  double ap = -1, ap50 = -1, ap75 = -1;                          // overlaps .50:.95, .50, .75
  double ap_small = -1, ap_medium = -1, ap_large = -1;           // areas up to 32², 96², 10^10 pixels
  double recall_1 = -1, recall_10 = -1, recall_100 = -1;         // mean over the overlaps, of so many detections
  double recall_small = -1, recall_medium = -1, recall_large = -1;
  std::vector<double> of_category;                               // ap of each
};

// Among equal scores those of the smaller picture come first, then those that `found` has first, as in pycocotools if pictures are
// numbered in the order of their ids. Throws Error for a category outside [0, num_categories), a value that is not finite.
AveragePrecision average_precision(std::span<const TrueBox> truth, std::span<const FoundBox> found, int64_t num_categories);

}  // namespace zoo::eval
