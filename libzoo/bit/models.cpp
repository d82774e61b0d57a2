#include <libzoo/bit/models.h>

#include <libzoo/core/error.h>
#include <libzoo/core/suggest.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace zoo::bit {
namespace {

constexpr int64_t k1k = 1000, k21k = 21'843;

std::vector<ModelEntry> table() {
  const std::vector<int64_t> depth50{3, 4, 6, 3}, depth101{3, 4, 23, 3}, depth152{3, 8, 36, 3};
  return {
      {"resnetv2_50x1_bit",
       "R50x1",
       {"BiT-S-R50x1", "BiT-M-R50x1", "BiT-M-R50x1-ILSVRC2012", "BiT-M-R50x1-CIFAR10"},
       depth50,
       1,
       k1k,
       {{"goog_in21k", "BiT-M-R50x1.npz", k21k, 224, 0.875, "bilinear"},
        {"goog_in21k_ft_in1k", "BiT-M-R50x1-ILSVRC2012.npz", k1k, 448, 1.0, "bilinear"},
        {"goog_distilled_in1k", "distill/R50x1_224.npz", k1k, 224, 0.875, "bicubic"}}},
      {"resnetv2_50x3_bit",
       "R50x3",
       {"BiT-S-R50x3", "BiT-M-R50x3", "BiT-M-R50x3-ILSVRC2012"},
       depth50,
       3,
       k1k,
       {{"goog_in21k", "BiT-M-R50x3.npz", k21k, 224, 0.875, "bilinear"},
        {"goog_in21k_ft_in1k", "BiT-M-R50x3-ILSVRC2012.npz", k1k, 448, 1.0, "bilinear"}}},
      {"resnetv2_101x1_bit",
       "R101x1",
       {"BiT-S-R101x1", "BiT-M-R101x1", "BiT-M-R101x1-ILSVRC2012"},
       depth101,
       1,
       k1k,
       {{"goog_in21k", "BiT-M-R101x1.npz", k21k, 224, 0.875, "bilinear"},
        {"goog_in21k_ft_in1k", "BiT-M-R101x1-ILSVRC2012.npz", k1k, 448, 1.0, "bilinear"}}},
      {"resnetv2_101x3_bit",
       "R101x3",
       {"BiT-S-R101x3", "BiT-M-R101x3", "BiT-M-R101x3-ILSVRC2012"},
       depth101,
       3,
       k1k,
       {{"goog_in21k", "BiT-M-R101x3.npz", k21k, 224, 0.875, "bilinear"},
        {"goog_in21k_ft_in1k", "BiT-M-R101x3-ILSVRC2012.npz", k1k, 448, 1.0, "bilinear"}}},
      {"resnetv2_152x2_bit",
       "R152x2",
       {"BiT-S-R152x2", "BiT-M-R152x2", "BiT-M-R152x2-ILSVRC2012"},
       depth152,
       2,
       k1k,
       {{"goog_in21k", "BiT-M-R152x2.npz", k21k, 224, 0.875, "bilinear"},
        {"goog_in21k_ft_in1k", "BiT-M-R152x2-ILSVRC2012.npz", k1k, 448, 1.0, "bilinear"},
        {"goog_teacher_in21k_ft_in1k", "distill/R152x2_T_224.npz", k1k, 224, 0.875, "bicubic"},
        {"goog_teacher_in21k_ft_in1k_384", "distill/R152x2_T_384.npz", k1k, 384, 1.0, "bicubic"}}},
      {"resnetv2_152x4_bit",
       "R152x4",
       {"BiT-S-R152x4", "BiT-M-R152x4", "BiT-M-R152x4-ILSVRC2012"},
       depth152,
       4,
       k1k,
       {{"goog_in21k", "BiT-M-R152x4.npz", k21k, 224, 0.875, "bilinear"},
        {"goog_in21k_ft_in1k", "BiT-M-R152x4-ILSVRC2012.npz", k1k, 480, 1.0, "bilinear"}}},
      {"resnetv2_26x1_bit", "R26x1", {}, {2, 2, 2, 2}, 1, k1k, {}},
      {"resnetv2_200x3_bit", "R200x3", {}, {3, 24, 36, 3}, 3, k1k, {}},
      {"resnetv2_tiny_bit", "tiny", {"bit_tiny"}, {1, 1, 1, 1}, 0.5, 10, {}},
      {"resnetv2_tiny_x1_bit", "tiny_x1", {}, {1, 1, 1, 1}, 1, 10, {}},
  };
}

bool is_called(const ModelEntry& entry, std::string_view name) {
  if (entry.name == name || entry.architecture == name) return true;
  return std::find(entry.aliases.begin(), entry.aliases.end(), name) != entry.aliases.end();
}

std::string_view bare(std::string_view name) {
  if (const size_t slash = name.rfind('/'); slash != name.npos) name.remove_prefix(slash + 1);
  return name.substr(0, std::min<size_t>(name.find('.'), 64));  // no known name is longer
}

}  // namespace

nn::ResNetV2Options ModelEntry::options(int64_t classes, int64_t in_channels) const {
  return {.units = units, .width = width, .num_classes = classes, .in_channels = in_channels};
}

std::span<const ModelEntry> models() {
  static const std::vector<ModelEntry> all = table();
  return all;
}

const ModelEntry& find_model(std::string_view name) {
  for (const auto& entry : models())
    if (is_called(entry, bare(name))) return entry;
  std::vector<std::string> names;
  for (const auto& entry : models()) names.insert(names.end(), {std::string(entry.name), std::string(entry.architecture)});
  throw UserError(fmt::format("there is no model '{}'{}", bare(name), did_you_mean(bare(name), names)),
                  fmt::format("known are {}", fmt::join(names, ", ")));
}

const ModelEntry* find_model(const std::vector<int64_t>& units, double width) {
  for (const auto& entry : models())
    if (entry.units == units && entry.width == width) return &entry;
  return nullptr;
}

nn::ResNetV2 build(std::string_view name, const BuildOptions& options) {
  const ModelEntry& entry = find_model(name);
  auto architecture = entry.options(options.num_classes < 0 ? entry.num_classes : options.num_classes, options.in_channels);
  architecture.seed = options.seed;
  return nn::ResNetV2(architecture);
}

}  // namespace zoo::bit
