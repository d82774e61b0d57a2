#include <libzoo/core/error.h>
#include <libzoo/io/parallel_for.h>
#include <libzoo/nn/first_derivative.h>
#include <libzoo/nn/group_norm.h>
#include <libzoo/nn/kernels/channels.h>
#include <libzoo/nn/kernels/group_norm.h>
#include <libzoo/nn/typed.h>
#include <libzoo/nn/without_autograd.h>
#ifdef ZOO_HAS_CUDA
#include <libzoo/nn/cuda_operators.h>
#endif

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

#include <fmt/format.h>

#include <algorithm>

namespace zoo::nn {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr int64_t kGrain = 16384;         // values per thread at least

bool channels_are_last(const at::Tensor& x) {
  return x.numel() == x.size(0) * x.size(1) || (x.dim() == 4 && x.is_contiguous(at::MemoryFormat::ChannelsLast)) ||
         (x.dim() == 5 && x.is_contiguous(at::MemoryFormat::ChannelsLast3d));
}

at::MemoryFormat layout_of(const at::Tensor& x) { return x.suggest_memory_format(); }

kernels::GroupNormShape shape_of(const at::Tensor& x, int64_t groups, double eps, bool relu) {
  return {.channels = x.size(1), .groups = groups, .pixels = x.numel() / (x.size(0) * x.size(1)), .eps = eps, .relu = relu};
}

// Calls work(image, first group, last group) for all groups of all images, in parallel. Few images are cut into groups of channels.
template <class F>
void for_groups(const kernels::GroupNormShape& shape, int64_t images, F work) {
  int64_t pieces = 1;
  const int64_t depth = shape.channels / shape.groups;
  // In multiples of what the loops take at a time: a channel's sums are then the same, bit for bit, however the image is cut.
  while (images * pieces < at::get_num_threads() && shape.groups % (2 * pieces) == 0 &&
         shape.groups / (2 * pieces) * depth % kernels::kChannels == 0)
    pieces *= 2;
  const int64_t groups = shape.groups / pieces;
  const int64_t grain = std::max<int64_t>(1, kGrain / (groups * depth * shape.pixels));
  io::parallel_for(0, images * pieces, grain, [&](int64_t begin, int64_t end) {
    std::vector<double> scratch(size_t(kernels::group_norm_scratch(shape)));
    for (int64_t i = begin; i < end; ++i) work(i / pieces, i % pieces * groups, (i % pieces + 1) * groups, scratch.data());
  });
}

template <class S>
void run_forward(const kernels::GroupNormShape& shape, const GroupNormSaved& saved, const at::Tensor& y, bool again,
                 const at::Tensor& tables = {}) {
  using T = kernels::Compute<S>;
  const kernels::GroupNormForward<S> data{values<S>(saved.x),
                                          values<T>(saved.gamma),
                                          values<T>(saved.beta),
                                          saved.mean.data_ptr<double>(),
                                          saved.rstd.data_ptr<double>(),
                                          y.defined() ? mutable_values<S>(y) : nullptr,
                                          again,
                                          tables.defined() ? mutable_values<T>(tables) : nullptr,
                                          saved.x.size(0)};
  const bool last = channels_are_last(saved.x);
  for_groups(shape, saved.x.size(0), [&](int64_t image, int64_t first, int64_t end, double* scratch) {
    if (last)
      kernels::group_norm_forward_last(shape, data, image, first, end, scratch);
    else
      kernels::group_norm_forward_first(shape, data, image, first, end);
  });
}

at::Tensor forward_of(const kernels::GroupNormShape& shape, const GroupNormSaved& saved, bool again) {
  auto y = at::empty_like(saved.x);
#ifdef ZOO_HAS_CUDA
  if (saved.x.is_cuda()) return cuda_group_norm(shape, saved, y, again), y;
#endif
  with_type(saved.x.scalar_type(), [&](auto s) { run_forward<decltype(s)>(shape, saved, y, again); });
  return y;
}

template <class S>
void run_backward(const kernels::GroupNormShape& shape, const GroupNormSaved& saved, const at::Tensor& grad, const at::Tensor& skip,
                  const at::Tensor& grad_x, const at::Tensor& grad_gamma, const at::Tensor& grad_beta) {
  using T = kernels::Compute<S>;
  const kernels::GroupNormBackward<S> data{values<S>(grad),
                                           values<S>(saved.x),
                                           skip.defined() ? values<S>(skip) : nullptr,
                                           values<T>(saved.gamma),
                                           values<T>(saved.beta),
                                           saved.mean.const_data_ptr<double>(),
                                           saved.rstd.const_data_ptr<double>(),
                                           mutable_values<S>(grad_x),
                                           grad_gamma.data_ptr<double>(),
                                           grad_beta.data_ptr<double>()};
  const bool last = channels_are_last(saved.x);
  for_groups(shape, saved.x.size(0), [&](int64_t image, int64_t first, int64_t end, double* scratch) {
    if (last)
      kernels::group_norm_backward_last(shape, data, image, first, end, scratch);
    else
      kernels::group_norm_backward_first(shape, data, image, first, end);
  });
}

struct GroupNormFunction : torch::autograd::Function<GroupNormFunction> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& x, const at::Tensor& gamma, const at::Tensor& beta, int64_t groups,
                            double eps, bool relu) {
    GroupNormSaved saved{.x = x.contiguous(layout_of(x)), .gamma = gamma.contiguous(), .beta = beta.contiguous(), .relu = relu};
    auto y = group_norm_forward(saved, groups, eps);
    ctx->save_for_backward({saved.x, saved.gamma, saved.beta, saved.mean, saved.rstd});
    ctx->saved_data["relu"] = relu;
    return y;
  }

  static variable_list backward(AutogradContext* ctx, variable_list gradients) {
    require_first_derivative("group norm");
    const auto saved = ctx->get_saved_variables();
    const auto result = group_norm_backward({saved[0], saved[1], saved[2], saved[3], saved[4], ctx->saved_data["relu"].toBool()},
                                            gradients[0], at::Tensor());
    return {result.x, result.gamma, result.beta, at::Tensor(), at::Tensor(), at::Tensor()};
  }
};

