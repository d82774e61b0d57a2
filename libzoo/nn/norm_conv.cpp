#include <libzoo/nn/first_derivative.h>
#include <libzoo/nn/norm_conv.h>
#include <libzoo/nn/without_autograd.h>

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include <optional>

namespace zoo::nn {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

struct Settings {
  int64_t groups = 0;
  double eps = 0;
  bool relu = false, skip = false;  // skip: x itself is the last result
  Convolution first, second;
};

Convolution shape_of(const StdConv2dOptions& options) { return {options.stride, options.padding}; }

// Results: the convolution by `first`, plus `addend`, that by `second` if it is there, x if it is asked for.
struct NormConvFunction : torch::autograd::Function<NormConvFunction> {
  static variable_list forward(AutogradContext* ctx, const at::Tensor& x, const at::Tensor& gamma, const at::Tensor& beta,
                               const at::Tensor& first, const std::optional<at::Tensor>& second, const std::optional<at::Tensor>& addend,
                               const Settings& settings) {
    GroupNormSaved norm{
        .x = x.contiguous(x.suggest_memory_format()), .gamma = gamma.contiguous(), .beta = beta.contiguous(), .relu = settings.relu};
    const bool folds = folds_norm(norm.x, first, settings.first) && (!second || folds_norm(norm.x, *second, settings.second));
    at::Tensor normal;
    std::optional<FoldedNorm> on_the_way;
    if (folds) {
      on_the_way = group_norm_tables(norm, settings.groups, settings.eps);
    } else {
      normal = group_norm_forward(norm, settings.groups, settings.eps);
    }
    const auto convolved = [&](const at::Tensor& weight, const Convolution& shape, const at::Tensor& added) {
      return convolve(folds ? norm.x : normal, weight, shape, added, folds ? &*on_the_way : nullptr);
    };
    ctx->save_for_backward({norm.x, norm.gamma, norm.beta, norm.mean, norm.rstd, first, second.value_or(at::Tensor()),
                            folds ? on_the_way->tables : at::Tensor()});
    ctx->saved_data["relu"] = settings.relu;
    ctx->saved_data["skip"] = settings.skip;
    ctx->saved_data["added"] = addend.has_value();
    ctx->saved_data["shapes"] =
        std::vector<int64_t>{settings.first.stride, settings.first.padding, settings.second.stride, settings.second.padding};
    ctx->set_materialize_grads(false);
    variable_list results = {convolved(first, settings.first, addend.value_or(at::Tensor()))};
    if (second) results.push_back(convolved(*second, settings.second, {}));
    if (settings.skip) results.push_back(x);
    return results;
  }

  static variable_list backward(AutogradContext* ctx, variable_list gradients) {
    require_first_derivative("group norm with convolutions");
    const auto saved = ctx->get_saved_variables();
    const auto shapes = ctx->saved_data["shapes"].toIntVector();
    const GroupNormSaved norm{saved[0], saved[1], saved[2], saved[3], saved[4], ctx->saved_data["relu"].toBool()};
    const bool of_normal = ctx->needs_input_grad(0) || ctx->needs_input_grad(1) || ctx->needs_input_grad(2);
    const at::Tensor skip = ctx->saved_data["skip"].toBool() ? gradients.back() : at::Tensor();
    variable_list result(7);
    if (ctx->saved_data["added"].toBool()) result[5] = gradients[0];
    const size_t count = saved[6].defined() ? 2 : 1;
    const auto shape = [&](size_t i) { return Convolution{shapes[2 * i], shapes[2 * i + 1]}; };
    const bool folds = saved[7].defined();
    const FoldedNorm on_the_way{saved[7], norm.relu};
    at::Tensor normal = folds ? norm.x : group_norm_again(norm), grad_normal;
    for (size_t i = 0; i < count; ++i) {
      if (!gradients[i].defined()) continue;
      auto of = convolve_backward(gradients[i], normal, saved[5 + i], shape(i), of_normal, ctx->needs_input_grad(3 + i),
                                  folds ? &on_the_way : nullptr, grad_normal);
      gradients[i].reset();
      grad_normal = of.x;
      result[3 + i] = of.weight;
    }
    normal.reset();
    GroupNormGradients of_norm{.x = skip};
    if (grad_normal.defined()) of_norm = group_norm_backward(norm, grad_normal, skip);
    result[0] = of_norm.x, result[1] = of_norm.gamma, result[2] = of_norm.beta;
    return result;
  }
};

variable_list apply(GroupNorm& norm, StdConv2d& conv, StdConv2d* downsample, bool skip, const at::Tensor& x,
                    const std::optional<at::Tensor>& addend = {}) {
  const auto& options = norm->options;
  const Settings settings{.groups = options.groups,
                          .eps = options.eps,
                          .relu = options.relu,
                          .skip = skip,
                          .first = shape_of(conv->options),
                          .second = downsample ? shape_of((*downsample)->options) : Convolution{}};
  return NormConvFunction::apply(x, norm->weight, norm->bias, conv->standardized(x.scalar_type()),
                                 downsample ? std::optional((*downsample)->standardized(x.scalar_type())) : std::nullopt, addend, settings);
}

}  // namespace

at::Tensor norm_conv(GroupNorm& norm, StdConv2d& conv, const at::Tensor& x, const at::Tensor& addend) {
  if (!group_norm_is_fused(x, norm->weight, norm->bias)) return addend.defined() ? conv(norm(x)).add_(addend) : conv(norm(x));
  return apply(norm, conv, nullptr, false, x, addend.defined() ? std::optional(addend) : std::nullopt)[0];
}

NormConvAndShortcut norm_conv_and_shortcut(GroupNorm& norm, StdConv2d& conv, StdConv2d& downsample, const at::Tensor& x) {
  if (!group_norm_is_fused(x, norm->weight, norm->bias)) {
    const auto normal = norm(x);
    return {conv(normal), downsample.is_empty() ? x : downsample(normal)};
  }
  const auto results = apply(norm, conv, downsample.is_empty() ? nullptr : &downsample, downsample.is_empty(), x);
  return {results[0], results[1]};
}

}  // namespace zoo::nn
