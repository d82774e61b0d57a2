#include <libzoo/nn/std_conv.h>

#include <ATen/ATen.h>

namespace zoo::nn {

at::Tensor standardize_weight(const at::Tensor& weight, double eps, EpsMode mode) {
  const auto filters = weight.flatten(1).to(at::kDouble);
  const auto centred = filters - filters.mean(1, true);
  const auto variance = centred.square().mean(1, true);
  const auto scaled = mode == EpsMode::inside ? centred / (variance + eps).sqrt() : centred / (variance.sqrt() + eps);
  return scaled.to(weight.scalar_type()).view(weight.sizes());
}

StdConv2dImpl::StdConv2dImpl(const StdConv2dOptions& options_) : options(options_) { reset(); }

void StdConv2dImpl::reset() {
  weight = register_parameter("weight", at::zeros({options.out_channels, options.in_channels, options.kernel, options.kernel}));
}

at::Tensor StdConv2dImpl::forward(const at::Tensor& x) {
  return at::conv2d(x, standardize_weight(weight, options.eps, options.eps_mode), {}, options.stride, options.padding);
}

}  // namespace zoo::nn