// The sum of [images, channels] in double, as the parameter that it is the gradient of.
at::Tensor over_images(const at::Tensor& shares, const at::Tensor& parameter) {
  if (!shares.device().is_cpu()) return shares.sum(0).to(parameter.scalar_type());
  const int64_t images = shares.size(0), channels = shares.size(1);
  std::vector<double> sums(size_t(channels), 0.0);
  const auto* share = shares.const_data_ptr<double>();
  for (int64_t i = 0; i < images; ++i)
    for (int64_t c = 0; c < channels; ++c) sums[size_t(c)] += *share++;
  auto result = at::empty_like(parameter);
  with_type(parameter.scalar_type(), [&](auto s) { std::copy(sums.begin(), sums.end(), mutable_values<decltype(s)>(result)); });
  return result;
}

void make_room(GroupNormSaved& saved, int64_t groups) {
  saved.mean = at::empty({saved.x.size(0), groups}, saved.x.options().dtype(at::kDouble));
  saved.rstd = at::empty_like(saved.mean);
}

void require_groups(int64_t channels, int64_t groups) {
  if (groups < 1 || channels < 1 || channels % groups != 0) {
    throw UserError(fmt::format("group norm: {} channels cannot be divided into {} groups", channels, groups));
  }
}

void require_arguments(const at::Tensor& x, const at::Tensor& gamma, const at::Tensor& beta, int64_t groups) {
  if (x.dim() < 2) throw UserError(fmt::format("group norm needs [batch, channels, …], not {} dimensions", x.dim()));
  require_groups(x.size(1), groups);
  if (gamma.dim() != 1 || gamma.size(0) != x.size(1) || beta.sizes() != gamma.sizes()) {
    throw UserError(fmt::format("group norm: {} channels, but gamma has {} values and beta {}", x.size(1), gamma.numel(), beta.numel()));
  }
}

