#include "test/catch.h"
#include <libzoo/core/array.h>
#include <libzoo/core/error.h>

using zoo::Array;
using zoo::DType;

TEST_CASE("An array of zeros has the size its shape says", "[core]") {
  Array a(DType::i64, {2, 3});
  REQUIRE(a.size() == 6);
  REQUIRE(a.bytes() == 48);
  for (int64_t v : a.span<int64_t>()) REQUIRE(v == 0);
}

TEST_CASE("A shape whose product overflows is refused", "[core]") {
  std::vector<int64_t> shape{int64_t(1) << 32, int64_t(1) << 32};
  REQUIRE_THROWS_WITH(zoo::count(shape), Contains("too large"));
  REQUIRE_THROWS_WITH(zoo::count(std::vector<int64_t>{3, -1}), Contains("negative"));
  REQUIRE(zoo::count(std::vector<int64_t>{0, int64_t(1) << 32}) == 0);
}

TEST_CASE("An array is read as the type it holds and no other", "[core]") {
  auto a = Array::scalar(1.5f);
  REQUIRE(a.shape().empty());
  REQUIRE(a.span<float>()[0] == 1.5f);
  REQUIRE_THROWS_WITH(a.span<double>(), Contains("array holds F32, F64 was asked for"));
}
