// Three kernels each way: sums of every channel over chunks of its pixels, their sum over the channels of a group, and a pass that
// writes the result. A thread owns V values side by side: of V channels in channels-last memory, of one channel in NCHW.
#include <libzoo/io/cuda_kernel.h>
#include <libzoo/nn/kernels/group_norm_cuda.h>

#include <cmath>
#include <initializer_list>

namespace zoo::nn::kernels {
namespace {

using namespace zoo::io::cuda;

constexpr int kColumns = 32;  // packs of channels side by side in a block, in channels-last memory

// How work is cut: blocks of one image, one chunk of pixels, and one channel (NCHW) or one tile of channels (channels-last).
struct Grid {
  int64_t channels, pixels, depth;  // depth: channels of a group
  int64_t chunk, chunks;            // pixels of a chunk
  int64_t pieces;                   // channels or tiles
  int columns, rows;                // threads of a block: side by side along channels, and along pixels
};

constexpr int64_t chunk_for_sums(bool channels_last) { return channels_last ? 256 : 8192; }
constexpr int64_t chunk_for_writing(bool channels_last) { return channels_last ? 128 : 4096; }

Grid grid_of(const CudaImages& images, int pack, int64_t chunk) {
  const auto& shape = images.shape;
  Grid grid{shape.channels, shape.pixels, shape.channels / shape.groups, chunk, (shape.pixels + chunk - 1) / chunk, shape.channels, 1,
            kThreads};
  if (images.channels_last) {
    const int64_t packs = shape.channels / pack;
    grid.columns = packs < kColumns ? static_cast<int>(packs) : kColumns;
    grid.rows = kThreads / grid.columns;
    grid.pieces = (packs + grid.columns - 1) / grid.columns;
  }
  return grid;
}

int64_t blocks_of(const Grid& grid, int64_t images) { return images * grid.chunks * grid.pieces; }

// What a thread has to do: `count` packs, from `first` on, `step` values apart; none if it has no part in this block.
struct Part {
  int64_t image, chunk, channel;  // channel: of the pack's first value
  int64_t length;                 // pixels of the chunk
  int64_t chunk_start;            // where the channel's first value in the chunk lies
  int64_t first, step;
  int count;
};

template <int V, bool kLast>
__device__ Part part_of(const Grid& grid) {
  int64_t block = blockIdx.x;
  const int64_t piece = block % grid.pieces;
  block /= grid.pieces;
  Part part;
  part.chunk = block % grid.chunks;
  part.image = block / grid.chunks;
  const int64_t begin = part.chunk * grid.chunk, rest = grid.pixels - begin;
  part.length = rest < grid.chunk ? rest : grid.chunk;
  const int thread = static_cast<int>(threadIdx.x);
  if (kLast) {
    const int row = thread / grid.columns;
    part.channel = (piece * grid.columns + thread % grid.columns) * V;
    part.chunk_start = (part.image * grid.pixels + begin) * grid.channels + part.channel;
    part.first = part.chunk_start + row * grid.channels;
    part.step = grid.rows * grid.channels;
    const bool active = row < grid.rows && part.channel < grid.channels && row < part.length;
    part.count = active ? static_cast<int>((part.length - row + grid.rows - 1) / grid.rows) : 0;
  } else {
    part.channel = piece;
    part.chunk_start = (part.image * grid.channels + piece) * grid.pixels + begin;
    part.first = part.chunk_start + thread * V;
    part.step = kThreads * V;
    part.count = thread * V < part.length ? static_cast<int>((part.length - thread * V + kThreads * V - 1) / (kThreads * V)) : 0;
  }
  return part;
}

// The sum over pixels of what every thread has for the channels of its pack, added in the same order each time:
// write(channel, sum) once for each channel of the block. All threads must call.
template <int V, bool kLast, class Write>
__device__ void sum_over_pixels(const Grid& grid, const Part& part, const double (&values)[V], Write write) {
  const int thread = static_cast<int>(threadIdx.x);
  if (kLast) {
    __shared__ double all[kThreads * V];  // [rows][columns · V]
    const int width = grid.columns * V;
    __syncthreads();  // an earlier call may still be reading
    if (thread < grid.rows * grid.columns)
      for (int l = 0; l < V; ++l) all[thread * V + l] = values[l];
    __syncthreads();
    const int64_t first = part.channel - thread % grid.columns * V;  // of the tile
    for (int c = thread; c < width && first + c < grid.channels; c += kThreads) {
      double sum = 0;
      for (int row = 0; row < grid.rows; ++row) sum += all[row * width + c];
      write(first + c, sum);
    }
  } else {
    double own = 0;
    for (int l = 0; l < V; ++l) own += values[l];
    const double sum = block_sum(own);
    if (thread == 0) write(part.channel, sum);
  }
}

__device__ int64_t place_of(const Grid& grid, const Part& part, int64_t channel) {
  return (part.image * grid.chunks + part.chunk) * grid.channels + channel;
}

// Mean and sum of squared differences from it of each channel's pixels of a chunk: [images, chunks, channels]. Welford's way
// around the chunk's first value.
template <class T, int V, bool kLast>
__global__ void channel_moments(Grid grid, const T* x, double* means, double* squares) {
  const Part part = part_of<V, kLast>(grid);
  float start[V], mean[V], square[V];
  for (int l = 0; l < V; ++l) start[l] = mean[l] = square[l] = 0;
  if (part.count > 0)
    for (int l = 0; l < V; ++l) start[l] = static_cast<float>(x[part.chunk_start + (kLast ? l : 0)]);
  for (int i = 0; i < part.count; ++i) {
    const auto pack = load<T, V>(x + part.first + i * part.step);
    const float share = 1.0f / static_cast<float>(i + 1);
    for (int l = 0; l < V; ++l) {
      const float value = static_cast<float>(pack.values[l]) - start[l], difference = value - mean[l];
      mean[l] += difference * share;
      square[l] += difference * (value - mean[l]);
    }
  }
  double sums[V], sums_of_squares[V];
  for (int l = 0; l < V; ++l) {
    sums[l] = part.count * static_cast<double>(mean[l]);
    sums_of_squares[l] = square[l] + sums[l] * static_cast<double>(mean[l]);
  }
  sum_over_pixels<V, kLast>(grid, part, sums, [&](int64_t channel, double sum) { means[place_of(grid, part, channel)] = sum; });
  sum_over_pixels<V, kLast>(grid, part, sums_of_squares, [&](int64_t channel, double sum) {
    const int64_t place = place_of(grid, part, channel), to_start = kLast ? channel - part.channel : 0;
    const double around = means[place] / static_cast<double>(part.length), rest = sum - means[place] * around;
    means[place] = static_cast<double>(static_cast<float>(x[part.chunk_start + to_start])) + around;
    squares[place] = rest > 0 ? rest : rest == rest ? 0 : rest;  // not-a-number stays
  });
}

// One block for each group of an image.
__global__ void group_moments(Grid grid, double eps, const double* means, const double* squares, double* mean, double* rstd) {
  const int64_t groups = grid.channels / grid.depth, image = blockIdx.x / groups, group = blockIdx.x % groups;
  const int64_t parts = grid.chunks * grid.depth;
  const double values = static_cast<double>(grid.depth) * static_cast<double>(grid.pixels);
  const auto place = [&](int64_t i) {
    return (image * grid.chunks + i / grid.depth) * grid.channels + group * grid.depth + i % grid.depth;
  };
  const auto length = [&](int64_t i) {
    const int64_t rest = grid.pixels - i / grid.depth * grid.chunk;
    return static_cast<double>(rest < grid.chunk ? rest : grid.chunk);
  };
  double sum = 0;
  for (int64_t i = threadIdx.x; i < parts; i += kThreads) sum += length(i) * means[place(i)];
  const double centre = block_sum(sum) / values;
  double square = 0;
  for (int64_t i = threadIdx.x; i < parts; i += kThreads) {
    const double apart = means[place(i)] - centre;
    square += squares[place(i)] + length(i) * apart * apart;
  }
  const double variance = block_sum(square) / values;
  if (threadIdx.x == 0) mean[blockIdx.x] = centre, rstd[blockIdx.x] = 1 / sqrt(variance + eps);
}

// What one channel is normalised by: ((x - high) - low) · scale + shift.
struct Affine {
  float high, low, scale, shift;

