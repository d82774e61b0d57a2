// A block takes a chunk of a tensor. Which chunk of which tensor is told by a table that travels with the launch, so that a network
// of hundreds of tensors takes a few launches and no copy.
#include <libzoo/io/cuda_kernel.h>
#include <libzoo/optim/kernels/sgd_cuda.h>

namespace zoo::optim::kernels {
namespace {

using namespace zoo::io::cuda;

constexpr int64_t kChunk = 16384;  // values; a multiple of every pack
constexpr int kTensors = 40, kBlocks = 320;  // of one launch, whose parameters may take 4 KB

template <class T>
struct Table {
  CudaSgdTensor<T> tensors[kTensors];
  int32_t chunks[kBlocks];
  uint8_t owners[kBlocks];  // of the chunks
};
static_assert(sizeof(Table<float>) + sizeof(SgdFactors) <= 4000 && kTensors <= 256);

template <class T, int V>
__device__ void update(const SgdFactors& factors, const CudaSgdTensor<T>& tensor, int64_t begin, int64_t end) {
  const float rate = static_cast<float>(factors.rate), momentum = static_cast<float>(factors.momentum),
              decay = static_cast<float>(factors.weight_decay);
  for (int64_t i = begin + threadIdx.x * V; i < end; i += kThreads * V) {
    auto parameter = load<T, V>(tensor.parameter + i), velocity = parameter;
    const auto grad = load<T, V>(tensor.grad + i);
    if (tensor.velocity && !tensor.first) velocity = load<T, V>(tensor.velocity + i);
    for (int l = 0; l < V; ++l) {
      const float p = static_cast<float>(parameter.values[l]), g = static_cast<float>(grad.values[l]) + decay * p;
      float step = g;
      if (tensor.velocity) {
        const float v = tensor.first ? g : momentum * static_cast<float>(velocity.values[l]) + g;
        velocity.values[l] = static_cast<T>(v);
        step = factors.nesterov ? g + momentum * v : v;
      }
      parameter.values[l] = static_cast<T>(p - rate * step);
    }
    if (tensor.velocity) store(tensor.velocity + i, velocity);
    store(tensor.parameter + i, parameter);
  }
}

template <class T>
__global__ void sgd_step(SgdFactors factors, Table<T> table) {
  const CudaSgdTensor<T>& tensor = table.tensors[table.owners[blockIdx.x]];
  const int64_t begin = table.chunks[blockIdx.x] * kChunk, rest = tensor.count - begin;
  const int64_t length = rest < kChunk ? rest : kChunk;
  // Whole packs first, then what is left of the tensor.
  const bool aligned = (reinterpret_cast<uintptr_t>(tensor.parameter) | reinterpret_cast<uintptr_t>(tensor.grad) |
                        reinterpret_cast<uintptr_t>(tensor.velocity)) %
                           16 ==
                       0;
  const int64_t whole = aligned ? length / kPackSize<T> * kPackSize<T> : 0;
  update<T, kPackSize<T>>(factors, tensor, begin, begin + whole);
  update<T, 1>(factors, tensor, begin + whole, begin + length);
}

}  // namespace

template <class T>
void sgd_cuda(const SgdFactors& factors, const CudaSgdTensor<T>* tensors, int64_t number, CUstream_st* stream) {
  Table<T> table = {};
  int used = 0, blocks = 0;
  const auto flush = [&] {
    launch(sgd_step<T>, blocks, stream, factors, table);
    used = blocks = 0;
  };
  for (int64_t t = 0; t < number; ++t) {
    if (used == kTensors) flush();
    table.tensors[used++] = tensors[t];
    for (int64_t chunk = 0; chunk * kChunk < tensors[t].count; ++chunk) {
      if (blocks == kBlocks) {
        flush();
        table.tensors[used++] = tensors[t];
      }
      table.chunks[blocks] = static_cast<int32_t>(chunk);
      table.owners[blocks++] = static_cast<uint8_t>(used - 1);
    }
  }
  flush();
}

template void sgd_cuda(const SgdFactors&, const CudaSgdTensor<float>*, int64_t, CUstream_st*);
template void sgd_cuda(const SgdFactors&, const CudaSgdTensor<c10::Half>*, int64_t, CUstream_st*);
template void sgd_cuda(const SgdFactors&, const CudaSgdTensor<c10::BFloat16>*, int64_t, CUstream_st*);

}  // namespace zoo::optim::kernels
