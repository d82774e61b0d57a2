#include <libzoo/io/parallel_for.h>
#include <libzoo/nn/convolution.h>
#include <libzoo/nn/first_derivative.h>
#include <libzoo/nn/kernels/matmul.h>
#include <libzoo/nn/kernels/winograd.h>
#include <libzoo/nn/typed.h>
#include <libzoo/nn/without_autograd.h>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <optional>

namespace zoo::nn {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr auto kChannelsLast = at::MemoryFormat::ChannelsLast;
constexpr int64_t kFewPixels = 4;        // 2x2
constexpr int64_t kTile = 32;            // rows or columns per thread at least
constexpr int64_t kLeastWork = 1 << 20;  // products per thread at least
constexpr int64_t kFewestParts = 4, kMostParts = 16;       // of a sum
constexpr int64_t kPartFloats = 1 << 21;   // of all parts: 8 MiB
constexpr int64_t kDeep = 1024;          // values of a part of a sum at least
constexpr int64_t kFilterTiles = 33;     // products with which a transformed filter could be made and read
constexpr double kLeastSaved = 0.8;      // products and those, per product of the definition
constexpr int64_t kFewestTiles = 128;    // of images and gradients, transformed together
constexpr int64_t kTileFloats = 1 << 20; // 4 MiB

// [batch, channels, h, w] in channels-last memory as a matrix [batch · h · w, channels] of the same memory.
at::Tensor as_rows(const at::Tensor& x) { return x.as_strided({x.size(0) * x.size(2) * x.size(3), x.size(1)}, {x.size(1), 1}); }

at::Tensor as_matrix(const at::Tensor& weight) { return weight.as_strided({weight.size(0), weight.size(1)}, {weight.size(1), 1}); }

at::Tensor every(const at::Tensor& x, int64_t stride) { return x.slice(2, 0, x.size(2), stride).slice(3, 0, x.size(3), stride); }

at::Tensor empty_image(const at::Tensor& like, int64_t batch, int64_t channels, int64_t height, int64_t width) {
  return at::empty({batch, channels, height, width}, like.options(), kChannelsLast);
}

bool has_runs(const at::Tensor& matrix) { return matrix.stride(1) == 1 || matrix.stride(0) == 1; }

// Our own products: bfloat16 is multiplied in pairs, which must not end between two rows.
bool has_own_product(const at::Tensor& result, const at::Tensor& a, const at::Tensor& b) {
  if (!has_runs(a) || !has_runs(b)) return false;
  if (a.scalar_type() == at::kFloat) return kernels::has_matmul();
  const bool pairs = a.size(1) % 2 == 0 || (a.stride(1) != 1 && b.stride(1) == 1);
  return a.scalar_type() == at::kBFloat16 && kernels::has_bfloat16_matmul() && pairs &&
         (result.scalar_type() == at::kFloat || a.size(1) <= kernels::kMostDepth);
}

template <class S>
kernels::MatrixView<S> view(const at::Tensor& matrix, int64_t row, int64_t column) {
  return {values<S>(matrix) + row * matrix.stride(0) + column * matrix.stride(1), matrix.stride(0), matrix.stride(1)};
}

template <class F>
void with_float_or_bfloat16(const at::Tensor& x, F work) {
  x.scalar_type() == at::kFloat ? work(float()) : work(kernels::BFloat16());
}

// Calls work(S(), C()) with the types of the factors and of their product.
template <class F>
void with_product_types(const at::Tensor& factor, const at::Tensor& result, F work) {
  if (factor.scalar_type() == at::kFloat)
    work(float(), float());
  else if (result.scalar_type() == at::kFloat)
    work(kernels::BFloat16(), float());
  else
    work(kernels::BFloat16(), kernels::BFloat16());
}

struct Normals {
  std::optional<kernels::Normal> of_a, of_b;
};

// Of the part of a matrix that begins there.
std::optional<kernels::Normal> part_of(std::optional<kernels::Normal> normal, int64_t row, int64_t column) {
  if (!normal) return normal;
  normal->first += row;
  for (auto** table : {&normal->mean, &normal->rest, &normal->scale, &normal->shift}) *table += column;
  return normal;
}

// result = a · b, plus `addend` if it is defined: a matrix that lies as `result` does, or that itself.
void multiply(const at::Tensor& result, const at::Tensor& a, const at::Tensor& b, const at::Tensor& addend = {},
              const Normals& normals = {}) {
  if (!has_own_product(result, a, b)) {
    auto out = result;
    addend.defined() ? at::addmm_out(out, addend, a, b) : at::mm_out(out, a, b);
    return;
  }
  const int64_t rows = result.size(0), columns = result.size(1), depth = a.size(1);
  const bool by_rows = rows >= columns;  // the larger side is divided: each thread packs all of the other
  const int64_t least = std::max<int64_t>(kTile, kLeastWork / (depth * std::min(rows, columns)));
  with_product_types(a, result, [&](auto s, auto t) {
    using S = decltype(s);
    using C = decltype(t);
    io::parallel_for(0, by_rows ? rows : columns, least, [&](int64_t begin, int64_t end) {
      const int64_t row = by_rows ? begin : 0, column = by_rows ? 0 : begin;
      const auto of_a = part_of(normals.of_a, row, 0), of_b = part_of(normals.of_b, 0, column);
      kernels::matmul(kernels::Product<S, C>{.rows = by_rows ? end - begin : rows,
                                             .columns = by_rows ? columns : end - begin,
                                             .depth = depth,
                                             .a = view<S>(a, row, 0),
                                             .b = view<S>(b, 0, column),
                                             .c = mutable_values<C>(result) + row * result.stride(0) + column,
                                             .stride = result.stride(0),
                                             .addend = addend.defined() ? values<C>(addend) + row * addend.stride(0) + column : nullptr,
                                             .of_a = of_a ? &*of_a : nullptr,
                                             .of_b = of_b ? &*of_b : nullptr});
    });
  });
}

void multiply_onto(const at::Tensor& result, const at::Tensor& a, const at::Tensor& b) { multiply(result, a, b, result); }

// result = a · b for long sums, in float32. They are divided into parts, each the work of one thread, that are added up: by shape alone,
// so that results don't depend on the number of threads.
void multiply_deep(const at::Tensor& result, const at::Tensor& a, const at::Tensor& b,
                   const std::optional<kernels::Normal>& normal_b = {}) {
  const int64_t rows = result.size(0), columns = result.size(1), depth = a.size(1);
  if (result.scalar_type() == at::kBFloat16) {
    const auto sum = at::empty({rows, columns}, at::kFloat);
    if (!has_own_product(sum, a, b)) return multiply(result, a, b);
    multiply_deep(sum, a, b, normal_b);
    result.view_as(sum).copy_(sum);
    return;
  }
  const int64_t parts = std::min({depth / kDeep, kMostParts, kPartFloats / result.numel()});
  if (parts < kFewestParts || !has_own_product(result, a, b) || a.stride(0) != 1 || b.stride(1) != 1)
    return multiply(result, a, b, {}, {.of_b = normal_b});
  const auto sums = at::empty({parts, rows, columns}, at::kFloat);
  with_float_or_bfloat16(a, [&](auto s) {
    using S = decltype(s);
    io::parallel_for(0, parts, 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const int64_t first = depth * i / parts, last = depth * (i + 1) / parts;
        const auto normal = part_of(normal_b, first, 0);
        kernels::matmul(kernels::Product<S, float>{.rows = rows,
                                                   .columns = columns,
                                                   .depth = last - first,
                                                   .a = view<S>(a, 0, first),
                                                   .b = view<S>(b, first, 0),
                                                   .c = sums.data_ptr<float>() + i * rows * columns,
                                                   .stride = columns,
                                                   .of_b = normal ? &*normal : nullptr});
      }
    });
  });
  auto sum = result.view_as(sums[0]);
  at::add_out(sum, sums[0], sums[1]);
  for (int64_t i = 2; i < parts; ++i) sum.add_(sums[i]);
}

