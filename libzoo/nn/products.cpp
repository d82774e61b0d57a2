#include <libzoo/io/parallel_for.h>
#include <libzoo/nn/products.h>
#include <libzoo/nn/typed.h>

#include <ATen/ATen.h>

#include <algorithm>

namespace zoo::nn {
namespace {

constexpr int64_t kTile = 32;            // rows or columns per thread at least
constexpr int64_t kLeastWork = 1 << 20;  // products per thread at least
constexpr int64_t kFewestParts = 4, kMostParts = 16;  // of a sum
constexpr int64_t kPartFloats = 1 << 21;  // of all parts: 8 MiB
constexpr int64_t kDeep = 1024;           // values of a part of a sum at least

bool has_runs(const at::Tensor& matrix) { return matrix.stride(1) == 1 || matrix.stride(0) == 1; }

template <class S>
kernels::MatrixView<S> view(const at::Tensor& matrix, int64_t row, int64_t column) {
  return {values<S>(matrix) + row * matrix.stride(0) + column * matrix.stride(1), matrix.stride(0), matrix.stride(1)};
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

// Of the part of a matrix that begins there.
std::optional<kernels::Normal> part_of(std::optional<kernels::Normal> normal, int64_t row, int64_t column) {
  if (!normal) return normal;
  normal->first += row;
  for (auto** table : {&normal->mean, &normal->rest, &normal->scale, &normal->shift}) *table += column;
  return normal;
}

}  // namespace

bool has_own_product(const at::Tensor& result, const at::Tensor& a, const at::Tensor& b) {
  if (!has_runs(a) || !has_runs(b)) return false;
  if (a.scalar_type() == at::kFloat) return kernels::has_matmul();
  // Values of bfloat16 are multiplied in pairs, which must not end between two rows.
  const bool pairs = a.size(1) % 2 == 0 || (a.stride(1) != 1 && b.stride(1) == 1);
  return a.scalar_type() == at::kBFloat16 && kernels::has_bfloat16_matmul() && pairs &&
         (result.scalar_type() == at::kFloat || a.size(1) <= kernels::kMostDepth);
}

void multiply(const at::Tensor& result, const at::Tensor& a, const at::Tensor& b, const at::Tensor& addend, const Normals& normals) {
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

void multiply_deep(const at::Tensor& result, const at::Tensor& a, const at::Tensor& b, const std::optional<kernels::Normal>& normal_b) {
  const int64_t rows = result.size(0), columns = result.size(1), depth = a.size(1);
  const int64_t most = std::min({depth / kDeep, kMostParts, kPartFloats / result.numel()});
  const int64_t parts = most >= kFewestParts && a.stride(0) == 1 && b.stride(1) == 1 ? most : 1;
  const Normals normals{.of_b = normal_b};
  if (parts == 1 && has_own_product(result, a, b)) return multiply(result, a, b, {}, normals);
  const auto sums = at::empty({parts, rows, columns}, at::kFloat);
  if (!has_own_product(sums[0], a, b)) return multiply(result, a, b);
  if (parts == 1) {
    multiply(sums[0], a, b, {}, normals);
    at::Tensor(result).copy_(sums[0]);
    return;
  }
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
  auto sum = result.scalar_type() == at::kFloat ? result : sums[0];
  at::add_out(sum, sums[0], sums[1]);
  for (int64_t i = 2; i < parts; ++i) sum.add_(sums[i]);
  if (!sum.is_same(result)) at::Tensor(result).copy_(sum);
}

}  // namespace zoo::nn
