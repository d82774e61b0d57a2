#include <libzoo/core/error.h>
#include <libzoo/nn/batch_norm.h>
#include <libzoo/nn/norm_relu.h>

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

at::Tensor BatchNormImpl::apply(const at::Tensor& x, const at::Tensor& added, bool relu) {
  if (x.dim() < 2 || x.size(1) != options.channels)
    throw Error(fmt::format("batch norm of {} channels can't take [{}]", options.channels, fmt::join(x.sizes(), ", ")));
  if (norm_relu_fits(x, added) && weight.scalar_type() == at::kFloat && !sum_over_ranks) {
    if (is_training()) {
      const int64_t values = x.numel() / options.channels;
      require_several(values, x.sizes());
      const auto result = norm_relu_training(x, added, weight, bias, options.eps, relu);
      follow(result.mean, result.variance, values);
      return result.y;
    }
    const bool wants_gradients = x.requires_grad() || weight.requires_grad() || (added.defined() && added.requires_grad());
    if (!(at::GradMode::is_enabled() && wants_gradients))
      return norm_relu_inference(x, added, weight, bias, running_mean, running_var, options.eps, relu);
  }
  auto y = normalized(x);
  if (added.defined()) y = y + added;
  return relu ? at::relu(y) : y;
}

at::Tensor BatchNormImpl::normalized(const at::Tensor& x) {
  if (!is_training()) return at::batch_norm(x, weight, bias, running_mean, running_var, false, options.momentum, options.eps, true);
  if (sum_over_ranks) {
    const auto result = sync_batch_norm(x, weight, bias, options.eps, sum_over_ranks);
    require_several(result.values, x.sizes());
    follow(result.mean, result.variance, result.values);
    return result.y;
  }
  const int64_t values = x.numel() / options.channels;
  require_several(values, x.sizes());
  const auto [y, mean, rstd] = at::native_batch_norm(x, weight, bias, {}, {}, true, options.momentum, options.eps);
  const at::NoGradGuard no_grad;
  follow(mean, rstd.to(running_var.scalar_type()).square().reciprocal_().sub_(options.eps), values);
  return y;
}

void BatchNormImpl::require_several(int64_t values, at::IntArrayRef shape) const {
  if (values < 2)
    throw UserError(fmt::format("batch norm in training needs more than one value per channel, got [{}]", fmt::join(shape, ", ")),
                    "use a larger batch");
}

void BatchNormImpl::follow(const at::Tensor& mean, const at::Tensor& variance, int64_t values) {
  const at::NoGradGuard no_grad;
  const double scale = options.unbiased_running_var ? double(values) / double(values - 1) : 1;
  running_mean.lerp_(mean.to(running_mean.scalar_type()), options.momentum);
  running_var.lerp_(variance.to(running_var.scalar_type()) * scale, options.momentum);
}

void synchronize_batch_norms(torch::nn::Module& module, const SumOverRanks& sum) {
  for (const auto& part : module.modules())
    if (auto norm = std::dynamic_pointer_cast<BatchNormImpl>(part)) norm->sum_over_ranks = sum;
}

}  // namespace zoo::nn