// The norm of a matrix whose rows are pixels of images of this size.
std::optional<kernels::Normal> normal_of(const FoldedNorm* norm, const at::Tensor& image) {
  if (!norm) return std::nullopt;
  const auto* table = norm->tables.const_data_ptr<float>();
  const int64_t apart = norm->tables.stride(0);
  return kernels::Normal{.mean = table,
                         .rest = table + apart,
                         .scale = table + 2 * apart,
                         .shift = table + 3 * apart,
                         .channels = norm->tables.size(2),
                         .pixels = image.size(2) * image.size(3),
                         .relu = norm->relu};
}

// A 1x1 kernel: y = x · wᵀ, row by row of pixels.
at::Tensor pointwise(const at::Tensor& x, const at::Tensor& weight, int64_t stride, const at::Tensor& addend, const FoldedNorm* norm) {
  const auto used = stride == 1 ? x : every(x, stride).contiguous(kChannelsLast);
  auto y = empty_image(x, used.size(0), weight.size(0), used.size(2), used.size(3));
  multiply(as_rows(y), as_rows(used), as_matrix(weight).t(), addend.defined() ? as_rows(addend) : addend, {.of_a = normal_of(norm, y)});
  return y;
}

ConvolutionGradients pointwise_backward(const at::Tensor& grad, const at::Tensor& x, const at::Tensor& weight, int64_t stride, bool of_x,
                                        bool of_weight, const FoldedNorm* norm) {
  ConvolutionGradients result;
  if (of_x) {
    result.x = empty_image(x, x.size(0), x.size(1), grad.size(2), grad.size(3));
    multiply(as_rows(result.x), as_rows(grad), as_matrix(weight));
    if (stride != 1) {
      auto spread = empty_image(x, x.size(0), x.size(1), x.size(2), x.size(3)).zero_();
      every(spread, stride).copy_(result.x);
      result.x = spread;
    }
  }
  if (of_weight) {
    result.weight = at::empty_like(weight);
    multiply_deep(as_matrix(result.weight), as_rows(grad).t(), as_rows(stride == 1 ? x : every(x, stride).contiguous(kChannelsLast)),
                  normal_of(norm, grad));
  }
  return result;
}

