#include "test/bit/models.h"
#include "test/catch.h"
#include "test/files.h"

#include <libzoo/bit/detector_file.h>
#include <libzoo/bit/models.h>
#include <libzoo/core/error.h>
#include <libzoo/core/json.h>
#include <libzoo/io/weights.h>

#include <ATen/ATen.h>

#include <cmath>
#include <limits>

using namespace zoo;
using namespace zoo::bit;

namespace {

Detector small_detector() {
  return Detector(build("tiny", {.num_classes = 0, .seed = 3}),
                  DetectorOptions{.channels = 16, .depth = 1, .anchors = {.scale = 3, .octaves = 2, .aspects = {1}}, .num_classes = 3});
}

const ModelInfo kInfo{.name = "tiny", .classes = {"a", "b", "c"}, .preprocessing = {.size = 72}, .license = "MIT"};

}  // namespace

TEST_CASE("A detector says something about every anchor of the canvas, of any side", "[bit]") {
  auto model = small_detector();
  at::NoGradGuard no_grad;
  for (int64_t side : {64, 72, 33}) {
    const auto [logits, codes] = model->forward(at::randn({2, 3, side, side}));
    const int64_t count = anchors(model->options.anchors, side).size(0);
    CHECK(logits.sizes() == at::IntArrayRef({2, count, 3}));
    CHECK(codes.sizes() == at::IntArrayRef({2, count, 4}));
  }
}

TEST_CASE("What a detector says of the anchors of a place depends most on the pixels there", "[bit]") {
  // Anchors of the finest level: rows, columns, two a cell, in the order of anchors().
  auto model = small_detector();
  at::NoGradGuard no_grad;
  const auto plain = at::zeros({1, 3, 64, 64});
  const auto before = model->forward(plain).logits;
  // Where logits change once there is noise at this place: the centre of the changes, in cells.
  const auto centre_of_change = [&](int64_t y, int64_t x) {
    auto images = plain.clone();
    images.slice(2, y, y + 8).slice(3, x, x + 8).uniform_(-1, 1);
    const auto change = (model->forward(images).logits - before).square().sum(2)[0].slice(0, 0, 2 * 64).view({8, 8, 2}).sum(2);
    const auto cells = at::arange(8.0);
    return std::pair((change.sum(1) * cells).sum() / change.sum(), (change.sum(0) * cells).sum() / change.sum());
  };
  const auto [upper_y, upper_x] = centre_of_change(8, 48);
  const auto [lower_y, lower_x] = centre_of_change(48, 8);
  CHECK((lower_y - upper_y).item<double>() > 1);
  CHECK((upper_x - lower_x).item<double>() > 1);
}

TEST_CASE("At first every class has a probability of about 1 %, and boxes are about their anchors", "[bit]") {
  auto model = small_detector();
  at::NoGradGuard no_grad;
  const auto [logits, codes] = model->forward(at::randn({2, 3, 64, 64}));
  CHECK(logits.sigmoid().mean().item<double>() == Approx(0.01).epsilon(0.2));
  CHECK(codes.abs().mean().item<double>() < 0.3);
}

TEST_CASE("Gradients reach all of a detector but the norm that the backbone has for its own head", "[bit]") {
  auto model = small_detector();
  const auto [logits, codes] = model->forward(at::randn({1, 3, 64, 64}));
  (logits.square().sum() + codes.square().sum()).backward();
  for (const auto& entry : model->named_parameters()) {
    INFO(entry.key());
    const auto& grad = entry.value().grad();
    CHECK((grad.defined() && grad.abs().max().item<double>() > 0) == !entry.key().starts_with("backbone.head."));
  }
}

