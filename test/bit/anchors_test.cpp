#include "test/catch.h"

#include <libzoo/bit/anchors.h>

#include <ATen/ATen.h>

#include <cmath>

using namespace zoo;
using namespace zoo::bit;

namespace {

at::Tensor boxes_of(std::vector<std::array<float, 4>> rows) {  // centre x, y, width, height
  auto t = at::empty({int64_t(rows.size()), 4});
  for (size_t i = 0; i < rows.size(); ++i)
    for (size_t j = 0; j < 4; ++j) t[int64_t(i)][int64_t(j)] = rows[i][j];
  return t;
}

std::vector<int64_t> labels_of(const Targets& targets) {
  const auto flat = targets.labels.flatten();
  return {flat.const_data_ptr<int64_t>(), flat.const_data_ptr<int64_t>() + flat.numel()};
}

data::LabelledBox object(double left, double top, double width, double height, int64_t label) {
  return {.box = {left, top, width, height}, .label = label};
}

}  // namespace

TEST_CASE("There are nine anchors a cell on five levels, also where a level's cells do not fill the canvas", "[bit]") {
  // tensorflow/tpu: 640 pixels have 80² + 40² + 20² + 10² + 5² cells; 100 pixels 13² + 7² + 4² + 2² + 1².
  CHECK(anchors({}, 640).size(0) == 9 * (6400 + 1600 + 400 + 100 + 25));
  CHECK(anchors({}, 100).size(0) == 9 * (169 + 49 + 16 + 4 + 1));
}

TEST_CASE("Anchors are centred on their cells, four cells wide, growing by thirds of an octave, in three aspects of equal area", "[bit]") {
  const auto all = anchors({}, 128);
  for (int64_t a = 0; a < 9; ++a) {
    INFO("anchor " << a);
    const double side = 32 * std::exp2(double(a / 3) / 3);
    const double aspect = std::vector<double>{0.5, 1, 2}[size_t(a % 3)];
    CHECK(all[a][0].item<double>() == 4);
    CHECK(all[a][1].item<double>() == 4);
    CHECK((all[a][2] * all[a][3]).item<double>() == Approx(side * side));
    CHECK((all[a][3] / all[a][2]).item<double>() == Approx(aspect));
  }
  // The second cell of the first row, the first of the second row, the last of all: one cell of 128 pixels.
  CHECK(all[9][0].item<double>() == 12);
  CHECK(all[9 * 16][1].item<double>() == 12);
  CHECK(all[all.size(0) - 1][0].item<double>() == 64);
}

TEST_CASE("A box relative to an anchor is as in the paper, and comes back", "[bit]") {
  const float anchor[4] = {50, 40, 20, 10};
  float code[4];
  encode_box({50, 30, 40, 10}, anchor, code);  // centre 70, 35
  CHECK(code[0] == Approx(1));
  CHECK(code[1] == Approx(-0.5));
  CHECK(code[2] == Approx(std::log(2.0)));
  CHECK(code[3] == Approx(0).margin(1e-7));
  const io::Box back = decode_box(code, anchor);
  CHECK(back.left == Approx(50).margin(1e-4));
  CHECK(back.top == Approx(30).margin(1e-4));
  CHECK(back.right() == Approx(90).margin(1e-4));
  CHECK(back.bottom() == Approx(40).margin(1e-4));
  const float absurd[4] = {0, 0, 1000, 1000};
  CHECK(decode_box(absurd, anchor).width == Approx(20 * 1000.0 / 16));
}

TEST_CASE("Anchors stand for what they overlap by half, for the background below 0.4, and for neither in between", "[bit]") {
  // Against an object of 10x10 at the origin: 1, 0.5, 9/20 of the union, 1/3, 0.
  const auto all = boxes_of({{5, 5, 10, 10}, {5, 2.5, 10, 5}, {5, 2.25, 10, 4.5}, {10, 5, 10, 10}, {100, 100, 10, 10}});
  const auto targets = match_anchors(all, {{object(0, 0, 10, 10, 3)}});
  CHECK(labels_of(targets) == std::vector<int64_t>{3, 3, kIgnored, kBackground, kBackground});
  CHECK(targets.positives == 2);
  CHECK(targets.codes[0][0].abs().max().item<double>() < 1e-6);
  CHECK(targets.codes[0][1][3].item<double>() == Approx(std::log(2.0)));
  CHECK(targets.codes[0][3].abs().max().item<double>() == 0);
}

TEST_CASE("The best anchor of an object stands for it however little they overlap, and each picture has its own", "[bit]") {
  const auto all = boxes_of({{5, 5, 10, 10}, {30, 30, 10, 10}});
  const auto targets = match_anchors(all, {{object(0, 0, 3, 3, 1)}, {}, {object(28, 28, 4, 4, 2), object(0, 0, 10, 10, 0)}});
  CHECK(labels_of(targets) == std::vector<int64_t>{1, kBackground, kBackground, kBackground, 0, 2});
  CHECK(targets.positives == 3);
}

TEST_CASE("Of two objects with the same best anchor the first has it; one that touches no anchor has none", "[bit]") {
  const auto all = boxes_of({{5, 5, 10, 10}});
  CHECK(labels_of(match_anchors(all, {{object(0, 0, 3, 3, 1), object(0, 0, 9, 9, 2)}})) == std::vector<int64_t>{1});
  CHECK(labels_of(match_anchors(all, {{object(50, 50, 3, 3, 1)}})) == std::vector<int64_t>{kBackground});
}
