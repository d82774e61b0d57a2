#include <libzoo/nn/bias_conv.h>
#include <libzoo/nn/convolution.h>

#include <ATen/ATen.h>

namespace zoo::nn {

BiasConv2dImpl::BiasConv2dImpl(const BiasConv2dOptions& options_) : options(options_) { reset(); }

void BiasConv2dImpl::reset() {
  weight = register_parameter("weight", at::zeros({options.out_channels, options.in_channels, options.kernel, options.kernel}));
  bias = register_parameter("bias", at::zeros({options.out_channels}));
}

at::Tensor BiasConv2dImpl::forward(const at::Tensor& x) {
  return conv2d(x, weight, options.stride, options.padding).add_(bias.view({1, -1, 1, 1}));
}

}  // namespace zoo::nn
