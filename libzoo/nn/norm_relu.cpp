#include <libzoo/io/parallel_for.h>
#include <libzoo/nn/first_derivative.h>
#include <libzoo/nn/kernels/batch_norm.h>
#include <libzoo/nn/norm_relu.h>

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <functional>
#include <optional>

namespace zoo::nn {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr int64_t kBlock = 65536;  // values that a thread takes at a time

bool rows_of_channels(const at::Tensor& x) {
  if (x.dim() == 4) return x.is_contiguous(at::MemoryFormat::ChannelsLast);
  return x.dim() == 2 && x.is_contiguous();
}

// A tensor as the kernels see it.
struct Rows {
  int64_t rows, channels, each;  // `each`: rows of a block

  explicit Rows(const at::Tensor& x)
      : rows(x.numel() / x.size(1)), channels(x.size(1)), each(std::max<int64_t>(16, kBlock / std::max<int64_t>(channels, 1))) {}

  int64_t blocks() const { return (rows + each - 1) / each; }
  // work(block, first value, rows)
  void for_blocks(const std::function<void(int64_t, int64_t, int64_t)>& work) const {
    io::parallel_for(0, blocks(), 1, [&](int64_t first, int64_t last) {
      for (int64_t b = first; b < last; ++b) work(b, b * each * channels, std::min(each, rows - b * each));
    });
  }
  // Sums of two numbers for each channel, [2, channels] f64: block by block, in order, whatever the threads.
  at::Tensor sums(const std::function<void(int64_t first, int64_t rows, double* sums)>& add) const {
    const auto parts = at::zeros({blocks(), 2, channels}, at::kDouble);
    double* first_part = parts.data_ptr<double>();
    for_blocks([&](int64_t b, int64_t first, int64_t count) { add(first, count, first_part + b * 2 * channels); });
    return parts.sum(0);
  }
};

at::Tensor floats(const at::Tensor& values) { return values.to(at::kFloat).contiguous(); }
const float* values_of(const at::Tensor& tensor) { return tensor.defined() ? tensor.const_data_ptr<float>() : nullptr; }
const float* from(const float* values, int64_t first) { return values ? values + first : nullptr; }

void transform(const Rows& shape, const at::Tensor& x, const at::Tensor& added, const at::Tensor& scale, const at::Tensor& shift, bool relu,
               at::Tensor& y) {
  const float *in = values_of(x), *more = values_of(added), *by = values_of(scale), *plus = values_of(shift);
  float* out = y.data_ptr<float>();
  shape.for_blocks([&](int64_t, int64_t first, int64_t rows) {
    kernels::norm_apply(in + first, from(more, first), rows, shape.channels, by, plus, relu, out + first);
  });
}

// Factor and addend of each channel, f32.
std::pair<at::Tensor, at::Tensor> affine(const at::Tensor& weight, const at::Tensor& bias, const at::Tensor& mean, const at::Tensor& rstd) {
  const auto scale = weight.to(at::kDouble) * rstd;
  const auto shift = mean.neg() * scale;
  return {floats(scale), floats(bias.defined() ? shift + bias.to(at::kDouble) : shift)};
}

// Functions take no undefined tensors.
std::optional<at::Tensor> if_defined(const at::Tensor& tensor) { return tensor.defined() ? std::optional(tensor) : std::nullopt; }

struct NormReluFunction : torch::autograd::Function<NormReluFunction> {
  static variable_list forward(AutogradContext* ctx, const at::Tensor& x, const std::optional<at::Tensor>& given_added,
                               const at::Tensor& weight, const std::optional<at::Tensor>& given_bias, double eps, bool relu) {
    const at::Tensor added = given_added.value_or(at::Tensor()), bias = given_bias.value_or(at::Tensor());
    const Rows shape(x);
    // About the first row: a mean far from zero then costs no digits.
    const float* in = values_of(x);
    const auto sums =
        shape.sums([&](int64_t first, int64_t rows, double* to) { kernels::norm_sums(in + first, rows, shape.channels, in, to); });
    const auto first_row = at::from_blob(const_cast<float*>(in), {shape.channels}, at::kFloat).to(at::kDouble);
    const auto over = sums[0] / double(shape.rows), mean = first_row + over;
    const auto variance = (sums[1] / double(shape.rows) - over.square()).clamp_min(0), rstd = (variance + eps).rsqrt();
    const auto [scale, shift] = affine(weight, bias, mean, rstd);
    at::Tensor y = at::empty_like(x);
    transform(shape, x, added, scale, shift, relu, y);
    ctx->save_for_backward({x, relu ? y : at::Tensor(), weight, mean, rstd});
    ctx->saved_data["bias"] = bias.defined();
    ctx->saved_data["added"] = added.defined();
    ctx->mark_non_differentiable({mean, variance});
    return {y, mean, variance};
  }