// For each output pixel and kernel row: the taps that meet the image, side by side in memory, in the weight as in the image.
struct Run {
  int64_t out;             // pixel of the output
  int64_t in;              // first pixel of the input
  int64_t tap;             // first tap
  int64_t length;          // pixels, taps
};

std::vector<Run> runs(int64_t height, int64_t width, int64_t kernel, int64_t stride, int64_t padding) {
  const int64_t rows = (height + 2 * padding - kernel) / stride + 1, columns = (width + 2 * padding - kernel) / stride + 1;
  std::vector<Run> result;
  for (int64_t out = 0; out < rows * columns; ++out) {
    const int64_t top = out / columns * stride - padding, left = out % columns * stride - padding;
    const int64_t first = std::max<int64_t>(left, 0), end = std::min(left + kernel, width);
    for (int64_t row = std::max<int64_t>(top, 0); row < std::min(top + kernel, height) && first < end; ++row) {
      result.push_back({out, row * width + first, (row - top) * kernel + first - left, end - first});
    }
  }
  return result;
}

// Parts of channels-last memory as matrices: `length` pixels of each image or taps of each filter, and all their channels.
at::Tensor part(const at::Tensor& x, int64_t first, int64_t length) {
  const int64_t channels = x.size(1);
  return x.as_strided({x.size(0), length * channels}, {x.size(2) * x.size(3) * channels, 1}, x.storage_offset() + first * channels);
}

