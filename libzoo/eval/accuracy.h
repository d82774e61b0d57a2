// Top-k accuracy and mean cross-entropy of a classifier over a whole split, the last short batch included.
//
//   zoo::eval::Classification meter({1, 5});
//   for (…) meter.add(model->forward(images), labels);
//   auto metrics = meter.result();               // metrics.loss, metrics.top(1), metrics.top(5)
//
// Counts stay on the device of the logits: add() waits for nothing, only result() reads back.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace zoo::eval {

struct ClassificationMetrics {
  int64_t count = 0;              // examples
  double loss = 0;                // mean cross-entropy, nats
  std::vector<int64_t> ks;        // as asked for
  std::vector<double> accuracy;   // fraction with the label among the k largest logits, one for each of `ks`

  double top(int64_t k) const;    // throws Error if k was not asked for
};

// Whether each label is among the k largest logits of its row: bool [rows]. k above the number of classes means all of
// them. Equal logits: the class with the smaller index comes first. A row with a NaN is a miss.
// Throws Error unless logits are [rows, classes], labels int64 [rows] in [0, classes) (looked at on the CPU), and k >= 1.
at::Tensor top_k_hits(const at::Tensor& logits, const at::Tensor& labels, int64_t k);

class Classification {
 public:
  explicit Classification(std::vector<int64_t> ks = {1, 5});

  // Shapes and errors as for top_k_hits.
  void add(const at::Tensor& logits, const at::Tensor& labels);

  // Throws Error if nothing was added.
  ClassificationMetrics result() const;

 private:
  std::vector<int64_t> ks_;
  std::vector<at::Tensor> hits_;  // int64 scalars
  at::Tensor loss_;               // float64 scalar: sum
  int64_t count_ = 0;
};

ClassificationMetrics classification_metrics(const at::Tensor& logits, const at::Tensor& labels, std::vector<int64_t> ks = {1, 5});

}  // namespace zoo::eval
