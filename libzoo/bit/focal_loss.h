// Focal loss (Lin et al. 2017): a yes or no for each class of each anchor, in which those that are easy hardly count.
//
//   auto loss = focal_loss(logits, labels, {.alpha = 0.25, .gamma = 1.5}) / (positives + 1.0);
#pragma once

#include <libzoo/core/options.h>

#include <ATen/core/Tensor.h>

namespace zoo::bit {

struct FocalOptions {
  double alpha = 0.25;
  double gamma = 1.5;
};

template <class Field>
void fields(Field& field, FocalOptions& o) {
  field("alpha", o.alpha, "weight of an answer that is yes; of one that is no: the rest", between(0.0, 1.0));
  field("gamma", o.gamma, "power of the probability of the wrong answer; 0: cross-entropy", between(0.0, 10.0));
}

// Σ α_t (1 - p_t)^γ (-log p_t) over all classes of all rows that are not kIgnored (anchors.h), a scalar. logits [rows, classes], labels
// [rows] i64: a class, kBackground or kIgnored. Finite for logits of any size. One operator with its own backward, which has no
// second derivative: create_graph throws Error. Throws Error on other shapes.
at::Tensor focal_loss(const at::Tensor& logits, const at::Tensor& labels, const FocalOptions& options);

}  // namespace zoo::bit
