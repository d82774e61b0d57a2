#include "test/catch.h"

#include <libzoo/bit/protocols.h>
#include <libzoo/core/error.h>

#include <ATen/ATen.h>

#include <numeric>

using namespace zoo::bit;

TEST_CASE("VTAB is the mean of 19 tasks, 7 natural, 4 specialized and 8 structured", "[bit]") {
  std::vector<double> accuracies(19);
  std::iota(accuracies.begin(), accuracies.end(), 0.0);
  const auto score = vtab_score(accuracies);
  REQUIRE(score.mean == 9);            // (0 + … + 18) / 19
  REQUIRE(score.natural == 3);         // 0 … 6
  REQUIRE(score.specialized == 8.5);   // 7 … 10
  REQUIRE(score.structured == 14.5);   // 11 … 18
  REQUIRE_THROWS_WITH(vtab_score(std::vector<double>(18)), Contains("19 tasks, got 18"));
}

TEST_CASE("VTAB labels are the last threshold strictly below the value", "[bit]") {
  REQUIRE(vtab_label("clevr-distance", 8) == 0);
  REQUIRE(vtab_label("clevr-distance", 8.01) == 1);
  REQUIRE(vtab_label("clevr-distance", 10.5) == 5);
  REQUIRE(vtab_label("kitti-distance", 20) == 1);
  REQUIRE(vtab_label("kitti-distance", 1e9) == 3);  // as if there were no vehicle: 1000
  REQUIRE(vtab_clevr_count_label(10) == 7);
}

TEST_CASE("dSprites labels come in 16 groups", "[bit]") {
  std::vector<int64_t> sizes(16, 0);
  for (int v = 0; v < 40; ++v) ++sizes[size_t(vtab_label("dsprites-orientation", v))];
  for (int64_t size : sizes) REQUIRE((size == 2 || size == 3));
  REQUIRE(vtab_label("dsprites-xpos", 31) == 15);
  REQUIRE(vtab_label("dsprites-xpos", 1) == 0);
}

TEST_CASE("A value without a VTAB label is refused", "[bit]") {
  REQUIRE_THROWS_WITH(vtab_label("clevr-distance", 0), Contains("has no class"));
  REQUIRE_THROWS_WITH(vtab_label("dsprites-xpos", 32), Contains("labels are 0 to 31, got 32"));
  REQUIRE_THROWS_WITH(vtab_label("dmlab", 1), Contains("no label rule for the VTAB task 'dmlab'"));
  REQUIRE_THROWS_WITH(vtab_clevr_count_label(2), Contains("3 to 10 objects, got 2"));
}

TEST_CASE("VTAB-1k takes the heads of the two splits", "[bit]") {
  const auto split = vtab_split(900, 200);
  REQUIRE(split.train800.back() == 799);
  REQUIRE(split.val200.front() == 900);
  REQUIRE(split.train800val200.size() == 1000);
  REQUIRE(split.train800val200[800] == 900);
  REQUIRE_THROWS_WITH(vtab_split(799, 200), Contains("has 799 and 200"));
}

TEST_CASE("ObjectNet counts an id of the right class as a hit and only pictures that have one", "[bit]") {
  // Four outputs: 0 and 3 are class 0, 1 is outside, 2 is class 1.
  const auto ids = at::tensor({0, -1, 1, 0}, at::kLong);
  const auto logits = at::tensor({0.f, 9.f, 1.f, 5.f,    // outside wins; among the rest id 3, class 0
                                  1.f, 0.f, 8.f, 2.f,    // class 1
                                  5.f, 0.f, 1.f, 2.f})   // left out
                          .view({3, 4});
  const auto score = objectnet_score(logits, ids, at::tensor({0, 1, -1}, at::kLong));
  REQUIRE(score.count == 2);
  REQUIRE(score.top1_full == 0.5);
  REQUIRE(score.top1_restricted == 1);
  REQUIRE(score.top5_full == 1);
  REQUIRE_THROWS_WITH(objectnet_score(logits, ids, at::full({3}, -1, at::kLong)), Contains("no picture"));
}
