#include <libzoo/core/kernel_clones.h>
#include <libzoo/optim/kernels/adam.h>

#include <bit>
#include <cmath>

namespace zoo::optim::kernels {
namespace {

ZOO_INLINE float widened(float value) { return value; }
ZOO_INLINE double widened(double value) { return value; }
ZOO_INLINE float widened(uint16_t value) { return std::bit_cast<float>(uint32_t(value) << 16); }

ZOO_INLINE void put(float& place, float value) { place = value; }
ZOO_INLINE void put(double& place, double value) { place = value; }
ZOO_INLINE void put(uint16_t& place, float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  const uint32_t rounded = bits + 0x7fff + ((bits >> 16) & 1);  // to even
  place = uint16_t((value == value ? rounded : 0x7fc00000) >> 16);
}

template <class T, class First>
ZOO_INLINE void update(const AdamFactors& factors, T* __restrict parameter, const T* __restrict grad, First* __restrict first,
                       T* __restrict second, int64_t count) {
  const T beta1 = T(factors.beta1), beta2 = T(factors.beta2), eps = T(factors.eps), l2 = T(factors.l2), shrink = T(factors.shrink);
  const T share1 = T(1 - factors.beta1), share2 = T(1 - factors.beta2);
  const T step = T(factors.rate / factors.correction1), root = T(1 / std::sqrt(factors.correction2));
  for (int64_t i = 0; i < count; ++i) {
    const T g = grad[i] + l2 * parameter[i];
    const T m = beta1 * widened(first[i]) + share1 * g, v = beta2 * second[i] + share2 * (g * g);
    put(first[i], m);
    second[i] = v;
    parameter[i] = parameter[i] * shrink - step * (m / (std::sqrt(v) * root + eps));
  }
}

}  // namespace

ZOO_CLONES void adam(const AdamFactors& factors, float* parameter, const float* grad, float* first, float* second, int64_t count) {
  update(factors, parameter, grad, first, second, count);
}
ZOO_CLONES void adam(const AdamFactors& factors, double* parameter, const double* grad, double* first, double* second, int64_t count) {
  update(factors, parameter, grad, first, second, count);
}
ZOO_CLONES void adam(const AdamFactors& factors, float* parameter, const float* grad, uint16_t* first, float* second, int64_t count) {
  update(factors, parameter, grad, first, second, count);
}

}  // namespace zoo::optim::kernels
