// Products of matrices in the threads of the pool: our own kernels for float32 and bfloat16 on processors with AVX-512, else at::mm.
#pragma once

#include <libzoo/nn/kernels/matmul.h>

#include <ATen/core/Tensor.h>

#include <optional>

namespace zoo::nn {

struct Normals {
  std::optional<kernels::Normal> of_a, of_b;  // only where has_own_product
};

// `result` in the type of the factors, or float32 for factors in bfloat16.
bool has_own_product(const at::Tensor& result, const at::Tensor& a, const at::Tensor& b);

// result = a · b, plus `addend` if it is defined: a matrix that lies as `result` does, or that itself.
void multiply(const at::Tensor& result, const at::Tensor& a, const at::Tensor& b, const at::Tensor& addend = {},
              const Normals& normals = {});

// result = a · b for long sums, in float32. They are divided into parts, each the work of one thread, that are added up: by shape alone,
// so that results don't depend on the number of threads.
void multiply_deep(const at::Tensor& result, const at::Tensor& a, const at::Tensor& b, const std::optional<kernels::Normal>& normal_b = {});

}  // namespace zoo::nn
