#include "test/bit/models.h"
#include "test/catch.h"

#include <libzoo/bit/checkpoint.h>
#include <libzoo/bit/model_info.h>
#include <libzoo/bit/models.h>
#include <libzoo/core/error.h>
#include <libzoo/io/npy.h>
#include <libzoo/io/pth.h>
#include <libzoo/io/tensor.h>
#include <libzoo/io/weights.h>

#include <cmath>
#include <limits>

using namespace zoo;
using namespace zoo::bit;
using namespace zoo::test;

namespace {

const nn::ResNetV2Options kSmall{.units = {1, 2}, .width = 0.5, .num_classes = 5};

Checkpoint load(NamedTensors tensors, const LoadOptions& options = {}, const std::map<std::string, std::string>& metadata = {}) {
  return load_tensors(std::move(tensors), metadata, "memory", options);
}

void require_equal(const nn::ResNetV2& a, const nn::ResNetV2& b) {
  const auto other = b->named_parameters();
  for (const auto& parameter : a->named_parameters()) {
    INFO(parameter.key());
    REQUIRE(parameter.value().equal(other[parameter.key()]));
  }
}

}  // namespace

TEST_CASE("A checkpoint alone brings back network, class names and preprocessing", "[bit]") {
  TemporaryFolder folder;
  const auto model = random_model(kSmall);
  const ModelInfo info{
      .name = "resnetv2_tiny_bit",
      .classes = {"cat", "dog", "Å \"quoted\"", "", "x"},
      .preprocessing = {.mode = "shortest", .size = 160, .crop_fraction = 0.875, .interpolation = "bicubic", .mean = {0.1, 0.2, 0.3}}};
  save_checkpoint(folder.path() / "m.safetensors", model, info);
  const auto loaded = load_checkpoint(folder.path() / "m.safetensors");
  require_equal(model, loaded.model);
  REQUIRE(loaded.head_loaded);
  REQUIRE(loaded.naming == Naming::ours);
  REQUIRE(loaded.architecture.units == kSmall.units);
  REQUIRE(loaded.info.name == info.name);
  REQUIRE(loaded.info.classes == info.classes);
  REQUIRE(loaded.info.preprocessing.mode == "shortest");
  REQUIRE(loaded.info.preprocessing.size == 160);
  REQUIRE(loaded.info.preprocessing.crop_fraction == 0.875);
  REQUIRE(loaded.info.preprocessing.interpolation == "bicubic");
  REQUIRE(loaded.info.preprocessing.mean == info.preprocessing.mean);
  REQUIRE(loaded.info.preprocessing.deviation == std::vector<double>{0.5, 0.5, 0.5});
  REQUIRE_THROWS_WITH(save_checkpoint(folder.path() / "n.safetensors", model, {.classes = {"one"}}),
                      Contains("1 class names for 5 classes"));
}

TEST_CASE("Released weights are known by their file's name: preprocessing and licence, which conversion writes down", "[bit]") {
  TemporaryFolder folder;
  // The name alone is not believed: the network must have the shape of the one it names.
  const auto wrong = random_model(kSmall);
  save_checkpoint(folder.path() / "m.safetensors", wrong, {});
  convert(folder.path() / "m.safetensors", folder.path() / "BiT-M-R50x1.npz", {.names = Naming::official});
  REQUIRE(load_checkpoint(folder.path() / "BiT-M-R50x1.npz").info.license.empty());

  nn::ResNetV2 model(find_model("R50x1").options(3));
  io::save_weights(folder.path() / "resnetv2_50x1_bit.goog_distilled_in1k.safetensors", tensors_of(model, Naming::timm));
  const auto from = folder.path() / "resnetv2_50x1_bit.goog_distilled_in1k.safetensors";
  convert(from, folder.path() / "out.safetensors", {.names = Naming::timm, .classes = {"a", "b", "c"}});
  const auto metadata = io::load_weights(folder.path() / "out.safetensors").metadata;
  const auto info = info_of(metadata, model->options, "out.safetensors");
  REQUIRE(info.name == "resnetv2_50x1_bit");
  REQUIRE(info.license == "Apache-2.0");
  REQUIRE(info.classes == std::vector<std::string>{"a", "b", "c"});
  REQUIRE(info.preprocessing.mode == "shortest");
  REQUIRE(info.preprocessing.size == 224);
  REQUIRE(info.preprocessing.crop_fraction == 0.875);
  REQUIRE(info.preprocessing.interpolation == "bicubic");
  REQUIRE_THROWS_WITH(convert(from, folder.path() / "out.safetensors", {.classes = {"a"}}), Contains("1 class names for 3 classes"));
}

