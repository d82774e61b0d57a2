#include "test/catch.h"

#include <libzoo/nn/kernels/matmul.h>

#include <ATen/ATen.h>

using namespace zoo;
using nn::kernels::Product;

namespace {

struct Sizes {
  int64_t rows, columns, depth;
};

// A matrix whose rows or columns are runs, with a gap after each.
at::Tensor matrix(int64_t rows, int64_t columns, bool by_rows) {
  return by_rows ? at::randn({rows, columns + 3}).slice(1, 0, columns) : at::randn({columns, rows + 5}).slice(1, 0, rows).t();
}

nn::kernels::MatrixView view(const at::Tensor& x) { return {x.const_data_ptr<float>(), x.stride(0), x.stride(1)}; }

}  // namespace

TEST_CASE("products by AVX-512 agree with those in float64, in every order of memory", "[nn]") {
  if (!nn::kernels::has_matmul()) {
    WARN("the processor has no AVX-512");
    return;
  }
  // One value; a row, a column; less and more than a tile of 14 x 32, than a block of 256 deep and 512 wide.
  const auto s = GENERATE(Sizes{1, 1, 1}, Sizes{1, 70, 3}, Sizes{70, 1, 5}, Sizes{14, 32, 256}, Sizes{15, 33, 257}, Sizes{29, 47, 16},
                          Sizes{13, 16, 31}, Sizes{43, 1040, 520}, Sizes{100, 64, 1}, Sizes{12, 31, 600});
  const bool a_by_rows = GENERATE(true, false), b_by_rows = GENERATE(true, false), add = GENERATE(true, false);
  const auto a = matrix(s.rows, s.depth, a_by_rows), b = matrix(s.depth, s.columns, b_by_rows);
  const auto around = at::randn({s.rows + 2, s.columns + 7}), before = around.clone();
  const auto c = around.slice(0, 1, s.rows + 1).slice(1, 2, s.columns + 2);
  const auto expected = a.to(at::kDouble).mm(b.to(at::kDouble)) + (add ? c.to(at::kDouble) : at::zeros({}, at::kDouble));
  nn::kernels::matmul({.rows = s.rows,
                       .columns = s.columns,
                       .depth = s.depth,
                       .a = view(a),
                       .b = view(b),
                       .c = c.data_ptr<float>(),
                       .stride = c.stride(0),
                       .addend = add ? c.data_ptr<float>() : nullptr});
  CHECK((c.to(at::kDouble) - expected).abs().max().item<double>() < 2e-6 * double(s.depth + 4));
  c.copy_(before.slice(0, 1, s.rows + 1).slice(1, 2, s.columns + 2));
  CHECK(around.equal(before));  // nothing beside the result is written
}

TEST_CASE("a product is the same bit for bit whole and in parts", "[nn]") {
  if (!nn::kernels::has_matmul()) {
    WARN("the processor has no AVX-512");
    return;
  }
  const auto a = at::randn({61, 300}), b = at::randn({300, 90});
  const auto whole = at::empty({61, 90}), parts = at::empty({61, 90});
  const auto run = [&](const at::Tensor& c, int64_t row, int64_t rows, int64_t column, int64_t columns) {
    nn::kernels::matmul({.rows = rows,
                         .columns = columns,
                         .depth = 300,
                         .a = view(a.slice(0, row)),
                         .b = view(b.slice(1, column)),
                         .c = c.data_ptr<float>() + row * 90 + column,
                         .stride = 90});
  };
  run(whole, 0, 61, 0, 90);
  for (const auto& [row, rows] : {std::pair{0, 20}, {20, 41}})
    for (const auto& [column, columns] : {std::pair{0, 37}, {37, 53}}) run(parts, row, rows, column, columns);
  CHECK(parts.equal(whole));
}

TEST_CASE("a transposed matrix is that, at all sizes and with gaps between rows", "[nn]") {
  if (!nn::kernels::has_matmul()) return;
  for (const auto& [rows, columns] : {std::pair<int64_t, int64_t>{1, 1}, {16, 16}, {33, 47}, {48, 5}, {7, 64}}) {
    const auto from = at::randn({rows, columns + 3}), to = at::zeros({columns, rows + 2});
    nn::kernels::transpose(from.const_data_ptr<float>(), rows, columns, columns + 3, to.data_ptr<float>(), rows + 2);
    CHECK(at::equal(to.slice(1, 0, rows), from.slice(1, 0, columns).t()));
    CHECK(to.slice(1, rows).eq(0).all().item<bool>());
  }
}
