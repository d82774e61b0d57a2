#include <libzoo/io/parallel_for.h>
#include <libzoo/nn/convolution.h>
#include <libzoo/nn/first_derivative.h>
#include <libzoo/nn/kernels/standardize.h>
#include <libzoo/nn/std_conv.h>
#include <libzoo/nn/typed.h>
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

kernels::FilterStatistics statistics_in(const at::Tensor& rows) {
  auto* values = rows.data_ptr<double>();
  return {values, values + rows.size(1), values + 2 * rows.size(1)};
}

// Calls work(T(), S()): the types of weight and result.
template <class F>
void with_types(at::ScalarType weight, at::ScalarType result, F work) {
  if (weight == at::kDouble)
    work(double(), double());
  else if (result == at::kFloat)
    work(float(), float());
  else
    work(float(), kernels::BFloat16());
}

struct StandardizeFunction : torch::autograd::Function<StandardizeFunction> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& given, double eps, bool outside, at::ScalarType type) {
    const auto weight = filters_are_runs(given) ? given : given.contiguous(given.suggest_memory_format());
    auto result = at::empty_like(weight, weight.options().dtype(type));
    const auto rows = at::empty({3, weight.size(0)}, at::kDouble);
    with_types(weight.scalar_type(), type, [&](auto t, auto s) {
      for_filters(weight, [&](int64_t count, int64_t first, int64_t last) {
        kernels::standardize(values<decltype(t)>(weight), mutable_values<decltype(s)>(result), statistics_in(rows), count, eps, outside,
                             first, last);
      });
    });
    ctx->save_for_backward({weight, rows});
    return result;
  }

  static variable_list backward(AutogradContext* ctx, variable_list gradients) {
    require_first_derivative("weight standardisation");
    const auto saved = ctx->get_saved_variables();
    const auto weight = saved[0].detach();
    auto grad = gradients[0];
    if (grad.strides() != weight.strides()) grad = at::empty_like(weight, grad.options()).copy_(grad);
    auto grad_weight = at::empty_like(weight);
    with_types(weight.scalar_type(), grad.scalar_type(), [&](auto t, auto s) {
      for_filters(weight, [&](int64_t count, int64_t first, int64_t last) {
        kernels::standardize_backward(values<decltype(s)>(grad), values<decltype(t)>(weight), statistics_in(saved[1]),
                                      mutable_values<decltype(t)>(grad_weight), count, first, last);
      });
    });
    return {grad_weight, at::Tensor(), at::Tensor(), at::Tensor()};
  }
};

at::Tensor standardize_composed(const at::Tensor& weight, double eps, EpsMode mode) {
  const auto filters = weight.flatten(1).to(at::kDouble);
  const auto centred = filters - filters.mean(1, true);
  const auto variance = centred.square().mean(1, true);
  const auto scaled = mode == EpsMode::inside ? centred / (variance + eps).sqrt() : centred / (variance.sqrt() + eps);
  return scaled.view(weight.sizes());
}

}  // namespace

at::Tensor standardize_weight(const at::Tensor& weight, double eps, EpsMode mode, std::optional<at::ScalarType> wanted) {
  const auto own = weight.scalar_type(), type = wanted.value_or(own);
  if (weight.numel() == 0) return weight.to(type);
#ifdef ZOO_HAS_CUDA
  if (weight.is_cuda() && own != at::kDouble && type != at::kDouble) return cuda_standardize_weight(weight.to(at::kFloat), eps, mode, type);
#endif
  if (!weight.device().is_cpu()) return standardize_composed(weight, eps, mode).to(type);
  if (own != at::kFloat && own != at::kDouble) return standardize_weight(weight.to(at::kFloat), eps, mode, type);
  const auto computed = own == at::kDouble || type != at::kBFloat16 ? own : type;
  return StandardizeFunction::apply(weight, eps, mode == EpsMode::outside, computed).to(type);
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

at::Tensor StdConv2dImpl::standardized(std::optional<at::ScalarType> wanted) const {
  const auto type = wanted.value_or(weight.scalar_type());
  if (is_training() || at::GradMode::is_enabled()) return standardize_weight(weight, options.eps, options.eps_mode, type);
  auto kept = std::atomic_load(&kept_);
  const auto version = uint32_t(weight._version());
  if (!kept || kept->version != version || !kept->source.is_alias_of(weight) || kept->source.strides() != weight.strides() ||
      kept->result.scalar_type() != type) {
    const c10::InferenceMode normal_tensors(false);  // what is kept may meet autograd later
    at::NoGradGuard no_grad;
    kept = std::make_shared<const Kept>(weight.detach(), version, standardize_weight(weight, options.eps, options.eps_mode, type));
    std::atomic_store(&kept_, kept);
  }
  return kept->result;
}

at::Tensor StdConv2dImpl::forward(const at::Tensor& x) { return conv2d(x, standardized(x.scalar_type()), options.stride, options.padding); }

}  // namespace zoo::nn