at::Tensor few_pixels(const at::Tensor& x, const at::Tensor& weight, const Convolution& shape) {
  const int64_t kernel = weight.size(2);
  auto y = empty_image(x, x.size(0), weight.size(0), (x.size(2) + 2 * shape.padding - kernel) / shape.stride + 1,
                       (x.size(3) + 2 * shape.padding - kernel) / shape.stride + 1)
               .zero_();
  for (const auto& run : runs(x.size(2), x.size(3), kernel, shape.stride, shape.padding)) {
    multiply_onto(part(y, run.out, 1), part(x, run.in, run.length), part(weight, run.tap, run.length).t());
  }
  return y;
}

ConvolutionGradients few_pixels_backward(const at::Tensor& grad, const at::Tensor& x, const at::Tensor& weight, const Convolution& shape,
                                         bool of_x, bool of_weight) {
  ConvolutionGradients result;
  if (of_x) result.x = at::zeros_like(x, kChannelsLast);
  if (of_weight) result.weight = at::zeros_like(weight, kChannelsLast);
  for (const auto& run : runs(x.size(2), x.size(3), weight.size(2), shape.stride, shape.padding)) {
    const auto above = part(grad, run.out, 1);
    if (of_x) multiply_onto(part(result.x, run.in, run.length), above, part(weight, run.tap, run.length));
    if (of_weight) multiply_onto(part(result.weight, run.tap, run.length), above.t(), part(x, run.in, run.length));
  }
  return result;
}

// Products for each pair of channels.
int64_t products(const kernels::WinogradShape& shape) { return shape.points() * shape.tiles(); }
int64_t cost(const kernels::WinogradShape& shape) { return products(shape) + shape.points() * kFilterTiles; }

// The definition's, as float32 ones: those of bfloat16, which the library makes, take half the time.
double products_of_definition(const kernels::WinogradShape& shape, at::ScalarType type) {
  return (type == at::kFloat ? 9 : 4.5) * double(shape.images * shape.out_height() * shape.out_width());
}

bool is_worth_it(const kernels::WinogradShape& shape, at::ScalarType type) {
  return double(cost(shape)) < kLeastSaved * products_of_definition(shape, type);
}

kernels::WinogradShape winograd_shape(const at::Tensor& x, const at::Tensor& weight, int64_t stride) {
  const auto shape = [&](kernels::Filtering filtering) {
    return kernels::WinogradShape{
        .filtering = filtering, .images = x.size(0), .height = x.size(2), .width = x.size(3), .in = x.size(1), .out = weight.size(0)};
  };
  if (stride == 2) return shape(kernels::Filtering::strided);
  const auto two = shape(kernels::Filtering::two), four = shape(kernels::Filtering::four);
  return cost(four) < cost(two) ? four : two;
}

at::Tensor filters_of(const kernels::WinogradShape& shape, const at::Tensor& weight) {
  auto filters = at::empty({shape.points(), shape.in, shape.out}, at::kFloat);
  with_float_or_bfloat16(weight, [&](auto s) {
    io::parallel_for(0, shape.in / 16, 1, [&](int64_t first, int64_t last) {
      kernels::winograd_filters(shape, values<decltype(s)>(weight), filters.data_ptr<float>(), first, last);
    });
  });
  return filters;
}

at::Tensor turned_filters_of(const kernels::WinogradShape& shape, const at::Tensor& weight) {
  auto filters = at::empty({shape.points(), shape.out, shape.in}, at::kFloat);
  with_float_or_bfloat16(weight, [&](auto s) {
    io::parallel_for(0, shape.out, kTile, [&](int64_t first, int64_t last) {
      kernels::winograd_filters_turned(shape, values<decltype(s)>(weight), filters.data_ptr<float>(), first, last);
    });
  });
  return filters;
}

// Divides the products of the points among the threads, and each into slices where there are many threads. `rows` are of the results.
template <class Multiply>
void for_points(const kernels::WinogradShape& shape, int64_t rows, Multiply multiply) {
  const int64_t slices = std::max<int64_t>(1, std::min<int64_t>(at::get_num_threads() / 16, rows / kTile));
  const int64_t height = (rows + slices - 1) / slices;
  io::parallel_for(0, shape.points() * slices, 1, [&](int64_t first, int64_t last) {
    for (int64_t i = first; i < last; ++i) multiply(i / slices, i % slices * height, std::min(rows, (i % slices + 1) * height));
  });
}

