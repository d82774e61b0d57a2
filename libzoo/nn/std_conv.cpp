#include <libzoo/io/parallel_for.h>
#include <libzoo/nn/convolution.h>
#include <libzoo/nn/first_derivative.h>
#include <libzoo/nn/kernels/standardize.h>
#include <libzoo/nn/std_conv.h>
#ifdef ZOO_HAS_CUDA
#include <libzoo/nn/cuda_operators.h>
#endif

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>

namespace zoo::nn {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr int64_t kGrain = 32768;  // values per thread at least

// Filters one after another in memory; the order within one is free.
bool filters_are_runs(const at::Tensor& weight) {
  return weight.is_non_overlapping_and_dense() && (weight.size(0) == 1 || weight.stride(0) * weight.size(0) == weight.numel());
}

template <class F>
void for_filters(const at::Tensor& weight, F work) {
  const int64_t count = weight.numel() / weight.size(0);
  io::parallel_for(0, weight.size(0), std::max<int64_t>(1, kGrain / count), [&](int64_t first, int64_t last) { work(count, first, last); });
}

struct StandardizeFunction : torch::autograd::Function<StandardizeFunction> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& given, double eps, bool outside) {
    const auto weight = filters_are_runs(given) ? given : given.contiguous(given.suggest_memory_format());
    auto result = at::empty_like(weight);
    const auto scale = at::empty({weight.size(0)}, at::kDouble), share = at::empty({weight.size(0)}, at::kDouble);
    for_filters(weight, [&](int64_t count, int64_t first, int64_t last) {
      const auto run = [&](auto* from, auto* to) {
        kernels::standardize(from, to, scale.data_ptr<double>(), share.data_ptr<double>(), count, eps, outside, first, last);
      };
      if (weight.scalar_type() == at::kFloat)
        run(weight.const_data_ptr<float>(), result.data_ptr<float>());
      else
        run(weight.const_data_ptr<double>(), result.data_ptr<double>());
    });
    ctx->save_for_backward({result, scale, share});
    return result;
  }

  static variable_list backward(AutogradContext* ctx, variable_list gradients) {
    require_first_derivative("weight standardisation");
    const auto saved = ctx->get_saved_variables();
    const auto& result = saved[0];
    auto grad = gradients[0];
    if (grad.strides() != result.strides()) grad = at::empty_like(result).copy_(grad);
    auto grad_weight = at::empty_like(result);
    for_filters(result, [&](int64_t count, int64_t first, int64_t last) {
      const auto run = [&](auto* above, auto* standard, auto* to) {
        kernels::standardize_backward(above, standard, saved[1].const_data_ptr<double>(), saved[2].const_data_ptr<double>(), to, count,
                                      first, last);
      };
      if (result.scalar_type() == at::kFloat)
        run(grad.const_data_ptr<float>(), result.const_data_ptr<float>(), grad_weight.data_ptr<float>());
      else
        run(grad.const_data_ptr<double>(), result.const_data_ptr<double>(), grad_weight.data_ptr<double>());
    });
    return {grad_weight, at::Tensor(), at::Tensor()};
  }
};

at::Tensor standardize_composed(const at::Tensor& weight, double eps, EpsMode mode) {
  const auto filters = weight.flatten(1).to(at::kDouble);
  const auto centred = filters - filters.mean(1, true);
  const auto variance = centred.square().mean(1, true);
  const auto scaled = mode == EpsMode::inside ? centred / (variance + eps).sqrt() : centred / (variance.sqrt() + eps);
  return scaled.to(weight.scalar_type()).view(weight.sizes());
}

}  // namespace

at::Tensor standardize_weight(const at::Tensor& weight, double eps, EpsMode mode) {
  if (weight.numel() == 0) return weight;
#ifdef ZOO_HAS_CUDA
  if (weight.is_cuda() && weight.scalar_type() != at::kDouble)
    return cuda_standardize_weight(weight.to(at::kFloat), eps, mode, weight.scalar_type());
#endif
  if (!weight.device().is_cpu()) return standardize_composed(weight, eps, mode);
  if (weight.scalar_type() != at::kFloat && weight.scalar_type() != at::kDouble) {
    return standardize_weight(weight.to(at::kFloat), eps, mode).to(weight.scalar_type());
  }
  return StandardizeFunction::apply(weight, eps, mode == EpsMode::outside);
}

StdConv2dImpl::StdConv2dImpl(const StdConv2dOptions& options_) : options(options_) { reset(); }

void StdConv2dImpl::reset() {
  weight = register_parameter("weight", at::zeros({options.out_channels, options.in_channels, options.kernel, options.kernel}));
}

// `source` shares the weight's memory, so that no other weight can come to lie there; the version counts what is written to it.
struct StdConv2dImpl::Kept {
  at::Tensor source;
  uint32_t version;
  at::Tensor result;
};

at::Tensor StdConv2dImpl::standardized() const {
  if (is_training() || at::GradMode::is_enabled()) return standardize_weight(weight, options.eps, options.eps_mode);
  auto kept = std::atomic_load(&kept_);
  const auto version = uint32_t(weight._version());
  if (!kept || kept->version != version || !kept->source.is_alias_of(weight) || kept->source.strides() != weight.strides()) {
    const c10::InferenceMode normal_tensors(false);  // what is kept may meet autograd later
    at::NoGradGuard no_grad;
    kept = std::make_shared<const Kept>(weight.detach(), version, standardize_weight(weight, options.eps, options.eps_mode));
    std::atomic_store(&kept_, kept);
  }
  return kept->result;
}

at::Tensor StdConv2dImpl::forward(const at::Tensor& x) { return conv2d(x, standardized(), options.stride, options.padding); }

}  // namespace zoo::nn
