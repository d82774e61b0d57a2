// Learning from a teacher's probabilities (SimCLR v2, Chen et al. 2020, arXiv 2006.10029).
#pragma once

#include <ATen/core/Tensor.h>

namespace zoo::simclr {

// temperature² · cross-entropy(softmax(teacher / temperature), student / temperature), the mean over the batch. Logits [batch, classes];
// no gradient reaches the teacher's. Throws UserError if the shapes differ or the temperature is not positive.
at::Tensor distillation_loss(const at::Tensor& student_logits, const at::Tensor& teacher_logits, double temperature);

}  // namespace zoo::simclr