// The threads share the transforms of the tiles, so that each filter is read by one of them.
template <class In, class Out>
void filter_tiles(const kernels::WinogradShape& shape, const at::Tensor& filters, In in, Out out) {
  const int64_t depth = filters.size(1), columns = filters.size(2), total = shape.tiles(), points = shape.points();
  const int64_t count = std::min(total, std::max(kFewestTiles, kTileFloats / (points * (depth + columns))));
  const auto inputs = at::empty({points, count, depth}, at::kFloat), outputs = at::empty({points, count, columns}, at::kFloat);
  for (int64_t start = 0; start < total; start += count) {
    const int64_t used = std::min(count, total - start);
    io::parallel_for(0, used, 1, [&](int64_t first, int64_t last) { in(inputs.data_ptr<float>(), {start, count, first, last}); });
    for_points(shape, used, [&](int64_t point, int64_t first, int64_t last) {
      kernels::matmul(kernels::Product<float>{.rows = last - first,
                                              .columns = columns,
                                              .depth = depth,
                                              .a = {inputs.const_data_ptr<float>() + (point * count + first) * depth, depth, 1},
                                              .b = {filters.const_data_ptr<float>() + point * depth * columns, columns, 1},
                                              .c = outputs.data_ptr<float>() + (point * count + first) * columns,
                                              .stride = columns});
    });
    io::parallel_for(0, used, 1, [&](int64_t first, int64_t last) { out(outputs.const_data_ptr<float>(), {start, count, first, last}); });
  }
}

at::Tensor winograd(const at::Tensor& x, const at::Tensor& weight, int64_t stride) {
  const auto shape = winograd_shape(x, weight, stride);
  if (!is_worth_it(shape, x.scalar_type())) return at::conv2d(x, weight, {}, stride, 1);
  auto y = empty_image(x, shape.images, shape.out, shape.out_height(), shape.out_width());
  with_float_or_bfloat16(x, [&](auto s) {
    using S = decltype(s);
    filter_tiles(
        shape, filters_of(shape, weight),
        [&](float* tiles, const kernels::TileSlab& slab) { kernels::winograd_in(shape, values<S>(x), tiles, slab); },
        [&](const float* tiles, const kernels::TileSlab& slab) { kernels::winograd_out(shape, tiles, mutable_values<S>(y), slab); });
  });
  return y;
}

at::Tensor winograd_back(const kernels::WinogradShape& shape, const at::Tensor& grad, const at::Tensor& weight) {
  auto grad_x = empty_image(grad, shape.images, shape.in, shape.height, shape.width);
  with_float_or_bfloat16(grad, [&](auto s) {
    using S = decltype(s);
    filter_tiles(
        shape, turned_filters_of(shape, weight),
        [&](float* tiles, const kernels::TileSlab& slab) { kernels::winograd_back_in(shape, values<S>(grad), tiles, slab); },
        [&](const float* tiles, const kernels::TileSlab& slab) {
          kernels::winograd_back_out(shape, tiles, mutable_values<S>(grad_x), slab);
        });
  });
  return grad_x;
}

