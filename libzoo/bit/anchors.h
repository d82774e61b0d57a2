// Anchors: the boxes that a one-stage detector starts from, which of them stand for which object, and how a box is written relative to
// one (Lin et al. 2017, "Focal loss for dense object detection", section 4; constants of tensorflow/tpu RetinaNet).
//
//   const at::Tensor all = anchors({.scale = 4}, 640);                   // of a canvas of 640x640 pixels
//   const Targets targets = match_anchors(all, batch.boxes);
#pragma once

#include <libzoo/core/options.h>
#include <libzoo/data/detection_dataset.h>

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace zoo::bit {

constexpr int64_t kFinestLevel = 3, kCoarsestLevel = 7;  // P3 … P7: a cell of level l covers 2^l pixels

struct AnchorOptions {
  double scale = 4;
  int64_t octaves = 3;
  std::vector<double> aspects = {0.5, 1, 2};

  int64_t per_cell() const { return octaves * int64_t(aspects.size()); }
};

template <class Field>
void fields(Field& field, AnchorOptions& o) {
  field("scale", o.scale, "side of the smallest anchor of a cell, in cells", between(0.1, 100.0));
  field("octaves", o.octaves, "sizes of anchors from one level to the next", between(1, 16));
  field("aspects", o.aspects, "height / width of the anchors of each size", not_empty(), between(0.01, 100.0));
}

// [count, 4] f32: centre x and y, width, height; pixels of a square canvas. Levels from fine to coarse, in each rows of cells, in each
// cell sizes and then aspects.
at::Tensor anchors(const AnchorOptions& options, int64_t canvas);

// A box relative to an anchor [4]: the centre's distance in anchor widths and heights, the logarithms of the ratios of the sides.
void encode_box(const io::Box& box, const float* anchor, float* code);
// Undoes it; sides grow by a factor of 62.5 at most, as torchvision has it.
io::Box decode_box(const float* code, const float* anchor);

struct MatchOptions {
  double positive = 0.5, negative = 0.4;  // overlap (intersection over union) from which, and below which
};
constexpr int64_t kBackground = -1, kIgnored = -2;

struct Targets {
  at::Tensor labels;      // [pictures, anchors] i64: a class, kBackground, or kIgnored for overlaps in between
  at::Tensor codes;       // [pictures, anchors, 4] f32: of the object where labels has a class, else 0
  int64_t positives = 0;  // anchors that have a class
};

// An anchor stands for the object that it overlaps most, if enough; and the best anchor of an object stands for it however little they
// overlap, the object first in the list going before.
Targets match_anchors(const at::Tensor& anchors, const std::vector<std::vector<data::LabelledBox>>& boxes,
                      const MatchOptions& options = {});

}  // namespace zoo::bit
