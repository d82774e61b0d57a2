// Which tensors a loop over raw memory may take together. For this room only.
#pragma once

#include <ATen/core/Tensor.h>

namespace zoo::optim {

// A parameter without gaps in memory, and a gradient of its type beside it, whose values lie in the same order.
inline bool in_one_run(const at::Tensor& parameter, const at::Tensor& grad) {
  return grad.scalar_type() == parameter.scalar_type() && grad.device() == parameter.device() && grad.layout() == at::kStrided &&
         parameter.is_non_overlapping_and_dense() && grad.strides() == parameter.strides();
}

// A type that the loops on the processor are there for.
inline bool has_cpu_loops(const at::Tensor& parameter) {
  const auto type = parameter.scalar_type();
  return parameter.device().is_cpu() && (type == at::kFloat || type == at::kDouble);
}

}  // namespace zoo::optim
