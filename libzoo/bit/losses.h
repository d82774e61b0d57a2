// Losses of BiT's pre-training on many-label data and of its distillation. One value an example, for the caller to average.
//
//   auto loss = sigmoid_cross_entropy(logits, targets).mean();
//   auto loss = distillation_loss(teacher->forward(x), student->forward(x), 1.0).mean();
#pragma once

#include <ATen/core/Tensor.h>

namespace zoo::bit {

// Binary cross-entropy of each logit, summed over classes (21k upstream loss; big_vision utils.sigmoid_xent).
// logits, targets [rows, classes] -> [rows]. Stable for any finite logit.
at::Tensor sigmoid_cross_entropy(const at::Tensor& logits, const at::Tensor& targets);

// t² KL(softmax(teacher / t) || softmax(student / t)), [rows]; no gradient flows into the teacher (Beyer et al. 2021,
// arXiv 2106.05237; big_vision distance.py "kl", whose probabilities are clamped at 1e-8 inside the teacher's entropy).
// Throws Error unless both are [rows, classes] and temperature > 0.
at::Tensor distillation_loss(const at::Tensor& teacher_logits, const at::Tensor& student_logits, double temperature);

}  // namespace zoo::bit
