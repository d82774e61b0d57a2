// Average precision and F1 of a classifier that says yes or no to each class on its own.
//
//   zoo::eval::MultiLabel meter;
//   for (…) meter.add(model->forward(images), targets);
//   auto metrics = meter.result();    // metrics.mean_average_precision, metrics.micro_f1, metrics.macro_f1
//
// Logits are kept, on the CPU, until result(): average precision needs the order of all of them.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace zoo::eval {

// Σ (recall_n - recall_n-1) · precision_n over the thresholds, equal scores being one threshold (scikit-learn's
// average_precision_score). scores and targets (0 or 1) [rows]; NaN if no target is 1. Throws Error on other shapes.
double average_precision(const at::Tensor& scores, const at::Tensor& targets);

struct ClassScores {
  int64_t positives = 0;         // examples that have the class
  double average_precision = 0;  // NaN without positives
  double f1 = 0;                 // NaN if nothing has the class and nothing is said to
};

struct MultiLabelMetrics {
  int64_t count = 0;                  // examples
  double loss = 0;                    // binary cross-entropy in nats, summed over classes, mean over examples
  double mean_average_precision = 0;  // over the classes with positives
  double micro_f1 = 0;                // of all decisions together
  double macro_f1 = 0;                // mean over the classes that have an F1
  std::vector<ClassScores> classes;
};

class MultiLabel {
 public:
  // A logit above 0, a probability above one half, says yes. Throws Error unless both are [rows, classes].
  void add(const at::Tensor& logits, const at::Tensor& targets);
  // Throws Error if nothing was added.
  MultiLabelMetrics result() const;

 private:
  std::vector<at::Tensor> logits_, targets_;
};

}  // namespace zoo::eval
