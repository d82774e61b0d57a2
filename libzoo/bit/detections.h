// From what a detector says about a picture to the objects in it: the surest (anchor, class) pairs, their boxes, and of those of a class
// that overlap only the surest.
#pragma once

#include <libzoo/core/options.h>
#include <libzoo/io/image.h>

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace zoo::bit {

struct Detection {
  io::Box box;  // pixels
  int64_t label = 0;
  double score = 0;
};

// The defaults are tensorflow/tpu RetinaNet's.
struct SelectOptions {
  int64_t candidates = 5000;
  double least_score = 0;
  double overlap = 0.5;
  int64_t most = 100;
};

template <class Field>
void fields(Field& field, SelectOptions& o) {
  field("candidates", o.candidates, "surest boxes of all classes that are looked at", at_least(1));
  field("least_score", o.least_score, "detections that are less sure are left out", between(0.0, 1.0));
  field("overlap", o.overlap, "intersection over union from which the less sure of two of a class is left out", between(0.0, 1.0));
  field("most", o.most, "detections in a picture", at_least(1));
}

// Non-maximum suppression: in the order of the list, which has the best first, those that overlap no earlier one of their class that was
// kept by more than options.overlap; options.most at most.
std::vector<Detection> suppress_non_maxima(const std::vector<Detection>& sorted, const SelectOptions& options);

// logits [anchors, classes], codes [anchors, 4] and anchors [anchors, 4], on the CPU. Boxes are on the canvas and may leave it.
std::vector<Detection> select_detections(const at::Tensor& logits, const at::Tensor& codes, const at::Tensor& anchors,
                                         const SelectOptions& options);

}  // namespace zoo::bit
