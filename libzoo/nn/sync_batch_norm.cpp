#include <libzoo/nn/batch_norm.h>
#include <libzoo/nn/first_derivative.h>

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include <numeric>
#include <optional>

namespace zoo::nn {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// All dimensions but the channels.
std::vector<int64_t> reduced(const at::Tensor& x) {
  std::vector<int64_t> dimensions(size_t(x.dim()));
  std::iota(dimensions.begin(), dimensions.end(), 0);
  dimensions.erase(dimensions.begin() + 1);
  return dimensions;
}

at::Tensor per_channel(const at::Tensor& values, const at::Tensor& x) {
  std::vector<int64_t> shape(size_t(x.dim()), 1);
  shape[1] = values.size(0);
  return values.to(at::promote_types(x.scalar_type(), at::kFloat)).view(shape);
}

struct Statistics {
  at::Tensor mean, variance, count;  // f64; the count a scalar
};

// Means and squares about them are taken on each rank and put together in float64, so that a mean far from zero costs no digits.
Statistics statistics(const at::Tensor& x, const SumOverRanks& sum) {
  const int64_t channels = x.size(1);
  const auto doubles = x.options().dtype(at::kDouble);
  auto flat = at::zeros({3 * channels + 1}, doubles);
  auto means = flat.slice(0, 0, channels), squares = flat.slice(0, channels, 2 * channels),
       spreads = flat.slice(0, 2 * channels, 3 * channels), count = flat.slice(0, 3 * channels);
  if (x.numel() > 0) {
    const double n = double(x.numel() / channels);
    const auto [variance, mean] = at::var_mean(x.to(at::promote_types(x.scalar_type(), at::kFloat)), reduced(x), /*unbiased=*/false);
    means.copy_(mean).mul_(n);
    squares.copy_(mean).square_().mul_(n);
    spreads.copy_(variance).mul_(n);
    count.fill_(n);
  }
  sum(flat);
  const auto mean = means / count;
  return {mean, (spreads + squares) / count - mean.square(), count};
}

struct SyncFunction : torch::autograd::Function<SyncFunction> {
  static variable_list forward(AutogradContext* ctx, const at::Tensor& x, const at::Tensor& weight, const std::optional<at::Tensor>& bias,
                               double eps, const SumOverRanks& sum) {
    const auto [mean, raw_variance, count] = statistics(x, sum);
    const auto variance = raw_variance.clamp_min(0);
    const auto rstd = (variance + eps).rsqrt();
    const auto scale = weight.to(at::kDouble) * rstd;
    const auto shift = (bias ? bias->to(at::kDouble) : at::zeros_like(mean)) - mean * scale;
    const auto y = at::addcmul(per_channel(shift, x), x, per_channel(scale, x)).to(x.scalar_type());
    ctx->save_for_backward({x, weight, mean, rstd, count});
    ctx->saved_data["has_bias"] = bias.has_value();
    ctx->saved_data["sum"] = c10::IValue::make_capsule(c10::make_intrusive<Held>(sum));
    ctx->mark_non_differentiable({mean, variance, count});
    return {y, mean, variance, count};
  }

  static variable_list backward(AutogradContext* ctx, variable_list gradients) {
    require_first_derivative("sync_batch_norm");
    const auto saved = ctx->get_saved_variables();
    const auto &x = saved[0], &weight = saved[1], &mean = saved[2], &rstd = saved[3], &count = saved[4];
    const auto dy = gradients[0].to(at::promote_types(x.scalar_type(), at::kFloat));
    const auto normal = (x - per_channel(mean, x)) * per_channel(rstd, x);
    const int64_t channels = x.size(1);
    auto sums = at::cat({dy.sum(reduced(x)), (dy * normal).sum(reduced(x))}).to(at::kDouble);
    const auto own = sums.clone();
    static_cast<Held*>(ctx->saved_data["sum"].toCapsule().get())->sum(sums);
    const auto of_dy = sums.slice(0, 0, channels) / count, of_product = sums.slice(0, channels) / count;
    const auto dx = (dy - per_channel(of_dy, x) - normal * per_channel(of_product, x)) * per_channel(weight.to(at::kDouble) * rstd, x);
    variable_list result(5);
    result[0] = dx.to(x.scalar_type());
    result[1] = own.slice(0, channels).to(weight.scalar_type());
    if (ctx->saved_data["has_bias"].toBool()) result[2] = own.slice(0, 0, channels).to(weight.scalar_type());
    return result;
  }

  struct Held : torch::CustomClassHolder {
    explicit Held(SumOverRanks held) : sum(std::move(held)) {}
    SumOverRanks sum;
  };
};

}  // namespace

SyncBatchNorm sync_batch_norm(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, double eps, const SumOverRanks& sum) {
  const auto results = SyncFunction::apply(x, weight, bias.defined() ? std::optional(bias) : std::nullopt, eps, sum);
  return {results[0], results[1], results[2], results[3].item().toLong()};
}

}  // namespace zoo::nn
