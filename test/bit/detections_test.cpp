#include "test/catch.h"

#include <libzoo/bit/anchors.h>
#include <libzoo/bit/detections.h>

#include <ATen/ATen.h>

#include <cmath>

using namespace zoo;
using namespace zoo::bit;

namespace {

std::vector<double> scores_of(const std::vector<Detection>& found) {
  std::vector<double> scores;
  for (const auto& one : found) scores.push_back(one.score);
  return scores;
}

}  // namespace

TEST_CASE("Of boxes of a class that overlap only the surest is kept; other classes do not matter", "[bit]") {
  const std::vector<Detection> sorted{{{0, 0, 10, 10}, 0, 0.9},
                                      {{1, 0, 10, 10}, 0, 0.8},    // overlaps the first by 9 / 11
                                      {{1, 0, 10, 10}, 1, 0.7},    // another class
                                      {{5, 0, 10, 10}, 0, 0.6},    // by 5 / 15
                                      {{50, 50, 10, 10}, 0, 0.5}};
  CHECK(scores_of(suppress_non_maxima(sorted, {})) == std::vector<double>{0.9, 0.7, 0.6, 0.5});
  CHECK(scores_of(suppress_non_maxima(sorted, {.overlap = 0.3})) == std::vector<double>{0.9, 0.7, 0.5});
  CHECK(scores_of(suppress_non_maxima(sorted, {.overlap = 1})).size() == 5);
  CHECK(scores_of(suppress_non_maxima(sorted, {.most = 2})) == std::vector<double>{0.9, 0.7});
}

TEST_CASE("A box that was left out leaves out no other", "[bit]") {
  // Each overlaps the next by 6 / 14, the first and the third by 2 / 18.
  const std::vector<Detection> sorted{{{0, 0, 10, 10}, 0, 0.9}, {{4, 0, 10, 10}, 0, 0.8}, {{8, 0, 10, 10}, 0, 0.7}};
  CHECK(scores_of(suppress_non_maxima(sorted, {.overlap = 0.4})) == std::vector<double>{0.9, 0.7});
}

TEST_CASE("Detections are the surest pairs of anchor and class, with the boxes that the codes say", "[bit]") {
  const auto all = at::tensor({10.f, 10.f, 20.f, 20.f, 60.f, 60.f, 20.f, 20.f}).view({2, 4});
  const auto logits = at::tensor({-3.f, 2.f, -5.f, 1.f, -9.f, 0.f}).view({2, 3});
  auto codes = at::zeros({2, 4});
  codes[1][0] = 0.5;
  const auto found = select_detections(logits, codes, all, {.candidates = 3});
  REQUIRE(found.size() == 3);
  CHECK(found[0].label == 1);
  CHECK(found[0].score == Approx(1 / (1 + std::exp(-2.0))));
  CHECK(found[0].box.left == Approx(0).margin(1e-5));
  CHECK(found[1].label == 0);
  CHECK(found[1].box.left == Approx(60));  // half an anchor to the right of 50
  CHECK(found[1].box.right() == Approx(80));
  CHECK(found[2].score == 0.5);
  CHECK(select_detections(logits, codes, all, {.least_score = 0.6}).size() == 2);
}
