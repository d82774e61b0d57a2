#include <libzoo/nn/convolution.h>
#include <libzoo/nn/first_derivative.h>
#include <libzoo/nn/filtered_conv.h>
#include <libzoo/nn/products.h>
#include <libzoo/nn/typed.h>
#include <libzoo/nn/without_autograd.h>

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <optional>

namespace zoo::nn {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr auto kChannelsLast = at::MemoryFormat::ChannelsLast;
constexpr int64_t kFewPixels = 4;        // 2x2

// [batch, channels, h, w] in channels-last memory as a matrix [batch · h · w, channels] of the same memory.
at::Tensor as_rows(const at::Tensor& x) { return x.as_strided({x.size(0) * x.size(2) * x.size(3), x.size(1)}, {x.size(1), 1}); }

at::Tensor as_matrix(const at::Tensor& weight) { return weight.as_strided({weight.size(0), weight.size(1)}, {weight.size(1), 1}); }

at::Tensor every(const at::Tensor& x, int64_t stride) { return x.slice(2, 0, x.size(2), stride).slice(3, 0, x.size(3), stride); }

at::Tensor empty_image(const at::Tensor& like, int64_t batch, int64_t channels, int64_t height, int64_t width) {
  return at::empty({batch, channels, height, width}, like.options(), kChannelsLast);
}

void multiply_onto(const at::Tensor& result, const at::Tensor& a, const at::Tensor& b) { multiply(result, a, b, result); }

// The norm of a matrix whose rows are pixels of images of this size.
std::optional<kernels::Normal> normal_of(const FoldedNorm* norm, const at::Tensor& image) {
  if (!norm) return std::nullopt;
  const auto* table = norm->tables.const_data_ptr<float>();
  const int64_t apart = norm->tables.stride(0);
  return kernels::Normal{.mean = table,
                         .rest = table + apart,
                         .scale = table + 2 * apart,
                         .shift = table + 3 * apart,
                         .channels = norm->tables.size(2),
                         .pixels = image.size(2) * image.size(3),
                         .relu = norm->relu};
}

// A 1x1 kernel: y = x · wᵀ, row by row of pixels.
at::Tensor pointwise(const at::Tensor& x, const at::Tensor& weight, int64_t stride, const at::Tensor& addend, const FoldedNorm* norm) {
  const auto used = stride == 1 ? x : every(x, stride).contiguous(kChannelsLast);
  auto y = empty_image(x, used.size(0), weight.size(0), used.size(2), used.size(3));
  multiply(as_rows(y), as_rows(used), as_matrix(weight).t(), addend.defined() ? as_rows(addend) : addend, {.of_a = normal_of(norm, y)});
  return y;
}

ConvolutionGradients pointwise_backward(const at::Tensor& grad, const at::Tensor& x, const at::Tensor& weight, int64_t stride, bool of_x,
                                        bool of_weight, const FoldedNorm* norm, const at::Tensor& onto) {
  ConvolutionGradients result;
  if (of_x && stride == 1) {
    result.x = onto.defined() ? onto : empty_image(x, x.size(0), x.size(1), x.size(2), x.size(3));
    multiply(as_rows(result.x), as_rows(grad), as_matrix(weight), onto.defined() ? as_rows(onto) : onto);
  } else if (of_x) {
    const auto met = empty_image(x, x.size(0), x.size(1), grad.size(2), grad.size(3));
    multiply(as_rows(met), as_rows(grad), as_matrix(weight));
    result.x = onto.defined() ? onto : empty_image(x, x.size(0), x.size(1), x.size(2), x.size(3)).zero_();
    every(result.x, stride).add_(met);
  }
  if (of_weight) {
    result.weight = at::empty_like(weight);
    multiply_deep(as_matrix(result.weight), as_rows(grad).t(), as_rows(stride == 1 ? x : every(x, stride).contiguous(kChannelsLast)),
                  normal_of(norm, grad));
  }
  return result;
}

// For each output pixel and kernel row: the taps that meet the image, side by side in memory, in the weight as in the image.
struct Run {
  int64_t out;             // pixel of the output
  int64_t in;              // first pixel of the input
  int64_t tap;             // first tap
  int64_t length;          // pixels, taps
};

std::vector<Run> runs(int64_t height, int64_t width, int64_t kernel, int64_t stride, int64_t padding) {
  const int64_t rows = (height + 2 * padding - kernel) / stride + 1, columns = (width + 2 * padding - kernel) / stride + 1;
  std::vector<Run> result;
  for (int64_t out = 0; out < rows * columns; ++out) {
    const int64_t top = out / columns * stride - padding, left = out % columns * stride - padding;
    const int64_t first = std::max<int64_t>(left, 0), end = std::min(left + kernel, width);
    for (int64_t row = std::max<int64_t>(top, 0); row < std::min(top + kernel, height) && first < end; ++row) {
      result.push_back({out, row * width + first, (row - top) * kernel + first - left, end - first});
    }
  }
  return result;
}

// Parts of channels-last memory as matrices: `length` pixels of each image or taps of each filter, and all their channels.
at::Tensor part(const at::Tensor& x, int64_t first, int64_t length) {
  const int64_t channels = x.size(1);
  return x.as_strided({x.size(0), length * channels}, {x.size(2) * x.size(3) * channels, 1}, x.storage_offset() + first * channels);
}

at::Tensor few_pixels(const at::Tensor& x, const at::Tensor& weight, const Convolution& shape) {
  const int64_t kernel = weight.size(2);
  auto y = empty_image(x, x.size(0), weight.size(0), (x.size(2) + 2 * shape.padding - kernel) / shape.stride + 1,
                       (x.size(3) + 2 * shape.padding - kernel) / shape.stride + 1)
               .zero_();
  for (const auto& run : runs(x.size(2), x.size(3), kernel, shape.stride, shape.padding)) {
    multiply_onto(part(y, run.out, 1), part(x, run.in, run.length), part(weight, run.tap, run.length).t());
  }
  return y;
}

ConvolutionGradients few_pixels_backward(const at::Tensor& grad, const at::Tensor& x, const at::Tensor& weight, const Convolution& shape,
                                         bool of_x, bool of_weight) {
  ConvolutionGradients result;
  if (of_x) result.x = at::zeros_like(x, kChannelsLast);
  if (of_weight) result.weight = at::zeros_like(weight, kChannelsLast);
  for (const auto& run : runs(x.size(2), x.size(3), weight.size(2), shape.stride, shape.padding)) {
    const auto above = part(grad, run.out, 1);
    if (of_x) multiply_onto(part(result.x, run.in, run.length), above, part(weight, run.tap, run.length));
    if (of_weight) multiply_onto(part(result.weight, run.tap, run.length), above.t(), part(x, run.in, run.length));
  }
  return result;
}

ConvolutionGradients library_backward(const at::Tensor& grad, const at::Tensor& x, const at::Tensor& weight, const Convolution& shape,
                                      bool of_x, bool of_weight) {
  if (!of_x && !of_weight) return {};
  auto [grad_x, grad_weight, none] =
      at::convolution_backward(grad, x, weight, c10::nullopt, {shape.stride, shape.stride}, {shape.padding, shape.padding}, {1, 1}, false,
                               {0, 0}, 1, {of_x, of_weight, false});
  return {grad_x, grad_weight};
}

at::Tensor filtered(const at::Tensor& x, const at::Tensor& weight, const Convolution& shape) {
  return filtering_pays(x, weight, shape.stride) ? filtered_convolve(x, weight, shape.stride)
                                                 : at::conv2d(x, weight, {}, shape.stride, shape.padding);
}

ConvolutionGradients filtered_backward(const at::Tensor& grad, const at::Tensor& x, const at::Tensor& weight, const Convolution& shape,
                                       bool of_x, bool of_weight) {
  const bool filter_x = of_x && filtering_pays(x, weight, shape.stride),
             filter_weight = of_weight && filtering_pays_for_weight(x, weight, shape.stride);
  auto result = library_backward(grad, x, weight, shape, of_x && !filter_x, of_weight && !filter_weight);
  if (filter_x) result.x = filtered_gradient_of_x(grad, x, weight, shape.stride);
  if (filter_weight) result.weight = filtered_gradient_of_weight(grad, x, weight, shape.stride);
  return result;
}

at::Tensor added(at::Tensor y, const at::Tensor& addend) { return addend.defined() ? y.add_(addend) : y; }

enum class Way { pointwise, few_pixels, filtered, library };

Way way_of(const at::Tensor& x, const at::Tensor& weight, const Convolution& shape) {
  const bool plain = x.device().is_cpu() && x.dim() == 4 && x.numel() > 0 && has_loops(x.scalar_type()) &&
                     x.scalar_type() == weight.scalar_type() && x.size(1) == weight.size(1) && x.is_contiguous(kChannelsLast);
  if (!plain) return Way::library;
  if (weight.size(2) == 1 && weight.size(3) == 1 && shape.padding == 0) return Way::pointwise;
  const int64_t kernel = weight.size(2), rows = x.size(2) + 2 * shape.padding - kernel, columns = x.size(3) + 2 * shape.padding - kernel;
  const bool few =
      kernel == weight.size(3) && rows >= 0 && columns >= 0 && (rows / shape.stride + 1) * (columns / shape.stride + 1) <= kFewPixels;
  if (few) return Way::few_pixels;
  return suits_filtering(x, weight, shape) ? Way::filtered : Way::library;
}

struct ConvolutionFunction : torch::autograd::Function<ConvolutionFunction> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& x, const at::Tensor& given_weight, int64_t stride, int64_t padding) {
    const auto weight = given_weight.contiguous(kChannelsLast);
    ctx->save_for_backward({x, weight});
    ctx->saved_data["stride"] = stride;
    ctx->saved_data["padding"] = padding;
    return convolve(x, weight, {stride, padding});
  }

  static variable_list backward(AutogradContext* ctx, variable_list gradients) {
    require_first_derivative("a convolution by matrix products");
    const auto saved = ctx->get_saved_variables();
    const auto result =
        convolve_backward(gradients[0], saved[0], saved[1], {ctx->saved_data["stride"].toInt(), ctx->saved_data["padding"].toInt()},
                          ctx->needs_input_grad(0), ctx->needs_input_grad(1));
    return {result.x, result.weight, at::Tensor(), at::Tensor()};
  }
};

}  // namespace