TEST_CASE("A network with other groups than 32 comes back as it was", "[bit]") {
  TemporaryFolder folder;
  const auto model = random_model({.units = {1}, .width = 0.25, .num_classes = 2, .groups = 8});
  save_checkpoint(folder.path() / "m.safetensors", model, {});
  auto loaded = load_checkpoint(folder.path() / "m.safetensors");
  REQUIRE(loaded.architecture.groups == 8);
  const auto x = at::randn({1, 3, 16, 16});
  auto original = model;
  REQUIRE(loaded.model->forward(x).equal(original->forward(x)));
}

TEST_CASE("Every naming loads into the same network", "[bit]") {
  const auto model = random_model(kSmall);
  for (Naming naming : {Naming::ours, Naming::official, Naming::timm, Naming::hf, Naming::big_vision}) {
    const auto loaded = load(tensors_of(model, naming));
    REQUIRE(loaded.naming == naming);
    require_equal(model, loaded.model);
  }
}

TEST_CASE("Checkpoints of the official fine-tuning script load: DataParallel names, a 2-D head, numbered scopes", "[bit]") {
  const auto model = random_model(kSmall);
  NamedTensors parallel, numbered;
  for (const auto& [name, tensor] : tensors_of(model, Naming::timm))
    parallel.emplace("module." + name, name == "head.fc.weight" ? tensor.flatten(1) : tensor);
  int count = 0;
  for (const auto& [name, tensor] : tensors_of(model, Naming::official)) {
    std::string renamed = name;
    const auto at = renamed.find("standardized_conv2d/");
    if (at != renamed.npos && ++count % 2) renamed.insert(at + 19, "_" + std::to_string(count));
    numbered.emplace(renamed, tensor);
  }
  require_equal(model, load(parallel).model);
  require_equal(model, load(numbered).model);
}

TEST_CASE("Files of 16-bit weights are widened", "[bit]") {
  const auto model = random_model(kSmall);
  auto tensors = tensors_of(model, Naming::timm);
  for (auto& [name, tensor] : tensors) tensor = tensor.to(at::kBFloat16);
  const auto loaded = load(tensors).model;
  const auto parameters = loaded->named_parameters();
  REQUIRE(parameters["root.conv.weight"].scalar_type() == at::kFloat);
  REQUIRE(parameters["root.conv.weight"].equal(tensors["stem.conv.weight"].to(at::kFloat)));
}

TEST_CASE("Converting through every naming and format changes no bit", "[bit]") {
  TemporaryFolder folder;
  const auto model = random_model(kSmall);
  save_checkpoint(folder.path() / "0.safetensors", model, {.classes = {"a", "b", "c", "d", "e"}});
  convert(folder.path() / "0.safetensors", folder.path() / "1.npz", {.names = Naming::official});
  convert(folder.path() / "1.npz", folder.path() / "2.pth", {.names = Naming::timm});
  convert(folder.path() / "2.pth", folder.path() / "3.safetensors", {.names = Naming::hf});
  convert(folder.path() / "3.safetensors", folder.path() / "4.npz", {.names = Naming::big_vision});
  convert(folder.path() / "4.npz", folder.path() / "5.safetensors", {.names = Naming::ours});
  require_equal(model, load_checkpoint(folder.path() / "5.safetensors").model);
  convert(folder.path() / "0.safetensors", folder.path() / "6.safetensors", {.names = Naming::timm});
  REQUIRE(load_checkpoint(folder.path() / "6.safetensors").info.classes.size() == 5);  // metadata goes along
  REQUIRE_THROWS_WITH(convert(folder.path() / "0.safetensors", folder.path() / "x.onnx", {.names = Naming::ours}),
                      Contains("the ending '.onnx'"));
}

