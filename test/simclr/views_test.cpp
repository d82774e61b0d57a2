#include "test/catch.h"

#include <libzoo/core/error.h>
#include <libzoo/simclr/views.h>

#include <cmath>
#include <map>

using namespace zoo;

namespace {

io::Image picture() {
  io::Image image{40, 60, 3, {}};
  for (int64_t i = 0; i < 40 * 60 * 3; ++i) image.pixels.push_back(uint8_t(i * 7 + i / 60));
  return image;
}

}  // namespace

TEST_CASE("Views are drawn with the published probabilities and strengths", "[simclr]") {
  constexpr int kDraws = 4000;
  const double strength = GENERATE(0.5, 1.0);
  const simclr::ViewOptions options{.color_strength = strength};
  double flips = 0, jitters = 0, greys = 0, blurs = 0, area = 0, smallest = 1;
  std::map<std::vector<data::ColorOperation>, int> orders;
  for (uint32_t i = 0; i < kDraws; ++i) {
    RandomStream random({.seed = 1, .id = i, .purpose = Purpose::augmentation});
    const auto draw = simclr::draw_view(250, 250, options, random);
    flips += draw.flip;
    greys += draw.grayscale;
    blurs += draw.blur_sigma > 0;
    const double share = double(draw.box.height * draw.box.width) / 62500;
    area += share;
    smallest = std::min(smallest, share);
    if (!draw.jitter) continue;
    ++jitters;
    ++orders[draw.jitter->order];
    REQUIRE(std::abs(draw.jitter->hue) <= 0.2 * strength + 1e-6);
    REQUIRE(std::abs(draw.jitter->contrast - 1) <= 0.8 * strength + 1e-6);
    REQUIRE(draw.jitter->brightness >= std::max(0.0, 1 - 0.8 * strength) - 1e-6);
  }
  REQUIRE_THAT(flips / kDraws, Catch::Matchers::WithinAbs(0.5, 0.03));
  REQUIRE_THAT(jitters / kDraws, Catch::Matchers::WithinAbs(0.8, 0.03));
  REQUIRE_THAT(greys / kDraws, Catch::Matchers::WithinAbs(0.2, 0.03));
  REQUIRE_THAT(blurs / kDraws, Catch::Matchers::WithinAbs(0.5, 0.03));
  REQUIRE_THAT(area / kDraws, Catch::Matchers::WithinAbs(0.42, 0.03));
  REQUIRE(smallest >= 0.099);
  REQUIRE(orders.size() == 24);
}

TEST_CASE("A view is what chance decided, and the same each time", "[simclr]") {
  const auto image = picture();
  const simclr::ViewOptions options{.size = 32};
  RandomStream first({.seed = 3, .purpose = Purpose::augmentation}), second({.seed = 3, .purpose = Purpose::augmentation});
  const auto a = simclr::make_view(image, simclr::draw_view(40, 60, options, first), options);
  REQUIRE(a.pixels == simclr::make_view(image, simclr::draw_view(40, 60, options, second), options).pixels);
  for (const float value : a.pixels) REQUIRE((value >= 0 && value <= 1));
  // Nothing left to chance: the whole picture.
  const simclr::ViewOptions plain{.size = 40, .crop = false, .flip = false, .color_strength = 0, .blur = false};
  const auto draw = simclr::draw_view(40, 60, plain, first);
  REQUIRE((draw.box.height == 40 && draw.box.width == 60 && !draw.flip && !draw.jitter && !draw.grayscale && draw.blur_sigma == 0));
  REQUIRE_THROWS_WITH(simclr::draw_view(40, 60, {.color_strength = -1}, first), Contains("color_strength"));
}

TEST_CASE("Evaluation cuts the centre, and takes small pictures as they are", "[simclr]") {
  const auto box = simclr::evaluation_box(500, 375, 224);
  REQUIRE((box.height == 328 && box.width == 328 && box.top == 86 && box.left == 24));
  REQUIRE(simclr::evaluation_box(32, 32, 32).height == 32);
  REQUIRE_THROWS_WITH(simclr::evaluation_box(33, 32, 32), Contains("must be 32x32, not 33x32"));
}
