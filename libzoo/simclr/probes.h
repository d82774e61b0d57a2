// How good frozen features are: the nearest neighbours' vote, and multinomial logistic regression.
//
//   auto [scores, prediction] = knn_probe(train_features, train_labels, test_features, {.num_classes = 10, .k = 200, .temperature = 0.1});
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace zoo::simclr {

struct KnnOptions {
  int64_t num_classes = 0;
  int64_t k = 200;
  double temperature = 0.1;
};

struct KnnResult {
  at::Tensor scores;      // [n, classes]: Σ exp(similarity / temperature) over the k nearest of that class
  at::Tensor prediction;  // [n]; ties go to the lower class
};

// Features [rows, width] are compared by the angle between them. Throws UserError if k is not in [1, training rows], the temperature
// not positive, or a label has no class.
KnnResult knn_probe(const at::Tensor& train_features, const at::Tensor& train_labels, const at::Tensor& test_features,
                    const KnnOptions& options);

struct LogisticOptions {
  int64_t num_classes = 0;
  double l2 = 0;             // the objective is the mean cross-entropy + l2 / 2 · |weight|²; the bias is free
  bool standardize = true;   // by the training rows' mean and population deviation; a deviation of 0 counts as 1
  double tolerance = 1e-7;   // of the largest entry of the gradient
  int64_t max_iterations = 2000;
};

struct LogisticProbe {
  double objective = 0;
  at::Tensor weight, bias;  // [classes, width], [classes] f64, of the standardised features
  at::Tensor mean, deviation;
  bool converged = false;
  at::Tensor probabilities(const at::Tensor& features) const;  // [n, classes] f64
};

struct RidgeProbe {
  at::Tensor weight;           // [width + 1, classes] f64, of the standardised features and a constant
  at::Tensor mean, deviation;  // [width] f64, of the training rows
  at::Tensor scores(const at::Tensor& features) const;  // [n, classes] f64
};
// Least squares to one-hot labels with l2 · |weight|². Throws UserError if shapes don't fit, a label has no class, or l2 is not positive.
RidgeProbe fit_ridge_probe(const at::Tensor& features, const at::Tensor& labels, int64_t num_classes, double l2);

// In float64, by L-BFGS. Throws UserError if shapes don't fit, a label has no class, or a feature is not finite.
LogisticProbe fit_logistic_probe(const at::Tensor& features, const at::Tensor& labels, const LogisticOptions& options);

}  // namespace zoo::simclr
