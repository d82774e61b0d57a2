// From tensors to the loops on raw memory, for the types that there are loops for: float32, float64 and bfloat16.
#pragma once

#include <libzoo/nn/kernels/bfloat16.h>

#include <ATen/core/Tensor.h>

namespace zoo::nn {

inline bool has_loops(at::ScalarType type) { return type == at::kFloat || type == at::kDouble || type == at::kBFloat16; }

// Calls work(S()) with S the kernels' name of a type that has loops.
template <class F>
void with_type(at::ScalarType type, F work) {
  if (type == at::kFloat)
    work(float());
  else if (type == at::kDouble)
    work(double());
  else
    work(kernels::BFloat16());
}

template <class F>
void with_float_or_bfloat16(const at::Tensor& x, F work) {
  x.scalar_type() == at::kFloat ? work(float()) : work(kernels::BFloat16());
}

template <class S>
const S* values(const at::Tensor& x) {
  return static_cast<const S*>(x.const_data_ptr());
}
template <class S>
S* mutable_values(const at::Tensor& x) {
  return static_cast<S*>(x.mutable_data_ptr());
}

}  // namespace zoo::nn
