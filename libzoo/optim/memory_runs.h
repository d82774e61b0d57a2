// Which tensors a loop over raw memory may take together. For this room only.
#pragma once

#include <ATen/core/Tensor.h>

namespace zoo::optim {

// A parameter on the CPU without gaps in memory, and a gradient whose values lie in the same order.
inline bool in_one_run(const at::Tensor& parameter, const at::Tensor& grad) {
  const auto type = parameter.scalar_type();
  return parameter.device().is_cpu() && (type == at::kFloat || type == at::kDouble) && grad.scalar_type() == type &&
         grad.layout() == at::kStrided && parameter.is_non_overlapping_and_dense() && grad.strides() == parameter.strides();
}

}  // namespace zoo::optim