  static variable_list backward(AutogradContext* ctx, variable_list gradients) {
    require_first_derivative("norm_relu");
    const auto saved = ctx->get_saved_variables();
    const auto &x = saved[0], &y = saved[1], &weight = saved[2], &mean = saved[3], &rstd = saved[4];
    const bool has_added = ctx->saved_data["added"].toBool();
    auto grad = gradients[0];
    if (grad.strides() != x.strides()) grad = at::empty_like(x).copy_(grad);
    const Rows shape(x);
    at::Tensor masked;
    if (has_added && y.defined()) masked = at::empty_like(x);
    const auto centre = floats(mean);
    float* to_masked = masked.defined() ? masked.data_ptr<float>() : nullptr;
    const auto sums = shape.sums([&](int64_t first, int64_t rows, double* to) {
      kernels::norm_grad_sums(values_of(grad) + first, from(values_of(y), first), values_of(x) + first, rows, shape.channels,
                              values_of(centre), to, to_masked ? to_masked + first : nullptr);
    });
    const double n = double(shape.rows);
    const auto of_weight = sums[1] * rstd;  // Σ grad · normalised x
    const auto of_grad = weight.to(at::kDouble) * rstd, of_x = of_grad * rstd * of_weight / -n;
    const auto constant = of_grad * sums[0] / -n - of_x * mean;
    const auto a = floats(of_grad), b = floats(of_x), c = floats(constant);
    at::Tensor dx = at::empty_like(x);
    float* out = dx.data_ptr<float>();
    const at::Tensor& passed = masked.defined() ? masked : grad;
    const float* mask = masked.defined() ? nullptr : values_of(y);
    shape.for_blocks([&](int64_t, int64_t first, int64_t rows) {
      kernels::norm_grad_apply(values_of(passed) + first, from(mask, first), values_of(x) + first, rows, shape.channels, values_of(a),
                               values_of(b), values_of(c), out + first);
    });
    variable_list result(6);
    result[0] = dx;
    if (has_added) result[1] = passed;
    result[2] = floats(of_weight);
    if (ctx->saved_data["bias"].toBool()) result[3] = floats(sums[0]);
    return result;
  }
};

}  // namespace

bool norm_relu_fits(const at::Tensor& x, const at::Tensor& added) {
  return x.is_cpu() && x.scalar_type() == at::kFloat && x.numel() > 0 && rows_of_channels(x) &&
         (!added.defined() || (added.scalar_type() == at::kFloat && added.sizes() == x.sizes() && added.strides() == x.strides()));
}

BatchStatistics norm_relu_training(const at::Tensor& x, const at::Tensor& added, const at::Tensor& weight, const at::Tensor& bias,
                                   double eps, bool relu) {
  const auto results = NormReluFunction::apply(x, if_defined(added), weight, if_defined(bias), eps, relu);
  return {results[0], results[1], results[2]};
}

at::Tensor norm_relu_inference(const at::Tensor& x, const at::Tensor& added, const at::Tensor& weight, const at::Tensor& bias,
                               const at::Tensor& mean, const at::Tensor& variance, double eps, bool relu) {
  const at::NoGradGuard no_grad;
  const auto [scale, shift] = affine(weight, bias, mean.to(at::kDouble), (variance.to(at::kDouble) + eps).rsqrt());
  at::Tensor y = at::empty_like(x);
  transform(Rows(x), x, added, scale, shift, relu, y);
  return y;
}

}  // namespace zoo::nn
