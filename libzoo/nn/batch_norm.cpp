#include <libzoo/core/error.h>
#include <libzoo/nn/batch_norm.h>

#include <ATen/ATen.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace zoo::nn {

BatchNormImpl::BatchNormImpl(const BatchNormOptions& options_) : options(options_) { reset(); }

void BatchNormImpl::reset() {
  const auto& o = options;
  if (o.channels < 1) throw Error(fmt::format("batch norm of {} channels", o.channels));
  weight = register_parameter("weight", at::full({o.channels}, o.initial_weight));
  if (o.bias) bias = register_parameter("bias", at::zeros({o.channels}));
  running_mean = register_buffer("running_mean", at::zeros({o.channels}));
  running_var = register_buffer("running_var", at::ones({o.channels}));
}

at::Tensor BatchNormImpl::forward(const at::Tensor& x) {
  if (x.dim() < 2 || x.size(1) != options.channels)
    throw Error(fmt::format("batch norm of {} channels can't take [{}]", options.channels, fmt::join(x.sizes(), ", ")));
  if (!is_training()) return at::batch_norm(x, weight, bias, running_mean, running_var, false, options.momentum, options.eps, true);
  const int64_t values = x.numel() / options.channels;
  if (values < 2)
    throw UserError(fmt::format("batch norm in training needs more than one value per channel, got [{}]", fmt::join(x.sizes(), ", ")),
                    "use a larger batch");
  const auto [y, mean, rstd] = at::native_batch_norm(x, weight, bias, {}, {}, true, options.momentum, options.eps);
  const at::NoGradGuard no_grad;
  auto variance = rstd.to(running_var.scalar_type()).square().reciprocal_().sub_(options.eps);
  if (options.unbiased_running_var) variance.mul_(double(values) / double(values - 1));
  running_mean.lerp_(mean.to(running_mean.scalar_type()), options.momentum);
  running_var.lerp_(variance, options.momentum);
  return y;
}

}  // namespace zoo::nn
