// The BiT networks by name, and what the released weights of each are.
//
//   auto model = zoo::bit::build("resnetv2_50x1_bit", {.num_classes = 10});   // "R50x1" and "BiT-M-R50x1" mean the same
//   auto [entry, weights] = zoo::bit::find_weights("resnetv2_50x1_bit.goog_in21k");          // or "BiT-M-R50x1.npz"
#pragma once

#include <libzoo/nn/res_net_v2.h>

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace zoo::bit {

// A released set of weights: timm's tag, the official file, and how it is evaluated: as timm does, or, where timm has not
// got it, by squashing pictures to `size`.
struct ReleasedWeights {
  std::string_view tag;       // "goog_in21k_ft_in1k"; empty where timm has no such weights
  std::string_view file;      // "BiT-M-R50x1-ILSVRC2012.npz", below storage.googleapis.com/bit_models
  int64_t num_classes;
  int64_t size;               // pixels, square
  double crop_fraction;       // of the resized picture
  std::string_view interpolation;
};
constexpr std::string_view kReleasedLicense = "Apache-2.0";  // of all of them

struct ModelEntry {
  std::string_view name;                  // timm's: "resnetv2_50x1_bit"
  std::string_view architecture;          // the official one: "R50x1"
  std::vector<std::string_view> aliases;  // others that are no file of `weights`
  std::vector<int64_t> units;
  double width;
  int64_t num_classes;                    // unless told otherwise
  std::vector<ReleasedWeights> weights;

  nn::ResNetV2Options options(int64_t num_classes, int64_t in_channels = 3) const;
  bool large() const { return architecture == "R152x4"; }  // HyperRuleOptions::large_model
};

std::span<const ModelEntry> models();

// By name, architecture or alias, with or without a timm tag after a dot ("resnetv2_50x1_bit.goog_in21k"), or by an official
// file with or without its folder and ending ("BiT-M-R50x1", "distill/R50x1_224.npz"). Throws UserError with the nearest
// name or tag.
const ModelEntry& find_model(std::string_view name);

// The same, and which released weights the name means; null for a name without a tag that is no file either.
struct NamedWeights {
  const ModelEntry* entry;
  const ReleasedWeights* weights;
};
NamedWeights find_weights(std::string_view name);

// The released weights in a file of this name, official or timm's with its tag; {null, null} for any other file.
NamedWeights released_in(const std::filesystem::path& file);

// The entry with these units and width; null if there is none.
const ModelEntry* find_model(const std::vector<int64_t>& units, double width);

struct BuildOptions {
  int64_t num_classes = -1;  // -1: as the entry says; 0: pooled features
  int64_t in_channels = 3;
  uint64_t seed = 0;         // of the initial weights
};

// A network with fresh weights: kaiming-normal (fan out) convolutions and a zero head.
nn::ResNetV2 build(std::string_view name, const BuildOptions& options = {});

}  // namespace zoo::bit
