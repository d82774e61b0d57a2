#include <libzoo/io/parallel_for.h>
#include <libzoo/nn/first_derivative.h>
#include <libzoo/nn/kernels/max_pool.h>
#include <libzoo/nn/max_pool.h>
#include <libzoo/nn/typed.h>

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

namespace zoo::nn {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr auto kChannelsLast = at::MemoryFormat::ChannelsLast;

template <class F>
void for_images(int64_t images, F work) {
  io::parallel_for(0, images, 1, [&](int64_t begin, int64_t end) {
    for (int64_t image = begin; image < end; ++image) work(image);
  });
}

at::Tensor pool(const at::Tensor& x, uint8_t* winner) {
  const kernels::PoolShape shape{x.size(1), x.size(2), x.size(3)};
  auto y = at::empty({x.size(0), x.size(1), shape.out_height(), shape.out_width()}, x.options(), kChannelsLast);
  for_images(x.size(0), [&](int64_t image) {
    with_type(x.scalar_type(),
              [&](auto s) { kernels::max_pool(shape, values<decltype(s)>(x), mutable_values<decltype(s)>(y), winner, image); });
  });
  return y;
}

struct MaxPoolFunction : torch::autograd::Function<MaxPoolFunction> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& x) {
    const kernels::PoolShape shape{x.size(1), x.size(2), x.size(3)};
    const auto winner = at::empty({x.size(0), shape.out_height(), shape.out_width(), x.size(1)}, at::kByte);
    ctx->save_for_backward({winner});
    ctx->saved_data["sizes"] = x.sizes();
    return pool(x, winner.data_ptr<uint8_t>());
  }

  static variable_list backward(AutogradContext* ctx, variable_list gradients) {
    require_first_derivative("zero-padded max-pooling");
    const auto winner = ctx->get_saved_variables()[0];
    const auto sizes = ctx->saved_data["sizes"].toIntVector();
    const auto grad = gradients[0].contiguous(kChannelsLast);
    const kernels::PoolShape shape{sizes[1], sizes[2], sizes[3]};
    auto grad_x = at::empty(sizes, grad.options(), kChannelsLast);
    for_images(sizes[0], [&](int64_t image) {
      const auto* places = winner.const_data_ptr<uint8_t>();
      with_type(grad.scalar_type(), [&](auto s) {
        kernels::max_pool_backward(shape, values<decltype(s)>(grad), places, mutable_values<decltype(s)>(grad_x), image);
      });
    });
    return {grad_x};
  }
};

}  // namespace

at::Tensor zero_padded_max_pool(const at::Tensor& x) {
  const bool ours = x.device().is_cpu() && x.dim() == 4 && x.numel() > 0 && x.is_contiguous(kChannelsLast) && has_loops(x.scalar_type());
  if (!ours) return at::max_pool2d(at::constant_pad_nd(x, {1, 1, 1, 1}), 3, 2);
  if (!at::GradMode::is_enabled() || !x.requires_grad()) return pool(x, nullptr);
  return MaxPoolFunction::apply(x);
}

at::Tensor same_max_pool(const at::Tensor& x) {
  return at::max_pool2d(x, {3, 3}, {2, 2}, {x.size(-2) % 2, x.size(-1) % 2}, {1, 1}, /*ceil_mode=*/true);
}

}  // namespace zoo::nn