TEST_CASE("The head is taken when class counts agree, unless told otherwise", "[bit]") {
  const auto tensors = tensors_of(random_model(kSmall), Naming::official);
  const auto head = [](const Checkpoint& c) { return c.model->named_parameters()["head.conv.weight"].abs().max().item<float>(); };
  REQUIRE(load(tensors, {.num_classes = 5}).head_loaded);
  for (const LoadOptions& options :
       {LoadOptions{.num_classes = 6}, LoadOptions{.num_classes = 5, .head = Head::zero}, LoadOptions{.head = Head::zero}}) {
    const auto loaded = load(tensors, options);
    REQUIRE_FALSE(loaded.head_loaded);
    REQUIRE(head(loaded) == 0);
  }
  const auto features = load(tensors, {.num_classes = 0});
  REQUIRE_FALSE(features.head_loaded);
  REQUIRE(features.model->named_parameters().find("head.conv.weight") == nullptr);
  REQUIRE(load(tensors, {.head = Head::keep}).head_loaded);
  REQUIRE_THROWS_WITH(load(tensors, {.num_classes = 6, .head = Head::keep}), Contains("memory: the head has 5 classes, 6 were asked for"));
}

TEST_CASE("A 21k head never ends up in a network of 10 classes", "[bit]") {
  auto wide = kSmall;
  wide.num_classes = 21'843;
  const auto loaded = load(tensors_of(random_model(wide), Naming::official), {.num_classes = 10});
  REQUIRE_FALSE(loaded.head_loaded);
  for (const char* name : {"head.conv.weight", "head.conv.bias"}) {
    const auto parameter = loaded.model->named_parameters()[name];
    REQUIRE(parameter.size(0) == 10);
    REQUIRE(parameter.abs().max().item<float>() == 0);
  }
}

TEST_CASE("A file without a head gives a zero head where one is asked for", "[bit]") {
  auto headless = kSmall;
  headless.num_classes = 0;
  const auto tensors = tensors_of(random_model(headless), Naming::timm);
  REQUIRE(load(tensors).architecture.num_classes == 0);
  REQUIRE_FALSE(load(tensors, {.num_classes = 4}).head_loaded);
}

TEST_CASE("A zero head gives the loss ln C and leaves the body without a gradient", "[bit]") {
  for (int64_t classes : {2, 5, 10}) {
    auto model = with_zero_head(random_model(kSmall), classes);
    const auto loss = at::cross_entropy_loss(model->forward(at::randn({3, 3, 20, 20})), at::tensor({0, 1, 1}, at::kLong));
    REQUIRE(loss.item<double>() == Approx(std::log(double(classes))).margin(1e-6));
    loss.backward();
    for (const auto& parameter : model->named_parameters())
      if (!parameter.key().starts_with("head.conv.")) REQUIRE(parameter.value().grad().abs().max().item<float>() == 0);
    REQUIRE(model->named_parameters()["head.conv.bias"].grad().abs().max().item<float>() > 0);
  }
}

TEST_CASE("A root kernel is adapted to other channel counts as timm does", "[bit]") {
  const auto weight = at::randn({4, 3, 7, 7});
  REQUIRE(at::allclose(adapt_input_conv(weight, 1), weight.sum(1, true)));
  const auto four = adapt_input_conv(weight, 4);
  REQUIRE(at::allclose(four.select(1, 3), weight.select(1, 0) * 0.75));
  // Equal channels are seen as one grey picture would be: the sum over inputs stays.
  REQUIRE(at::allclose(adapt_input_conv(weight, 6).sum(1), weight.sum(1), 1e-5, 1e-5));
  REQUIRE_THROWS_WITH(adapt_input_conv(at::zeros({4, 2, 7, 7}), 4), Contains("not [4, 2, 7, 7]"));
  REQUIRE_THROWS_WITH(adapt_input_conv(weight, 0), Contains("at least 1 input channel"));

  const auto loaded = load(tensors_of(random_model(kSmall), Naming::official), {.in_channels = 1});
  REQUIRE(loaded.architecture.in_channels == 1);
  REQUIRE(loaded.model->named_parameters()["root.conv.weight"].size(1) == 1);
}

TEST_CASE("Everything wrong with a file is said at once, by name", "[bit]") {
  auto tensors = tensors_of(random_model(kSmall), Naming::timm);
  tensors.erase("stages.1.blocks.1.conv2.weight");
  tensors["norm.bias"] = at::zeros({7});
  tensors["stages.0.blocks.0.norm1.weight"] = at::zeros({32}, at::kLong);
  tensors["fc.extra"] = at::zeros({1});
  try {
    load(tensors);
    FAIL("accepted");
  } catch (const UserError& error) {
    REQUIRE_THAT(error.what(), Contains("memory: "));
    REQUIRE_THAT(error.what(), Contains("missing stages.1.blocks.1.conv2.weight"));
    REQUIRE_THAT(error.what(), Contains("norm.bias has shape [7], not [256]"));
    REQUIRE_THAT(error.what(), Contains("stages.0.blocks.0.norm1.weight holds Long"));
    REQUIRE_THAT(error.what(), Contains("unexpected fc.extra"));
  }
}