  __device__ float centred(float x) const { return (x - high) - low; }
};

struct Norm {
  const float *gamma, *beta;
  const double *mean, *rstd;
};

__device__ Affine affine_of(const Grid& grid, const Norm& norm, int64_t image, int64_t channel) {
  const int64_t group = image * (grid.channels / grid.depth) + channel / grid.depth;
  const double mean = norm.mean[group];
  const float high = static_cast<float>(mean);
  return {high, static_cast<float>(mean - static_cast<double>(high)),
          static_cast<float>(norm.rstd[group] * static_cast<double>(norm.gamma[channel])), norm.beta[channel]};
}

template <int V, bool kLast>
__device__ void affines_of(const Grid& grid, const Norm& norm, const Part& part, Affine (&affines)[V]) {
  for (int l = 0; l < V; ++l) affines[l] = kLast || l == 0 ? affine_of(grid, norm, part.image, part.channel + l) : affines[0];
}

template <class T, int V, bool kLast>
__global__ void normalize(Grid grid, Norm norm, bool relu, const T* x, T* y) {
  const Part part = part_of<V, kLast>(grid);
  if (part.count == 0) return;
  Affine affines[V];
  affines_of<V, kLast>(grid, norm, part, affines);
  for (int i = 0; i < part.count; ++i) {
    const int64_t at = part.first + i * part.step;
    auto pack = load<T, V>(x + at);
    for (int l = 0; l < V; ++l) {
      const float value = affines[l].centred(static_cast<float>(pack.values[l])) * affines[l].scale + affines[l].shift;
      pack.values[l] = static_cast<T>(relu && value < 0 ? 0.0f : value);
    }
    store(y + at, pack);
  }
}

// The gradient above a value, or 0 where ReLU was shut.
__device__ inline float open_gradient(const Affine& affine, bool relu, float centred, float grad) {
  return relu && centred * affine.scale + affine.shift <= 0 ? 0.0f : grad;
}

// Σ grad and Σ grad · (x - mean) of each channel's pixels of a chunk: [images, chunks, channels].
template <class T, int V, bool kLast>
__global__ void gradient_sums(Grid grid, Norm norm, bool relu, const T* grad, const T* x, double* plain, double* centred) {
  const Part part = part_of<V, kLast>(grid);
  float sum[V], product[V];
  for (int l = 0; l < V; ++l) sum[l] = product[l] = 0;
  if (part.count > 0) {
    Affine affines[V];
    affines_of<V, kLast>(grid, norm, part, affines);
    for (int i = 0; i < part.count; ++i) {
      const int64_t at = part.first + i * part.step;
      const auto above = load<T, V>(grad + at), pack = load<T, V>(x + at);
      for (int l = 0; l < V; ++l) {
        const float difference = affines[l].centred(static_cast<float>(pack.values[l]));
        const float open = open_gradient(affines[l], relu, difference, static_cast<float>(above.values[l]));
        sum[l] += open;
        product[l] += open * difference;
      }
    }
  }
  double sums[V], products[V];
  for (int l = 0; l < V; ++l) sums[l] = sum[l], products[l] = product[l];
  sum_over_pixels<V, kLast>(grid, part, sums, [&](int64_t channel, double total) { plain[place_of(grid, part, channel)] = total; });
  sum_over_pixels<V, kLast>(grid, part, products, [&](int64_t channel, double total) { centred[place_of(grid, part, channel)] = total; });
}

// One block for each group of an image, one warp for each channel in turn: the image's share of the gradients of gamma and beta,
// and slope and offset of the gradient of x along the normalised values.
__global__ void group_gradients(Grid grid, Norm norm, const double* plain, const double* centred, double* grad_gamma, double* grad_beta,
                                double* slopes) {
  const int64_t groups = grid.channels / grid.depth, image = blockIdx.x / groups, group = blockIdx.x % groups;
  const int lane = static_cast<int>(threadIdx.x) % kWarp, warp = static_cast<int>(threadIdx.x) / kWarp;
  const double rstd = norm.rstd[blockIdx.x], values = static_cast<double>(grid.depth) * static_cast<double>(grid.pixels);
  double along_one = 0, along_normal = 0;  // Σ gamma · gradient, and the same along the normalised values
  for (int64_t c = warp; c < grid.depth; c += kThreads / kWarp) {
    const int64_t channel = group * grid.depth + c;
    double sum = 0, product = 0;
    for (int64_t chunk = lane; chunk < grid.chunks; chunk += kWarp) {
      const int64_t place = (image * grid.chunks + chunk) * grid.channels + channel;
      sum += plain[place];
      product += centred[place];
    }
    sum = warp_sum(sum);
    product = warp_sum(product) * rstd;
    if (lane != 0) continue;
    grad_beta[image * grid.channels + channel] = sum;
    grad_gamma[image * grid.channels + channel] = product;
    along_one += sum * static_cast<double>(norm.gamma[channel]);
    along_normal += product * static_cast<double>(norm.gamma[channel]);
  }
  along_one = block_sum(along_one);
  along_normal = block_sum(along_normal);
  if (threadIdx.x == 0) {
    slopes[2 * blockIdx.x] = -rstd * rstd * along_normal / values;
    slopes[2 * blockIdx.x + 1] = -rstd * along_one / values;
  }
}

template <class T, int V, bool kLast>
__global__ void input_gradient(Grid grid, Norm norm, bool relu, const double* slopes, const T* grad, const T* x, const T* skip, T* grad_x) {
  const Part part = part_of<V, kLast>(grid);
  if (part.count == 0) return;
  Affine affines[V];
  float slope[V], offset[V];
  affines_of<V, kLast>(grid, norm, part, affines);
  for (int l = 0; l < V; ++l) {
    const int64_t group = part.image * (grid.channels / grid.depth) + (part.channel + (kLast ? l : 0)) / grid.depth;
    slope[l] = static_cast<float>(slopes[2 * group]), offset[l] = static_cast<float>(slopes[2 * group + 1]);
  }
  for (int i = 0; i < part.count; ++i) {
    const int64_t at = part.first + i * part.step;
    const auto above = load<T, V>(grad + at);
    auto pack = load<T, V>(x + at);
    float result[V];
    for (int l = 0; l < V; ++l) {
      const float difference = affines[l].centred(static_cast<float>(pack.values[l]));
      const float open = open_gradient(affines[l], relu, difference, static_cast<float>(above.values[l]));
      result[l] = open * affines[l].scale + (difference * slope[l] + offset[l]);
    }
    if (skip) {
      const auto more = load<T, V>(skip + at);
      for (int l = 0; l < V; ++l) result[l] += static_cast<float>(more.values[l]);
    }
    for (int l = 0; l < V; ++l) pack.values[l] = static_cast<T>(result[l]);
    store(grad_x + at, pack);
  }
}

int64_t chunks_for_sums(const CudaImages& images) {
  const int64_t chunk = chunk_for_sums(images.channels_last);
  return (images.shape.pixels + chunk - 1) / chunk;
}

template <class T, int V, bool kLast>
void forward(const CudaImages& images, const CudaGroupNormForward<T>& data, CUstream_st* stream) {
  if (!data.again) {
    const Grid grid = grid_of(images, V, chunk_for_sums(kLast));
    double* squares = data.scratch + images.images * grid.chunks * grid.channels;
    launch(channel_moments<T, V, kLast>, blocks_of(grid, images.images), stream, grid, data.x, data.scratch, squares);
    launch(group_moments, images.images * images.shape.groups, stream, grid, images.shape.eps, data.scratch, squares, data.mean, data.rstd);
  }
  const Grid grid = grid_of(images, V, chunk_for_writing(kLast));
  const Norm norm{data.gamma, data.beta, data.mean, data.rstd};
  launch(normalize<T, V, kLast>, blocks_of(grid, images.images), stream, grid, norm, images.shape.relu, data.x, data.y);
}

template <class T, int V, bool kLast>
void backward(const CudaImages& images, const CudaGroupNormBackward<T>& data, CUstream_st* stream) {
  const Grid sums = grid_of(images, V, chunk_for_sums(kLast)), grid = grid_of(images, V, chunk_for_writing(kLast));
  const Norm norm{data.gamma, data.beta, data.mean, data.rstd};
  double* centred = data.scratch + images.images * sums.chunks * sums.channels;
  launch(gradient_sums<T, V, kLast>, blocks_of(sums, images.images), stream, sums, norm, images.shape.relu, data.grad, data.x, data.scratch,
         centred);
  launch(group_gradients, images.images * images.shape.groups, stream, sums, norm, data.scratch, centred, data.grad_gamma, data.grad_beta,
         data.slope);
  launch(input_gradient<T, V, kLast>, blocks_of(grid, images.images), stream, grid, norm, images.shape.relu, data.slope, data.grad, data.x,
         data.skip, data.grad_x);
}

// Whether all memory can be read in packs.
template <class T>
bool in_packs(const CudaImages& images, std::initializer_list<const void*> pointers) {
  for (const void* pointer : pointers)
    if (!is_aligned(pointer)) return false;
  return (images.channels_last ? images.shape.channels : images.shape.pixels) % kPackSize<T> == 0;
}

}  // namespace

int64_t group_norm_cuda_scratch(const CudaImages& images) { return 2 * images.images * chunks_for_sums(images) * images.shape.channels; }

template <class T>
void group_norm_cuda_forward(const CudaImages& images, const CudaGroupNormForward<T>& data, CUstream_st* stream) {
  const bool packs = in_packs<T>(images, {data.x, data.y});
  if (images.channels_last)
    packs ? forward<T, kPackSize<T>, true>(images, data, stream) : forward<T, 1, true>(images, data, stream);
  else
    packs ? forward<T, kPackSize<T>, false>(images, data, stream) : forward<T, 1, false>(images, data, stream);
}

template <class T>
void group_norm_cuda_backward(const CudaImages& images, const CudaGroupNormBackward<T>& data, CUstream_st* stream) {
  const bool packs = in_packs<T>(images, {data.grad, data.x, data.skip, data.grad_x});
  if (images.channels_last)
    packs ? backward<T, kPackSize<T>, true>(images, data, stream) : backward<T, 1, true>(images, data, stream);
  else
    packs ? backward<T, kPackSize<T>, false>(images, data, stream) : backward<T, 1, false>(images, data, stream);
}

template void group_norm_cuda_forward(const CudaImages&, const CudaGroupNormForward<float>&, CUstream_st*);
template void group_norm_cuda_forward(const CudaImages&, const CudaGroupNormForward<c10::Half>&, CUstream_st*);
template void group_norm_cuda_forward(const CudaImages&, const CudaGroupNormForward<c10::BFloat16>&, CUstream_st*);
template void group_norm_cuda_backward(const CudaImages&, const CudaGroupNormBackward<float>&, CUstream_st*);
template void group_norm_cuda_backward(const CudaImages&, const CudaGroupNormBackward<c10::Half>&, CUstream_st*);
template void group_norm_cuda_backward(const CudaImages&, const CudaGroupNormBackward<c10::BFloat16>&, CUstream_st*);

}  // namespace zoo::nn::kernels