at::Tensor winograd_gradient(const kernels::WinogradShape& shape, const at::Tensor& grad, const at::Tensor& x, const at::Tensor& weight) {
  const int64_t in = shape.in, out = shape.out, total = shape.tiles(), points = shape.points();
  const int64_t count = std::min(total, std::max(kFewestTiles, kTileFloats / (points * (in + out))));
  const auto filters = at::empty({points, out, in}, at::kFloat), x_tiles = at::empty({points, count, in}, at::kFloat),
             grad_tiles = at::empty({points, count, out}, at::kFloat);
  for (int64_t start = 0; start < total; start += count) {
    const int64_t used = std::min(count, total - start);
    with_float_or_bfloat16(x, [&](auto s) {
      using S = decltype(s);
      io::parallel_for(0, used, 1, [&](int64_t first, int64_t last) {
        kernels::winograd_in(shape, values<S>(x), x_tiles.data_ptr<float>(), {start, count, first, last});
        kernels::winograd_gradient_in(shape, values<S>(grad), grad_tiles.data_ptr<float>(), {start, count, first, last});
      });
    });
    for_points(shape, out, [&](int64_t point, int64_t first, int64_t last) {
      auto* result = filters.data_ptr<float>() + (point * out + first) * in;
      kernels::matmul(kernels::Product<float>{.rows = last - first,
                                              .columns = in,
                                              .depth = used,
                                              .a = {grad_tiles.const_data_ptr<float>() + point * count * out + first, 1, out},
                                              .b = {x_tiles.const_data_ptr<float>() + point * count * in, in, 1},
                                              .c = result,
                                              .stride = in,
                                              .addend = start > 0 ? result : nullptr});
    });
  }
  auto result = at::empty_like(weight);
  with_float_or_bfloat16(x, [&](auto s) {
    io::parallel_for(0, out, kTile, [&](int64_t first, int64_t last) {
      kernels::winograd_filters_back(shape, filters.const_data_ptr<float>(), mutable_values<decltype(s)>(result), first, last);
    });
  });
  return result;
}

ConvolutionGradients library_backward(const at::Tensor& grad, const at::Tensor& x, const at::Tensor& weight, const Convolution& shape,
                                      bool of_x, bool of_weight) {
  if (!of_x && !of_weight) return {};
  auto [grad_x, grad_weight, none] =
      at::convolution_backward(grad, x, weight, c10::nullopt, {shape.stride, shape.stride}, {shape.padding, shape.padding}, {1, 1}, false,
                               {0, 0}, 1, {of_x, of_weight, false});
  return {grad_x, grad_weight};
}

// A weight's gradient has no filters to be made, and the library is slower at it.
ConvolutionGradients winograd_backward(const at::Tensor& grad, const at::Tensor& x, const at::Tensor& weight, int64_t stride, bool of_x,
                                       bool of_weight) {
  const auto shape = winograd_shape(x, weight, stride);
  const bool filter_x = of_x && is_worth_it(shape, x.scalar_type()),
             filter_weight = of_weight && double(products(shape)) < products_of_definition(shape, x.scalar_type());
  auto result = library_backward(grad, x, weight, {stride, 1}, of_x && !filter_x, of_weight && !filter_weight);
  if (filter_x) result.x = winograd_back(shape, grad, weight);
  if (filter_weight) result.weight = winograd_gradient(shape, grad, x, weight);
  return result;
}

at::Tensor added(at::Tensor y, const at::Tensor& addend) { return addend.defined() ? y.add_(addend) : y; }

enum class Way { pointwise, few_pixels, winograd, library };

// 3x3 kernels whose channels fill vectors.
bool suits_winograd(const at::Tensor& x, const at::Tensor& weight, const Convolution& shape) {
  return kernels::has_matmul() && (x.scalar_type() == at::kFloat || x.scalar_type() == at::kBFloat16) && weight.size(2) == 3 &&
         weight.size(3) == 3 && shape.stride <= 2 && shape.padding == 1 && x.size(1) % 16 == 0 && x.size(1) >= kTile &&
         weight.size(0) % 16 == 0 && weight.size(0) >= kTile;
}

