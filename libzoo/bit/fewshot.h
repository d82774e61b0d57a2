// Few-shot subsets: `shots` examples of each class, chosen by their labels alone, and a linear probe fitted on one.
//
//   auto chosen = ring_subset(labels, permutation(n, key), 5, num_classes);    // indices into the data set
//   auto probe = fewshot_lsr(features, labels, num_classes);
//   auto predicted = probe.scores(test_features).argmax(1);
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace zoo::bit {

// big_transfer, PyTorch: walks `order` (indices into labels), keeps the last `shots` seen of each label and stops as soon as
// every class holds that many. Ascending. Throws UserError naming the classes that fall short, Error if an index or label is
// out of range or shots or num_classes below 1.
std::vector<int64_t> ring_subset(std::span<const int64_t> labels, std::span<const int64_t> order, int64_t shots, int64_t num_classes);

// big_transfer, TensorFlow and JAX: numpy.random.seed(seed), then for each class choice(indices, shots, replace=False). In the
// order drawn. `pool_limit`: only the first so many labels. Errors as above.
std::vector<int64_t> numpy_choice_subset(std::span<const int64_t> labels, int64_t shots, int64_t num_classes, uint32_t seed,
                                         std::optional<int64_t> pool_limit = {});

// Ridge regression onto ±1 targets over standardised features (big_vision evaluators/fewshot_lsr.py); all in float64.
struct LinearProbe {
  at::Tensor mean;                // [features]
  at::Tensor standard_deviation;  // [features], + 1e-5
  at::Tensor weight;              // [features + 1, classes]; the last row belongs to a constant column of 100

  at::Tensor scores(const at::Tensor& features) const;  // [rows, features] -> [rows, classes]
};

// features [rows, features], labels int64 [rows]; l2 > 0 regularises the constant column too.
LinearProbe fewshot_lsr(const at::Tensor& features, const at::Tensor& labels, int64_t num_classes, double l2 = 1024);

}  // namespace zoo::bit