at::Tensor composed(const at::Tensor& x, const at::Tensor& gamma, const at::Tensor& beta, int64_t groups, double eps, bool relu) {
  const auto y = at::group_norm(x, groups, gamma.to(x.scalar_type()), beta.to(x.scalar_type()), eps);
  return relu ? at::relu(y) : y;
}

}  // namespace

bool group_norm_is_fused(const at::Tensor& x, const at::Tensor& gamma, const at::Tensor& beta) {
  if (x.numel() == 0 || x.size(1) != gamma.size(0)) return false;
#ifdef ZOO_HAS_CUDA
  if (x.is_cuda()) return has_cuda_group_norm(x, gamma, beta);
#endif
  const auto type = x.scalar_type() == at::kBFloat16 ? at::kFloat : x.scalar_type();  // of the parameters
  return x.device().is_cpu() && has_loops(x.scalar_type()) && gamma.scalar_type() == type && beta.scalar_type() == type;
}

at::Tensor group_norm_forward(GroupNormSaved& saved, int64_t groups, double eps) {
  make_room(saved, groups);
  return forward_of(shape_of(saved.x, groups, eps, saved.relu), saved, false);
}

FoldedNorm group_norm_tables(GroupNormSaved& saved, int64_t groups, double eps) {
  make_room(saved, groups);
  const FoldedNorm result{at::empty({4, saved.x.size(0), saved.x.size(1)}, at::kFloat), saved.relu};
  const auto shape = shape_of(saved.x, groups, eps, saved.relu);
  with_type(saved.x.scalar_type(), [&](auto s) { run_forward<decltype(s)>(shape, saved, {}, false, result.tables); });
  return result;
}

at::Tensor group_norm_again(const GroupNormSaved& saved) {
  return forward_of(shape_of(saved.x, saved.mean.size(1), 0, saved.relu), saved, true);
}

GroupNormGradients group_norm_backward(const GroupNormSaved& saved, const at::Tensor& given_grad, const at::Tensor& given_skip) {
  const auto& x = saved.x;
  const auto grad = given_grad.contiguous(layout_of(x)), skip = given_skip.defined() ? given_skip.contiguous(layout_of(x)) : given_skip;
  const auto shape = shape_of(x, saved.mean.size(1), 0, saved.relu);
  const auto grad_x = at::empty_like(x);
  const auto grad_gamma = at::empty({x.size(0), x.size(1)}, saved.mean.options()), grad_beta = at::empty_like(grad_gamma);
  if (x.is_cuda()) {
#ifdef ZOO_HAS_CUDA
    cuda_group_norm_backward(shape, saved, grad, skip, grad_x, grad_gamma, grad_beta);
#endif
  } else {
    with_type(x.scalar_type(), [&](auto s) { run_backward<decltype(s)>(shape, saved, grad, skip, grad_x, grad_gamma, grad_beta); });
  }
  return {grad_x, over_images(grad_gamma, saved.gamma), over_images(grad_beta, saved.gamma)};
}

at::Tensor group_norm_relu(const at::Tensor& x, const at::Tensor& gamma, const at::Tensor& beta, int64_t groups, double eps, bool relu) {
  require_arguments(x, gamma, beta, groups);
  if (!group_norm_is_fused(x, gamma, beta)) return composed(x, gamma, beta, groups, eps, relu);
  return GroupNormFunction::apply(x, gamma, beta, groups, eps, relu);
}

GroupNormImpl::GroupNormImpl(const GroupNormOptions& options_) : options(options_) { reset(); }

void GroupNormImpl::reset() {
  require_groups(options.channels, options.groups);
  weight = register_parameter("weight", at::ones({options.channels}));
  bias = register_parameter("bias", at::zeros({options.channels}));
}

at::Tensor GroupNormImpl::forward(const at::Tensor& x) {
  return group_norm_relu(x, weight, bias, options.groups, options.eps, options.relu);
}

}  // namespace zoo::nn