Way way_of(const at::Tensor& x, const at::Tensor& weight, const Convolution& shape) {
  const bool plain = x.device().is_cpu() && x.dim() == 4 && x.numel() > 0 && has_loops(x.scalar_type()) &&
                     x.scalar_type() == weight.scalar_type() && x.size(1) == weight.size(1) && x.is_contiguous(kChannelsLast);
  if (!plain) return Way::library;
  if (weight.size(2) == 1 && weight.size(3) == 1 && shape.padding == 0) return Way::pointwise;
  const int64_t kernel = weight.size(2), rows = x.size(2) + 2 * shape.padding - kernel, columns = x.size(3) + 2 * shape.padding - kernel;
  const bool few =
      kernel == weight.size(3) && rows >= 0 && columns >= 0 && (rows / shape.stride + 1) * (columns / shape.stride + 1) <= kFewPixels;
  if (few) return Way::few_pixels;
  return suits_winograd(x, weight, shape) ? Way::winograd : Way::library;
}

struct ConvolutionFunction : torch::autograd::Function<ConvolutionFunction> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& x, const at::Tensor& given_weight, int64_t stride, int64_t padding) {
    const auto weight = given_weight.contiguous(kChannelsLast);
    ctx->save_for_backward({x, weight});
    ctx->saved_data["stride"] = stride;
    ctx->saved_data["padding"] = padding;
    return convolve(x, weight, {stride, padding});
  }

  static variable_list backward(AutogradContext* ctx, variable_list gradients) {
    require_first_derivative("a convolution by matrix products");
    const auto saved = ctx->get_saved_variables();
    const auto result =
        convolve_backward(gradients[0], saved[0], saved[1], {ctx->saved_data["stride"].toInt(), ctx->saved_data["padding"].toInt()},
                          ctx->needs_input_grad(0), ctx->needs_input_grad(1));
    return {result.x, result.weight, at::Tensor(), at::Tensor()};
  }
};

}  // namespace

bool folds_norm(const at::Tensor& x, const at::Tensor& weight, const Convolution& shape) {
  const bool own = x.scalar_type() == at::kFloat      ? kernels::has_matmul()
                   : x.scalar_type() == at::kBFloat16 ? kernels::has_bfloat16_matmul() && x.size(1) <= kernels::kMostDepth
                                                      : false;
  return own && way_of(x, weight, shape) == Way::pointwise && x.size(1) % 16 == 0 && weight.size(0) % 16 == 0;
}

at::Tensor convolve(const at::Tensor& x, const at::Tensor& given_weight, const Convolution& shape, const at::Tensor& addend,
                    const FoldedNorm* norm) {
  const auto way = way_of(x, given_weight, shape);
  if (way == Way::library) return added(at::conv2d(x, given_weight, {}, shape.stride, shape.padding), addend);
  const auto weight = given_weight.contiguous(kChannelsLast);
  if (way == Way::pointwise) return pointwise(x, weight, shape.stride, addend.defined() ? addend.contiguous(kChannelsLast) : addend, norm);
  return added(way == Way::few_pixels ? few_pixels(x, weight, shape) : winograd(x, weight, shape.stride), addend);
}

ConvolutionGradients convolve_backward(const at::Tensor& given_grad, const at::Tensor& x, const at::Tensor& given_weight,
                                       const Convolution& shape, bool of_x, bool of_weight, const FoldedNorm* norm) {
  const auto way = way_of(x, given_weight, shape);
  if (way == Way::library) {
    return library_backward(given_grad, x, given_weight, shape, of_x, of_weight);
  }
  const auto grad = given_grad.contiguous(kChannelsLast), weight = given_weight.contiguous(kChannelsLast);
  if (way == Way::pointwise) return pointwise_backward(grad, x, weight, shape.stride, of_x, of_weight, norm);
  return way == Way::few_pixels ? few_pixels_backward(grad, x, weight, shape, of_x, of_weight)
                                : winograd_backward(grad, x, weight, shape.stride, of_x, of_weight);
}

at::Tensor conv2d(const at::Tensor& x, const at::Tensor& weight, int64_t stride, int64_t padding) {
  if (way_of(x, weight, {stride, padding}) == Way::library) return at::conv2d(x, weight, {}, stride, padding);
  return ConvolutionFunction::apply(x, weight, stride, padding);
}

}  // namespace zoo::nn
