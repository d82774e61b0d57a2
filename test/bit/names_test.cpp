#include "test/catch.h"

#include <libzoo/bit/models.h>
#include <libzoo/bit/names.h>
#include <libzoo/core/error.h>

#include <ATen/ATen.h>

#include <set>

using namespace zoo;
using namespace zoo::bit;

namespace {

constexpr Naming kNamings[] = {Naming::ours, Naming::official, Naming::timm, Naming::hf, Naming::big_vision};

nn::ResNetV2Options of(std::string_view model, int64_t num_classes) { return find_model(model).options(num_classes); }

}  // namespace

TEST_CASE("The networks have the parameters and members of the official files", "[bit]") {
  // big_transfer; counts as in the paper's table and the published file sizes.
  struct Row {
    const char* model;
    int64_t body, with_1k, with_21k;
    size_t members;
  };
  const Row rows[] = {{"R50x1", 23'500'352, 25'549'352, 68'256'659, 153},     {"R50x3", 211'174'080, 217'319'080, 345'399'315, 153},
                      {"R101x1", 42'492'480, 44'541'480, 87'248'787, 306},    {"R101x3", 381'789'888, 387'934'888, 516'015'123, 306},
                      {"R152x2", 232'238'208, 236'335'208, 321'728'979, 459}, {"R152x4", 928'340'224, 936'533'224, 1'107'299'923, 459}};
  for (const auto& row : rows) {
    INFO(row.model);
    REQUIRE(parameter_count(of(row.model, 0)) == row.body);
    REQUIRE(parameter_count(of(row.model, 1000)) == row.with_1k);
    REQUIRE(parameter_count(of(row.model, 21'843)) == row.with_21k);
    REQUIRE(parameter_table(of(row.model, 10)).size() == row.members);
    REQUIRE(parameter_table(of(row.model, 0)).size() == row.members - 2);
  }
  REQUIRE(parameter_count(of("tiny", 0)) == 2'007'328);
  REQUIRE(parameter_table(of("tiny", 5)).size() == 45);
}

TEST_CASE("The names of each convention are one to one with the others, for every network", "[bit]") {
  for (const auto& entry : models()) {
    const auto table = parameter_table(entry.options(entry.num_classes));
    for (Naming naming : kNamings) {
      std::set<std::string> names;
      for (const auto& parameter : table) names.insert(parameter.name(naming));
      REQUIRE(names.size() == table.size());
    }
  }
}

TEST_CASE("The table lists what the network registers, with its shapes", "[bit]") {
  for (const auto& options : {nn::ResNetV2Options{.units = {1, 2}, .width = 0.5, .num_classes = 3, .in_channels = 1},
                              nn::ResNetV2Options{.units = {2, 1, 1, 1}, .width = 1, .num_classes = 0}}) {
    const auto table = parameter_table(options);
    const auto registered = nn::ResNetV2(options)->named_parameters();
    REQUIRE(registered.size() == table.size());
    for (const auto& parameter : table) {
      const at::Tensor* tensor = registered.find(parameter.name(Naming::ours));
      REQUIRE(tensor);
      REQUIRE(tensor->sizes() == at::IntArrayRef(parameter.shape));
    }
  }
}

TEST_CASE("Laying a tensor out and back gives the same values in every convention", "[bit]") {
  for (const auto& parameter : parameter_table({.units = {1}, .width = 0.5, .num_classes = 3})) {
    const auto ours = at::randn(parameter.shape);
    for (Naming naming : kNamings) {
      const auto theirs = from_ours(parameter, naming, ours);
      REQUIRE(theirs.sizes() == at::IntArrayRef(parameter.shape_in(naming)));
      REQUIRE(theirs.is_contiguous());
      const auto back = to_ours(parameter, naming, theirs);
      REQUIRE(back.is_contiguous());
      REQUIRE(back.equal(ours));
    }
  }
}

TEST_CASE("An official kernel is HWIO: square 1x1 kernels are transposed, not copied", "[bit]") {
  const auto table = parameter_table({.units = {1}, .width = 0.5, .num_classes = 3});
  for (const auto& parameter : table) {
    if (parameter.name(Naming::ours) != "body.block1.unit01.conv1.weight") continue;
    const auto hwio = at::arange(32 * 32).view({1, 1, 32, 32});
    const auto ours = to_ours(parameter, Naming::official, hwio);
    REQUIRE(ours[3][5][0][0].item<int64_t>() == hwio[0][0][5][3].item<int64_t>());
    return;
  }
  FAIL("there is no such kernel");
}

TEST_CASE("Numbered scopes and common prefixes are put right", "[bit]") {
  REQUIRE(without_number("resnet/block1/unit01/a/standardized_conv2d_12/kernel") == "resnet/block1/unit01/a/standardized_conv2d/kernel");
  REQUIRE(without_number("resnet/group_norm/beta") == "resnet/group_norm/beta");
  const auto x = at::zeros({1});
  REQUIRE(normalised_names({{"module.a", x}, {"module.b", x}}).contains("a"));
  REQUIRE(normalised_names({{"module.a", x}, {"b", x}}).contains("module.a"));
  REQUIRE(normalised_names({{"params/a", x}}).contains("a"));
  REQUIRE_THROWS_WITH(normalised_names({{"a/standardized_conv2d_1/kernel", x}, {"a/standardized_conv2d_2/kernel", x}}),
                      Contains("two tensors are called a/standardized_conv2d/kernel"));
}

TEST_CASE("Units, width, channels and classes are read off the tensors of every convention", "[bit]") {
  const nn::ResNetV2Options options{.units = {2, 1, 3}, .width = 1.5, .num_classes = 7, .in_channels = 4};
  for (Naming naming : kNamings) {
    NamedTensors tensors;
    for (const auto& parameter : parameter_table(options)) tensors.emplace(parameter.name(naming), at::empty(parameter.shape_in(naming)));
    REQUIRE(detect_naming(tensors) == naming);
    const auto inferred = infer_architecture(tensors, naming);
    REQUIRE(inferred.units == options.units);
    REQUIRE(inferred.width == options.width);
    REQUIRE(inferred.num_classes == 7);
    REQUIRE(inferred.in_channels == 4);
  }
  REQUIRE_FALSE(detect_naming({{"weight", at::zeros({1})}}).has_value());
}
