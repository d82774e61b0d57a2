#include <libzoo/io/parallel_for.h>
#include <libzoo/offline_rl/kernels/trunk_loops.h>
#include <libzoo/offline_rl/simplex.h>

#include <ATen/ATen.h>

namespace zoo::offline_rl {

at::Tensor simplex_of(const at::Tensor& uniform) { return uniform / uniform.sum(0, /*keepdim=*/true); }

at::Tensor draw_simplex(int64_t heads, int64_t mixtures, RandomStream& random) {
  auto uniform = at::empty({heads, mixtures});
  float* to = uniform.data_ptr<float>();
  for (int64_t i = 0; i < heads * mixtures; ++i) to[i] = (random.uniform() + 0x1p-25f);  // never 0
  return simplex_of(uniform);
}

namespace {

// One mixture, on the processor, in float32: a loop of ours.
bool has_loop(const at::Tensor& tensor, const at::Tensor& alpha) {
  return alpha.size(1) == 1 && tensor.is_cpu() && tensor.scalar_type() == at::kFloat && tensor.is_contiguous() && alpha.is_contiguous();
}

// Actions that are worth a thread.
int64_t grain(int64_t values) { return 1 + 30'000 / values; }

std::vector<int64_t> with_rows(const at::Tensor& tensor, int64_t rows) {
  auto shape = tensor.sizes().vec();
  shape[0] = rows;
  return shape;
}

}  // namespace

at::Tensor mix_heads(const at::Tensor& weight, const at::Tensor& alpha) {
  const int64_t heads = alpha.size(0), actions = weight.size(0) / heads, size = weight.numel() / weight.size(0);
  if (!has_loop(weight, alpha))
    return at::matmul(alpha.t(), weight.reshape({actions, heads, size})).reshape(with_rows(weight, actions * alpha.size(1)));
  auto mixed = at::empty(with_rows(weight, actions));
  const float *from = weight.const_data_ptr<float>(), *share = alpha.const_data_ptr<float>();
  float* to = mixed.data_ptr<float>();
  io::parallel_for(0, actions, grain(heads * size), [&](int64_t begin, int64_t end) {
    for (int64_t a = begin; a < end; ++a) kernels::mix(from + a * heads * size, share, heads, size, to + a * size);
  });
  return mixed;
}

at::Tensor unmix_heads(const at::Tensor& grad, const at::Tensor& alpha) {
  const int64_t heads = alpha.size(0), actions = grad.size(0) / alpha.size(1), size = grad.numel() / grad.size(0);
  if (!has_loop(grad, alpha))
    return at::matmul(alpha, grad.reshape({actions, alpha.size(1), size})).reshape(with_rows(grad, actions * heads));
  auto each = at::empty(with_rows(grad, actions * heads));
  const float *from = grad.const_data_ptr<float>(), *share = alpha.const_data_ptr<float>();
  float* to = each.data_ptr<float>();
  io::parallel_for(0, actions, grain(heads * size), [&](int64_t begin, int64_t end) {
    for (int64_t a = begin; a < end; ++a) kernels::unmix(from + a * size, share, heads, size, to + a * heads * size);
  });
  return each;
}

}  // namespace zoo::offline_rl
