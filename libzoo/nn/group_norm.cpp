#include <libzoo/core/error.h>
#include <libzoo/nn/group_norm.h>

#include <ATen/ATen.h>

#include <fmt/format.h>

namespace zoo::nn {

at::Tensor group_norm_relu(const at::Tensor& x, const at::Tensor& gamma, const at::Tensor& beta, int64_t groups, double eps, bool relu) {
  if (groups < 1 || x.dim() < 2 || x.size(1) % groups != 0) {
    throw UserError(fmt::format("group norm: {} channels cannot be divided into {} groups", x.dim() < 2 ? 0 : x.size(1), groups));
  }
  auto y = at::group_norm(x, groups, gamma, beta, eps);
  return relu ? at::relu(y) : y;
}

GroupNormImpl::GroupNormImpl(const GroupNormOptions& options_) : options(options_) { reset(); }

void GroupNormImpl::reset() {
  if (options.groups < 1 || options.channels % options.groups != 0) {
    throw UserError(fmt::format("group norm: {} channels cannot be divided into {} groups", options.channels, options.groups));
  }
  weight = register_parameter("weight", at::ones({options.channels}));
  bias = register_parameter("bias", at::zeros({options.channels}));
}

at::Tensor GroupNormImpl::forward(const at::Tensor& x) {
  return group_norm_relu(x, weight, bias, options.groups, options.eps, options.relu);
}

}  // namespace zoo::nn
