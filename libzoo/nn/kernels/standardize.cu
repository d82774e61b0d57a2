// One block for each filter, which it reads twice for mean and variance and once more to write: the second and third time from
// the cache. V values at a time.
#include <libzoo/io/cuda_kernel.h>
#include <libzoo/nn/kernels/standardize_cuda.h>

#include <cmath>

namespace zoo::nn::kernels {
namespace {

using namespace zoo::io::cuda;

constexpr int kPack = 4;  // float32 values in 16 bytes

// Sum over the filter: add(i, sum) adds what comes of the pack that begins at i. Known to every thread.
template <int V, class Add>
__device__ double filter_sum(int64_t count, Add add) {
  double total = 0;
  for (int64_t i = threadIdx.x * V; i < count; i += kThreads * V) {
    float few = 0;
    add(i, few);
    total += static_cast<double>(few);
  }
  return block_sum(total);
}

template <class T, int V>
__global__ void standardize(CudaFilters filters, const float* weight, T* result, CudaMoments moments) {
  const int64_t count = filters.count;
  const float* w = weight + blockIdx.x * count;
  T* to = result + blockIdx.x * count;
  const float start = w[0];
  const double n = static_cast<double>(count);
  const double mean = static_cast<double>(start) + filter_sum<V>(count, [&](int64_t i, float& sum) {
                                                     const auto pack = load<float, V>(w + i);
                                                     for (int l = 0; l < V; ++l) sum += pack.values[l] - start;
                                                   }) / n;
  const float high = static_cast<float>(mean), low = static_cast<float>(mean - static_cast<double>(high));
  const double variance = filter_sum<V>(count,
                                        [&](int64_t i, float& sum) {
                                          const auto pack = load<float, V>(w + i);
                                          for (int l = 0; l < V; ++l) {
                                            const float centred = (pack.values[l] - high) - low;
                                            sum += centred * centred;
                                          }
                                        }) /
                          n;
  const double deviation = sqrt(variance);
  const double scale = filters.outside ? 1 / (deviation + filters.eps) : 1 / sqrt(variance + filters.eps);
  if (threadIdx.x == 0) {
    moments.mean[blockIdx.x] = mean;
    moments.scale[blockIdx.x] = scale;
    moments.share[blockIdx.x] = !filters.outside ? 1 : deviation > 0 ? (deviation + filters.eps) / deviation : 0;
  }
  const float factor = static_cast<float>(scale);
  for (int64_t i = threadIdx.x * V; i < count; i += kThreads * V) {
    const auto pack = load<float, V>(w + i);
    Pack<T, V> standard;
    for (int l = 0; l < V; ++l) standard.values[l] = static_cast<T>(((pack.values[l] - high) - low) * factor);
    store(to + i, standard);
  }
}

template <class T, int V>
__global__ void standardize_backward(CudaFilters filters, const T* grad, const float* weight, CudaMoments moments, float* grad_weight) {
  const int64_t count = filters.count;
  const float* w = weight + blockIdx.x * count;
  const T* g = grad + blockIdx.x * count;
  float* to = grad_weight + blockIdx.x * count;
  const double mean = moments.mean[blockIdx.x], scale = moments.scale[blockIdx.x], n = static_cast<double>(count);
  const float high = static_cast<float>(mean), low = static_cast<float>(mean - static_cast<double>(high));
  const double plain = filter_sum<V>(count,
                                     [&](int64_t i, float& sum) {
                                       const auto above = load<T, V>(g + i);
                                       for (int l = 0; l < V; ++l) sum += static_cast<float>(above.values[l]);
                                     }) /
                       n;
  const double along = filter_sum<V>(count,
                                     [&](int64_t i, float& sum) {
                                       const auto above = load<T, V>(g + i);
                                       const auto pack = load<float, V>(w + i);
                                       for (int l = 0; l < V; ++l)
                                         sum += static_cast<float>(above.values[l]) * ((pack.values[l] - high) - low);
                                     }) *
                       scale / n;
  const float factor = static_cast<float>(scale), offset = static_cast<float>(plain),
              slope = static_cast<float>(moments.share[blockIdx.x] * along * scale);
  for (int64_t i = threadIdx.x * V; i < count; i += kThreads * V) {
    const auto above = load<T, V>(g + i);
    auto pack = load<float, V>(w + i);
    for (int l = 0; l < V; ++l) {
      const float centred = (pack.values[l] - high) - low;
      pack.values[l] = factor * (static_cast<float>(above.values[l]) - offset - centred * slope);
    }
    store(to + i, pack);
  }
}

bool in_packs(const CudaFilters& filters, const void* a, const void* b, const void* c) {
  return filters.count % kPack == 0 && is_aligned(a) && is_aligned(b) && is_aligned(c);
}

}  // namespace

template <class T>
void standardize_cuda(const CudaFilters& filters, const float* weight, T* result, const CudaMoments& moments, CUstream_st* stream) {
  launch(in_packs(filters, weight, result, nullptr) ? standardize<T, kPack> : standardize<T, 1>, filters.filters, stream, filters, weight,
         result, moments);
}

template <class T>
void standardize_cuda_backward(const CudaFilters& filters, const T* grad, const float* weight, const CudaMoments& moments,
                               float* grad_weight, CUstream_st* stream) {
  launch(in_packs(filters, grad, weight, grad_weight) ? standardize_backward<T, kPack> : standardize_backward<T, 1>, filters.filters,
         stream, filters, grad, weight, moments, grad_weight);
}

template void standardize_cuda(const CudaFilters&, const float*, float*, const CudaMoments&, CUstream_st*);
template void standardize_cuda(const CudaFilters&, const float*, c10::Half*, const CudaMoments&, CUstream_st*);
template void standardize_cuda(const CudaFilters&, const float*, c10::BFloat16*, const CudaMoments&, CUstream_st*);
template void standardize_cuda_backward(const CudaFilters&, const float*, const float*, const CudaMoments&, float*, CUstream_st*);
template void standardize_cuda_backward(const CudaFilters&, const c10::Half*, const float*, const CudaMoments&, float*, CUstream_st*);
template void standardize_cuda_backward(const CudaFilters&, const c10::BFloat16*, const float*, const CudaMoments&, float*, CUstream_st*);

}  // namespace zoo::nn::kernels
