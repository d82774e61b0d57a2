#include "test/catch.h"

#include <libzoo/bit/checkpoint.h>
#include <libzoo/bit/cost.h>
#include <libzoo/bit/models.h>
#include <libzoo/core/error.h>
#include "test/bit/models.h"

#include <ATen/ATen.h>

#include <cmath>
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
      const auto file = std::filesystem::path(weights.file);
      REQUIRE(names.insert(weights.file).second);
      for (const std::string& name : {file.string(), file.filename().string(), file.stem().string()}) {
        REQUIRE(find_weights(name).entry == &entry);
        REQUIRE(find_weights(name).weights == &weights);
      }
      REQUIRE(released_in("downloads" / file.filename()).weights == &weights);
      if (weights.tag.empty()) continue;
      const std::string tagged = std::string(entry.name) + "." + std::string(weights.tag);
      REQUIRE(find_weights(tagged).weights == &weights);
      REQUIRE(released_in("downloads/" + tagged + ".safetensors").weights == &weights);
      REQUIRE((weights.num_classes == 1000 || weights.num_classes == 21'843));
    }
  }
  REQUIRE(find_model("BiT-M-R101x3-ILSVRC2012.npz").architecture == "R101x3");
  REQUIRE(find_model("timm/resnetv2_152x2_bit.goog_teacher_in21k_ft_in1k_384").architecture == "R152x2");
  REQUIRE(find_weights("R50x1").weights == nullptr);
  REQUIRE(released_in("model.safetensors").entry == nullptr);
  REQUIRE(find_model({9}, 1) == nullptr);
}

TEST_CASE("Multiply-adds are those of the networks' table", "[bit]") {
  // Thousand millions at 224 and 480 pixels, with 1000 classes (fvcore and timm count the same).
  struct Row {
    const char* model;
    double at_224, at_480;
  };
  for (const Row& row : {Row{"R50x1", 4.089, 18.77}, Row{"R50x3", 36.08, 165.7}, Row{"R101x1", 7.801, 35.82}, Row{"R101x3", 69.49, 319.1},
                         Row{"R152x2", 45.81, 210.4}, Row{"R152x4", 182.8, 839.3}}) {
    INFO(row.model);
    const auto options = find_model(row.model).options(1000);
    REQUIRE(std::abs(double(multiply_adds(options, 224, 224)) / 1e9 / row.at_224 - 1) < 5e-4);
    REQUIRE(std::abs(double(multiply_adds(options, 480, 480)) / 1e9 / row.at_480 - 1) < 5e-4);
  }
  const auto tiny = find_model("tiny").options(10);
  REQUIRE(training_memory(tiny, 32, 32, 1) > 4 * 4 * parameter_count(tiny));
  REQUIRE(training_memory(tiny, 32, 32, 3) - training_memory(tiny, 32, 32, 2) ==
          training_memory(tiny, 32, 32, 2) - training_memory(tiny, 32, 32, 1));
}

TEST_CASE("A misspelt network is answered with the nearest name", "[bit]") {
  REQUIRE_THROWS_WITH(find_model("resnetv2_50x2_bit"), Contains("there is no model 'resnetv2_50x2_bit' (did you mean 'resnetv2_50x"));
  REQUIRE_THROWS_WITH(find_model("resnetv2_50x1_bit.goog_in22k"), Contains("has no weights 'goog_in22k' (did you mean 'goog_in21k'?)"));
  REQUIRE_THROWS_WITH(find_model("BiT-M-R50x2"), Contains("did you mean 'BiT-M-R50x1'?"));
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