TEST_CASE("A file of another network is refused when one is named", "[bit]") {
  REQUIRE_THROWS_WITH(load(tensors_of(random_model(kSmall), Naming::timm), {.model = "R50x1"}),
                      Contains("units 1,2 and width 0.5, resnetv2_50x1_bit has units 3,4,6,3 and width 1"));
  REQUIRE_THROWS_WITH(load({{"fc.weight", at::zeros({2, 2})}}), Contains("no BiT network: none of the 1 tensors is a root convolution"));
  REQUIRE_THROWS_WITH(load({}), Contains("no tensors at all"));
  REQUIRE_THROWS_WITH(load({{"stem.conv.weight", at::zeros({48, 3, 7, 7})}}), Contains("48 filters; a BiT network has a multiple of 32"));
  REQUIRE_THROWS_WITH(load({{"stem.conv.weight", at::zeros({64, 3, 7, 7})}}), Contains("the network has no units"));
  REQUIRE_THROWS_WITH(load({{"stem.conv.weight", at::zeros({64})}}), Contains("four dimensions"));
}

TEST_CASE("Weights that are not finite are refused by name", "[bit]") {
  for (double bad : {std::nan(""), std::numeric_limits<double>::infinity()}) {
    auto tensors = tensors_of(random_model(kSmall), Naming::official);
    tensors["resnet/group_norm/gamma"][3] = bad;
    REQUIRE_THROWS_WITH(load(tensors), Contains("head.gn.weight holds NaN or infinite values"));
  }
}

TEST_CASE("A truncated checkpoint is an error that names the file", "[bit]") {
  TemporaryFolder folder;
  const auto model = random_model(kSmall);
  save_checkpoint(folder.path() / "m.safetensors", model, {});
  convert(folder.path() / "m.safetensors", folder.path() / "m.npz", {.names = Naming::official});
  convert(folder.path() / "m.safetensors", folder.path() / "m.pth", {.names = Naming::timm});
  for (const char* name : {"m.safetensors", "m.npz", "m.pth"}) {
    const auto path = folder.path() / name;
    std::filesystem::resize_file(path, std::filesystem::file_size(path) * 2 / 3);
    REQUIRE_THROWS_WITH(load_checkpoint(path), Contains(name));
  }
  REQUIRE_THROWS_WITH(load_checkpoint(folder.path() / "gone.npz"), Contains("gone.npz"));
}

TEST_CASE("Metadata that no checkpoint of ours has is refused by key", "[bit]") {
  const auto tensors = tensors_of(random_model(kSmall), Naming::ours);
  const auto with = [&](const char* key, const char* value) { return load(tensors, {}, {{key, value}}); };
  REQUIRE_THROWS_WITH(with("zoo.classes", "{}"), Contains("memory: metadata zoo.classes: not a list"));
  REQUIRE_THROWS_WITH(with("zoo.classes", "[1]"), Contains("class 0 is no text"));
  REQUIRE_THROWS_WITH(with("zoo.classes", "[\"a\"]"), Contains("1 class names for 5 classes"));
  REQUIRE_THROWS_WITH(with("zoo.classes", "[\"a\""), Contains("memory: metadata zoo.classes"));
  REQUIRE_THROWS_WITH(with("zoo.preprocessing", R"({"size": 0})"), Contains("size can't be 0"));
  REQUIRE_THROWS_WITH(with("zoo.preprocessing", R"({"size": 1e30})"), Contains("size can't be"));
  REQUIRE_THROWS_WITH(with("zoo.preprocessing", R"({"mode": "stretch"})"), Contains("mode can't be \"stretch\""));
  REQUIRE_THROWS_WITH(with("zoo.preprocessing", R"({"std": [0]})"), Contains("std can't be [0]"));
  REQUIRE_THROWS_WITH(with("zoo.options", R"({"groups": 0})"), Contains("groups must be 1 to 4096"));
  REQUIRE(with("something.else", "…").head_loaded);
}
