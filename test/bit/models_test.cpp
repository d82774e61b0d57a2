#include "test/catch.h"

#include <libzoo/bit/checkpoint.h>
#include <libzoo/bit/models.h>
#include <libzoo/core/error.h>
#include "test/bit/models.h"

#include <ATen/ATen.h>

#include <set>

using namespace zoo;
using namespace zoo::bit;
using namespace zoo::test;

TEST_CASE("Every name and alias finds its network and belongs to one only", "[bit]") {
  std::set<std::string_view> names;
  for (const auto& entry : models()) {
    REQUIRE(names.insert(entry.name).second);
    REQUIRE(names.insert(entry.architecture).second);
    REQUIRE(&find_model(entry.name) == &entry);
    REQUIRE(&find_model(entry.architecture) == &entry);
    REQUIRE(find_model(entry.units, entry.width) == &entry);
    for (auto alias : entry.aliases) {
      REQUIRE(names.insert(alias).second);
      REQUIRE(&find_model(alias) == &entry);
    }
    for (const auto& weights : entry.weights) {
      REQUIRE(&find_model(std::string(entry.name) + "." + std::string(weights.tag)) == &entry);
      REQUIRE((weights.num_classes == 1000 || weights.num_classes == 21'843));
    }
  }
  REQUIRE(find_model("BiT-M-R101x3-ILSVRC2012.npz").architecture == "R101x3");
  REQUIRE(find_model({9}, 1) == nullptr);
}

TEST_CASE("A misspelt network is answered with the nearest name", "[bit]") {
  REQUIRE_THROWS_WITH(find_model("resnetv2_50x2_bit"), Contains("there is no model 'resnetv2_50x2_bit' (did you mean 'resnetv2_50x"));
  REQUIRE_THROWS_WITH(find_model(""), Contains("there is no model ''"));
  REQUIRE_THROWS_AS(find_model(std::string(1'000'000, 'x')), UserError);
}

TEST_CASE("Every registered network runs forward and backward, and comes back from a file, at tiny size", "[bit]") {
  TemporaryFolder folder;
  for (const auto& entry : models()) {
    INFO(entry.name);
    // The depth's shape at a size that takes no time: at most two units a stage, width 0.5.
    auto options = entry.options(5);
    options.width = 0.5;
    for (auto& units : options.units) units = std::min<int64_t>(units, 2);
    nn::ResNetV2 model(options);
    const auto x = at::randn({2, 3, 24, 40}), labels = at::tensor({1, 4}, at::kLong);
    {
      const at::NoGradGuard no_grad;
      model->named_parameters()["head.conv.weight"].normal_(0, 0.1);
    }
    const auto logits = model->forward(x);
    REQUIRE(logits.sizes() == at::IntArrayRef({2, 5}));
    at::cross_entropy_loss(logits, labels).backward();
    for (const auto& parameter : model->named_parameters()) {
      INFO(parameter.key());
      REQUIRE(parameter.value().grad().defined());
      REQUIRE(parameter.value().grad().isfinite().all().item<bool>());
      REQUIRE(parameter.value().grad().abs().max().item<float>() > 0);
    }
    const auto path = folder.path() / "model.safetensors";
    save_checkpoint(path, model, {.name = std::string(entry.name)});
    auto loaded = load_checkpoint(path);
    REQUIRE(loaded.head_loaded);
    REQUIRE(loaded.info.name == entry.name);
    REQUIRE(loaded.model->forward(x).equal(logits));
  }
}

TEST_CASE("The same seed gives the same fresh network, another seed another", "[bit]") {
  const auto root = [](uint64_t seed) {
    return build("tiny", {.num_classes = 3, .seed = seed})->named_parameters()["root.conv.weight"].detach();
  };
  REQUIRE(root(1).equal(root(1)));
  REQUIRE_FALSE(root(1).equal(root(2)));
}