TEST_CASE("A detector needs four stages and a class", "[bit]") {
  const nn::ResNetV2 shallow(nn::ResNetV2Options{.units = {1, 1, 1}, .width = 0.5, .num_classes = 0});
  REQUIRE_THROWS_WITH(Detector(shallow, DetectorOptions{.num_classes = 1}), Contains("backbone of 4 stages, this one has 3"));
  REQUIRE_THROWS_WITH(Detector(build("tiny", {.num_classes = 0}), DetectorOptions{}), Contains("at least one class, not 0"));
}

TEST_CASE("A detector comes back from its file with all that it takes to use it", "[bit]") {
  test::TemporaryFolder folder;
  auto model = small_detector();
  save_detector(folder / "detector.safetensors", model, kInfo);
  auto loaded = load_detector(folder / "detector.safetensors");
  CHECK(loaded.info.classes == kInfo.classes);
  CHECK(loaded.info.name == "tiny");
  CHECK(loaded.info.license == "MIT");
  CHECK(loaded.info.preprocessing.size == 72);
  CHECK(loaded.model->options.anchors.scale == 3);
  CHECK(loaded.model->options.depth == 1);
  at::NoGradGuard no_grad;
  const auto images = at::randn({1, 3, 72, 72});
  const auto before = model->forward(images), after = loaded.model->forward(images);
  CHECK(before.logits.equal(after.logits));
  CHECK(before.codes.equal(after.codes));
}

TEST_CASE("Files of detectors and of networks are not taken for each other, and damaged ones are named", "[bit]") {
  test::TemporaryFolder folder;
  const auto path = folder / "detector.safetensors";
  save_detector(path, small_detector(), kInfo);
  REQUIRE_THROWS_WITH(load_checkpoint(path), Contains("detector.safetensors: a detector, not a network for whole pictures"));
  const auto network = folder / "network.safetensors";
  save_checkpoint(network, build("tiny", {.num_classes = 2}), {});
  REQUIRE_THROWS_WITH(load_detector(network), Contains("network.safetensors: no detector"));

  const auto [tensors, metadata] = io::load_weights(path);
  const auto refused = [&](const std::string& message, const auto& change) {
    auto [changed, notes] = std::pair(tensors, metadata);
    change(changed, notes);
    io::save_weights(folder / "changed.safetensors", changed, notes);
    REQUIRE_THROWS_WITH(load_detector(folder / "changed.safetensors"), Contains("changed.safetensors") && Contains(message));
  };
  refused("missing taps.1.bias", [](auto& t, auto&) { t.erase("taps.1.bias"); });
  refused("unexpected head.extra", [](auto& t, auto&) { t["head.extra"] = at::zeros({1}); });
  refused("missing head.class_logits.weight", [](auto& t, auto&) { t.erase("head.class_logits.weight"); });
  refused("fpn.layer_blocks.0.weight has shape [16, 8, 3, 3]",
          [](auto& t, auto&) { t["fpn.layer_blocks.0.weight"] = at::zeros({16, 8, 3, 3}); });
  refused("head.box_codes.bias has shape [9]", [](auto& t, auto&) { t["head.box_codes.bias"] = at::zeros({9}); });
  refused("taps.0.weight holds values that are no finite",
          [](auto& t, auto&) { t["taps.0.weight"] = at::full_like(t["taps.0.weight"], std::numeric_limits<float>::quiet_NaN()); });
  refused("missing body.block2.unit01.conv2.weight", [](auto& t, auto&) { t.erase("backbone.body.block2.unit01.conv2.weight"); });
  refused("size", [](auto&, auto& m) { m["zoo.detector"] = "{\"anchors\": {\"scale\": 3}}"; });
  refused("aspects", [](auto&, auto& m) { m["zoo.detector"] = R"({"size": 72, "anchors": {"scale": 3, "octaves": 2, "aspects": [-1]}})"; });
  refused("2 class names for 3 classes", [](auto&, auto& m) { m["zoo.classes"] = "[\"a\", \"b\"]"; });
  refused("no names of classes", [](auto&, auto& m) { m.erase("zoo.classes"); });
}
