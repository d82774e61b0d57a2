#include <libzoo/io/parallel_for.h>
#include <libzoo/nn/filtered_conv.h>
#include <libzoo/nn/kernels/matmul.h>
#include <libzoo/nn/kernels/winograd.h>
#include <libzoo/nn/typed.h>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>

namespace zoo::nn {
namespace {

constexpr int64_t kLeast = 32;            // channels; rows of a product per thread
constexpr int64_t kFilterTiles = 33;      // products with which a transformed filter could be made and read
constexpr double kLeastSaved = 0.8;       // products and those, per product of the definition
constexpr int64_t kFewestTiles = 128;     // of images and gradients, transformed together
constexpr int64_t kTileFloats = 1 << 20;  // 4 MiB

// Products for each pair of channels.
int64_t products(const kernels::WinogradShape& shape) { return shape.points() * shape.tiles(); }
int64_t cost(const kernels::WinogradShape& shape) { return products(shape) + shape.points() * kFilterTiles; }

// The definition's, as float32 ones: those of bfloat16, which the library makes, take half the time.
double products_of_definition(const kernels::WinogradShape& shape, at::ScalarType type) {
  return (type == at::kFloat ? 9 : 4.5) * double(shape.images * shape.out_height() * shape.out_width());
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
    io::parallel_for(0, shape.out, kLeast, [&](int64_t first, int64_t last) {
      kernels::winograd_filters_turned(shape, values<decltype(s)>(weight), filters.data_ptr<float>(), first, last);
    });
  });
  return filters;
}

// Divides the products of the points among the threads, and each into slices where there are many threads. `rows` are of the results.
template <class Multiply>
void for_points(const kernels::WinogradShape& shape, int64_t rows, Multiply multiply) {
  const int64_t slices = std::max<int64_t>(1, std::min<int64_t>(at::get_num_threads() / 16, rows / kLeast));
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

}  // namespace

bool suits_filtering(const at::Tensor& x, const at::Tensor& weight, const Convolution& shape) {
  return kernels::has_matmul() && (x.scalar_type() == at::kFloat || x.scalar_type() == at::kBFloat16) && weight.size(2) == 3 &&
         weight.size(3) == 3 && shape.stride <= 2 && shape.padding == 1 && x.size(1) % 16 == 0 && x.size(1) >= kLeast &&
         weight.size(0) % 16 == 0 && weight.size(0) >= kLeast;
}

bool filtering_pays(const at::Tensor& x, const at::Tensor& weight, int64_t stride) {
  const auto shape = winograd_shape(x, weight, stride);
  return double(cost(shape)) < kLeastSaved * products_of_definition(shape, x.scalar_type());
}

// There are no filters to be made, and the library is slower at it.
bool filtering_pays_for_weight(const at::Tensor& x, const at::Tensor& weight, int64_t stride) {
  const auto shape = winograd_shape(x, weight, stride);
  return double(products(shape)) < products_of_definition(shape, x.scalar_type());
}

at::Tensor filtered_convolve(const at::Tensor& x, const at::Tensor& weight, int64_t stride) {
  const auto shape = winograd_shape(x, weight, stride);
  auto y = at::empty({shape.images, shape.out, shape.out_height(), shape.out_width()}, x.options(), at::MemoryFormat::ChannelsLast);
  with_float_or_bfloat16(x, [&](auto s) {
    using S = decltype(s);
    filter_tiles(
        shape, filters_of(shape, weight),
        [&](float* tiles, const kernels::TileSlab& slab) { kernels::winograd_in(shape, values<S>(x), tiles, slab); },
        [&](const float* tiles, const kernels::TileSlab& slab) { kernels::winograd_out(shape, tiles, mutable_values<S>(y), slab); });
  });
  return y;
}

at::Tensor filtered_gradient_of_x(const at::Tensor& grad, const at::Tensor& x, const at::Tensor& weight, int64_t stride) {
  const auto shape = winograd_shape(x, weight, stride);
  auto grad_x = at::empty_like(x, at::MemoryFormat::ChannelsLast);
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

at::Tensor filtered_gradient_of_weight(const at::Tensor& grad, const at::Tensor& x, const at::Tensor& weight, int64_t stride) {
  const auto shape = winograd_shape(x, weight, stride);
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
    io::parallel_for(0, out, kLeast, [&](int64_t first, int64_t last) {
      kernels::winograd_filters_back(shape, filters.const_data_ptr<float>(), mutable_values<decltype(s)>(result), first, last);
    });
  });
  return result;
}

}  // namespace zoo::nn