bool folds_norm(const at::Tensor& x, const at::Tensor& weight, const Convolution& shape) {
  const bool own = x.scalar_type() == at::kFloat      ? kernels::has_matmul()
                   : x.scalar_type() == at::kBFloat16 ? kernels::has_bfloat16_matmul() && x.size(1) <= kernels::kMostDepth
                                                      : false;
  return own && way_of(x, weight, shape) == Way::pointwise && x.size(1) % 16 == 0 && weight.size(0) % 16 == 0;
}

at::Tensor convolve(const at::Tensor& x, const at::Tensor& given_weight, const Convolution& shape, const at::Tensor& addend,
                    const FoldedNorm* norm) {
  const auto way = way_of(x, given_weight, shape);
  if (way == Way::library) return added(at::conv2d(x, given_weight, {}, shape.stride, shape.padding), addend);
  const auto weight = given_weight.contiguous(kChannelsLast);
  if (way == Way::pointwise) return pointwise(x, weight, shape.stride, addend.defined() ? addend.contiguous(kChannelsLast) : addend, norm);
  return added(way == Way::few_pixels ? few_pixels(x, weight, shape) : filtered(x, weight, shape), addend);
}

ConvolutionGradients convolve_backward(const at::Tensor& given_grad, const at::Tensor& x, const at::Tensor& given_weight,
                                       const Convolution& shape, bool of_x, bool of_weight, const FoldedNorm* norm,
                                       const at::Tensor& onto) {
  const auto way = way_of(x, given_weight, shape);
  const auto as_needed = [&](const at::Tensor& t) { return way == Way::library || !t.defined() ? t : t.contiguous(kChannelsLast); };
  const auto grad = as_needed(given_grad), weight = as_needed(given_weight);
  if (way == Way::pointwise) return pointwise_backward(grad, x, weight, shape.stride, of_x, of_weight, norm, as_needed(onto));
  auto result = way == Way::library      ? library_backward(grad, x, weight, shape, of_x, of_weight)
                : way == Way::few_pixels ? few_pixels_backward(grad, x, weight, shape, of_x, of_weight)
                                         : filtered_backward(grad, x, weight, shape, of_x, of_weight);
  if (of_x && onto.defined()) result.x = onto.add_(result.x);
  return result;
}

at::Tensor conv2d(const at::Tensor& x, const at::Tensor& weight, int64_t stride, int64_t padding) {
  if (way_of(x, weight, {stride, padding}) == Way::library) return at::conv2d(x, weight, {}, stride, padding);
  return ConvolutionFunction::apply(x, weight, stride, padding);
}

}  // namespace zoo::nn
