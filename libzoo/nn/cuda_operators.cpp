#include <libzoo/core/error.h>
#include <libzoo/io/cuda_stream.h>
#include <libzoo/nn/cuda_operators.h>
#include <libzoo/nn/first_derivative.h>
#include <libzoo/nn/kernels/group_norm_cuda.h>
#include <libzoo/nn/kernels/standardize_cuda.h>

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include <fmt/format.h>

namespace zoo::nn {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

bool has_kernels(at::ScalarType type) { return type == at::kFloat || type == at::kHalf || type == at::kBFloat16; }

// run(T()) with the C++ type of `type`.
template <class Run>
void with_cuda_type(at::ScalarType type, Run run) {
  switch (type) {
    case at::kFloat: return run(float());
    case at::kHalf: return run(at::Half());
    case at::kBFloat16: return run(at::BFloat16());
    default: throw Error(fmt::format("no CUDA kernel of ours takes {}", c10::toString(type)));
  }
}

template <class T>
T* pointer(const at::Tensor& x) {
  return x.defined() ? x.data_ptr<T>() : nullptr;
}

kernels::CudaImages images_of(const kernels::GroupNormShape& shape, const at::Tensor& x) {
  return {shape, x.size(0), shape.pixels == 1 || !x.is_contiguous()};
}

at::Tensor scratch_for(const kernels::CudaImages& images, const at::Tensor& x) {
  return at::empty({kernels::group_norm_cuda_scratch(images)}, x.options().dtype(at::kDouble));
}

}  // namespace

bool has_cuda_group_norm(const at::Tensor& x, const at::Tensor& gamma, const at::Tensor& beta) {
  const auto fits = [&](const at::Tensor& t) {
    return t.is_cuda() && (t.scalar_type() == x.scalar_type() || t.scalar_type() == at::kFloat);
  };
  return x.is_cuda() && has_kernels(x.scalar_type()) && fits(gamma) && fits(beta);
}

void cuda_group_norm(const kernels::GroupNormShape& shape, const GroupNormSaved& saved, const at::Tensor& y, bool again) {
  const io::CudaLaunch on(saved.x);
  const auto images = images_of(shape, saved.x);
  const auto gamma = saved.gamma.to(at::kFloat), beta = saved.beta.to(at::kFloat);
  const auto scratch = again ? at::Tensor() : scratch_for(images, saved.x);
  with_cuda_type(saved.x.scalar_type(), [&](auto type) {
    using T = decltype(type);
    kernels::group_norm_cuda_forward<T>(
        images,
        {saved.x.data_ptr<T>(), gamma.data_ptr<float>(), beta.data_ptr<float>(), saved.mean.data_ptr<double>(),
         saved.rstd.data_ptr<double>(), y.data_ptr<T>(), pointer<double>(scratch), again},
        on.stream);
  });
}

void cuda_group_norm_backward(const kernels::GroupNormShape& shape, const GroupNormSaved& saved, const at::Tensor& grad,
                              const at::Tensor& skip, const at::Tensor& grad_x, const at::Tensor& grad_gamma, const at::Tensor& grad_beta) {
  const io::CudaLaunch on(saved.x);
  const auto images = images_of(shape, saved.x);
  const auto gamma = saved.gamma.to(at::kFloat), beta = saved.beta.to(at::kFloat);
  const auto scratch = scratch_for(images, saved.x), slope = at::empty({saved.mean.numel(), 2}, saved.mean.options());
  with_cuda_type(saved.x.scalar_type(), [&](auto type) {
    using T = decltype(type);
    kernels::group_norm_cuda_backward<T>(
        images,
        {grad.data_ptr<T>(), saved.x.data_ptr<T>(), pointer<T>(skip), gamma.data_ptr<float>(), beta.data_ptr<float>(),
         saved.mean.data_ptr<double>(), saved.rstd.data_ptr<double>(), grad_x.data_ptr<T>(), grad_gamma.data_ptr<double>(),
         grad_beta.data_ptr<double>(), slope.data_ptr<double>(), scratch.data_ptr<double>()},
        on.stream);
  });
}

namespace {

// Filters one after another in memory; the order within one is free.
at::Tensor with_filters_as_runs(const at::Tensor& weight) {
  const bool runs = weight.is_non_overlapping_and_dense() && (weight.size(0) == 1 || weight.stride(0) * weight.size(0) == weight.numel());
  return runs ? weight : weight.contiguous(weight.suggest_memory_format());
}

struct CudaStandardizeFunction : torch::autograd::Function<CudaStandardizeFunction> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& given, double eps, bool outside, at::ScalarType type) {
    const auto weight = with_filters_as_runs(given);
    const io::CudaLaunch on(weight);
    const auto result = at::empty_like(weight, weight.options().dtype(type));
    const auto moments = at::empty({3, weight.size(0)}, weight.options().dtype(at::kDouble));
    with_cuda_type(type, [&](auto t) {
      kernels::standardize_cuda(filters_of(weight, eps, outside), weight.data_ptr<float>(), result.data_ptr<decltype(t)>(),
                                moments_of(moments), on.stream);
    });
    ctx->save_for_backward({weight, moments});
    return result;
  }

  static variable_list backward(AutogradContext* ctx, variable_list gradients) {
    require_first_derivative("weight standardisation");
    const auto saved = ctx->get_saved_variables();
    const auto& weight = saved[0];
    const io::CudaLaunch on(weight);
    auto grad = gradients[0];
    if (grad.strides() != weight.strides()) grad = at::empty_like(weight, grad.options()).copy_(grad);
    const auto grad_weight = at::empty_like(weight);
    with_cuda_type(grad.scalar_type(), [&](auto t) {
      kernels::standardize_cuda_backward(filters_of(weight, 0, false), static_cast<const decltype(t)*>(grad.data_ptr<decltype(t)>()),
                                         weight.data_ptr<float>(), moments_of(saved[1]), grad_weight.data_ptr<float>(), on.stream);
    });
    return {grad_weight, at::Tensor(), at::Tensor(), at::Tensor()};
  }

  static kernels::CudaFilters filters_of(const at::Tensor& weight, double eps, bool outside) {
    return {weight.size(0), weight.numel() / weight.size(0), eps, outside};
  }

  static kernels::CudaMoments moments_of(const at::Tensor& moments) {
    auto* first = moments.data_ptr<double>();
    const int64_t filters = moments.size(1);
    return {first, first + filters, first + 2 * filters};
  }
};

}  // namespace

at::Tensor cuda_standardize_weight(const at::Tensor& weight, double eps, EpsMode mode, at::ScalarType type) {
  return CudaStandardizeFunction::apply(weight, eps, mode == EpsMode::outside, type);
}

}  // namespace zoo::nn
