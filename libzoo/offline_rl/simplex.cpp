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

}  // namespace zoo::offline_rl
