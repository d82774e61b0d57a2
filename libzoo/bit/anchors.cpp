#include <libzoo/bit/anchors.h>

#include <libzoo/io/parallel_for.h>

#include <ATen/ATen.h>

#include <algorithm>
#include <atomic>
#include <cmath>

namespace zoo::bit {
namespace {

const double kMostGrowth = std::log(1000.0 / 16);

struct Corners {
  float left, top, right, bottom;
  float area() const { return (right - left) * (bottom - top); }
};

Corners corners(const float* anchor) {
  const float w = anchor[2] / 2, h = anchor[3] / 2;
  return {anchor[0] - w, anchor[1] - h, anchor[0] + w, anchor[1] + h};
}

float overlap(const Corners& a, const Corners& b) {
  const float width = std::min(a.right, b.right) - std::max(a.left, b.left), height = std::min(a.bottom, b.bottom) - std::max(a.top, b.top);
  if (width <= 0 || height <= 0) return 0;
  return width * height / (a.area() + b.area() - width * height);
}

// One picture; returns the number of positives.
int64_t match(const float* anchors, int64_t count, const std::vector<data::LabelledBox>& boxes, const MatchOptions& options,
              int64_t* labels, float* codes) {
  std::vector<Corners> objects;
  for (const auto& [box, label, area, crowd] : boxes)
    objects.push_back({float(box.left), float(box.top), float(box.right()), float(box.bottom())});
  constexpr int64_t kNone = -1;
  std::vector<float> best_of_object(boxes.size(), 0);
  std::vector<int64_t> anchor_of_object(boxes.size(), kNone);
  std::vector<int64_t> object_of_anchor(size_t(count), kNone);
  for (int64_t i = 0; i < count; ++i) {
    const Corners anchor = corners(anchors + 4 * i);
    float best = 0;
    for (size_t g = 0; g < objects.size(); ++g) {
      const float common = overlap(anchor, objects[g]);
      if (common > best) best = common, object_of_anchor[size_t(i)] = int64_t(g);
      if (common > best_of_object[g]) best_of_object[g] = common, anchor_of_object[g] = i;
    }
    if (best >= float(options.positive)) continue;
    object_of_anchor[size_t(i)] = kNone;
    labels[i] = best < float(options.negative) ? kBackground : kIgnored;
  }
  for (size_t g = objects.size(); g-- > 0;)
    if (anchor_of_object[g] != kNone) object_of_anchor[size_t(anchor_of_object[g])] = int64_t(g);
  int64_t positives = 0;
  for (int64_t i = 0; i < count; ++i) {
    const int64_t g = object_of_anchor[size_t(i)];
    if (g == kNone) continue;
    labels[i] = boxes[size_t(g)].label;
    encode_box(boxes[size_t(g)].box, anchors + 4 * i, codes + 4 * i);
    ++positives;
  }
  return positives;
}

}  // namespace

at::Tensor anchors(const AnchorOptions& o, int64_t canvas) {
  std::vector<float> values;
  for (int64_t level = kFinestLevel; level <= kCoarsestLevel; ++level) {
    const int64_t cell = int64_t(1) << level, cells = (canvas + cell - 1) / cell;
    for (int64_t y = 0; y < cells; ++y)
      for (int64_t x = 0; x < cells; ++x)
        for (int64_t octave = 0; octave < o.octaves; ++octave)
          for (const double aspect : o.aspects) {
            const double side = o.scale * double(cell) * std::exp2(double(octave) / double(o.octaves));
            for (const double value :
                 {(double(x) + 0.5) * double(cell), (double(y) + 0.5) * double(cell), side / std::sqrt(aspect), side * std::sqrt(aspect)})
              values.push_back(float(value));
          }
  }
  return at::tensor(values).view({-1, 4});
}

void encode_box(const io::Box& box, const float* anchor, float* code) {
  code[0] = float((box.left + box.width / 2 - anchor[0]) / anchor[2]);
  code[1] = float((box.top + box.height / 2 - anchor[1]) / anchor[3]);
  code[2] = float(std::log(box.width / anchor[2]));
  code[3] = float(std::log(box.height / anchor[3]));
}

io::Box decode_box(const float* code, const float* anchor) {
  const double width = anchor[2] * std::exp(std::min(double(code[2]), kMostGrowth));
  const double height = anchor[3] * std::exp(std::min(double(code[3]), kMostGrowth));
  return {anchor[0] + double(code[0]) * anchor[2] - width / 2, anchor[1] + double(code[1]) * anchor[3] - height / 2, width, height};
}

Targets match_anchors(const at::Tensor& anchors, const std::vector<std::vector<data::LabelledBox>>& boxes, const MatchOptions& options) {
  const int64_t pictures = int64_t(boxes.size()), count = anchors.size(0);
  Targets targets{.labels = at::empty({pictures, count}, at::kLong), .codes = at::zeros({pictures, count, 4})};
  const float* all = anchors.const_data_ptr<float>();
  auto* labels = targets.labels.mutable_data_ptr<int64_t>();
  auto* codes = targets.codes.mutable_data_ptr<float>();
  std::atomic<int64_t> positives = 0;
  io::parallel_for(0, pictures, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      positives += match(all, count, boxes[size_t(i)], options, labels + i * count, codes + i * count * 4);
  });
  targets.positives = positives;
  return targets;
}

}  // namespace zoo::bit
