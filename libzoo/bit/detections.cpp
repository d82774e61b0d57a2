#include <libzoo/bit/anchors.h>
#include <libzoo/bit/detections.h>
#include <libzoo/eval/average_precision.h>

#include <ATen/ATen.h>

#include <algorithm>

namespace zoo::bit {

std::vector<Detection> suppress_non_maxima(const std::vector<Detection>& sorted, const SelectOptions& options) {
  std::vector<Detection> kept;
  for (const Detection& one : sorted) {
    if (int64_t(kept.size()) == options.most) break;
    const bool known = std::any_of(kept.begin(), kept.end(), [&](const Detection& better) {
      return better.label == one.label && eval::overlap(better.box, one.box) > options.overlap;
    });
    if (!known) kept.push_back(one);
  }
  return kept;
}

std::vector<Detection> select_detections(const at::Tensor& logits, const at::Tensor& codes, const at::Tensor& anchors,
                                         const SelectOptions& options) {
  const int64_t classes = logits.size(1);
  const auto flat = logits.to(at::kFloat).reshape(-1);
  const auto [values, places] = flat.topk(std::min(options.candidates, flat.size(0)));
  const auto scores = values.to(at::kDouble).sigmoid();
  const auto all_codes = codes.to(at::kFloat).contiguous();
  std::vector<Detection> candidates;
  for (int64_t i = 0; i < scores.size(0); ++i) {
    const double score = scores.const_data_ptr<double>()[i];
    if (score < options.least_score) break;
    const int64_t place = places.const_data_ptr<int64_t>()[i], anchor = place / classes;
    candidates.push_back({.box = decode_box(all_codes.const_data_ptr<float>() + 4 * anchor, anchors.const_data_ptr<float>() + 4 * anchor),
                          .label = place % classes,
                          .score = score});
  }
  return suppress_non_maxima(candidates, options);
}

}  // namespace zoo::bit
