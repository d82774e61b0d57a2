// BiT networks in files: any of the known namings, in .npz, .pth or safetensors, with the architecture read off the tensors.
//
//   auto loaded = zoo::bit::load_checkpoint("BiT-M-R50x1.npz", {.num_classes = 10});        // a new zero head
//   zoo::bit::save_checkpoint("model.safetensors", loaded.model, {.classes = names, .preprocessing = {.size = 128}});
//   zoo::bit::convert("BiT-M-R50x1.npz", "bit.safetensors", {.names = Naming::timm});
#pragma once

#include <libzoo/bit/names.h>
#include <libzoo/core/json_fwd.h>
#include <libzoo/nn/res_net_v2.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace zoo::bit {

// What to do with the head of a file: take it if the class counts agree and start from zero otherwise (automatic), start from
// zero in any case, or insist on the file's.
enum class Head { automatic, zero, keep };
constexpr auto enum_names(Head) { return EnumNames<Head, 3>{{{Head::automatic, "auto"}, {Head::zero, "zero"}, {Head::keep, "keep"}}}; }

// How a picture becomes the network's input when it is evaluated (squash: resized to size x size whatever its shape;
// shortest: shorter side to size / crop_fraction, then the centre; tf: as squash, without antialiasing).
struct Preprocessing {
  std::string mode = "squash";
  int64_t size = 224;  // pixels, square
  double crop_fraction = 1;
  std::string interpolation = "bilinear";
  std::vector<double> mean = {0.5, 0.5, 0.5}, deviation = {0.5, 0.5, 0.5};  // of pixels in [0, 1]
};

struct ModelInfo {
  std::string name;                  // "resnetv2_50x1_bit"; empty: looked up by units and width, else "resnetv2"
  std::vector<std::string> classes;  // names in the order of the logits; empty: unknown
  Preprocessing preprocessing;
  std::string license;               // SPDX name, of these weights or of those that they were tuned from; empty: unknown
  bool several_labels = false;       // each logit is a yes or no of its own
};

struct LoadOptions {
  std::optional<int64_t> num_classes;  // unset: as in the file; 0: no head
  Head head = Head::automatic;
  std::optional<int64_t> in_channels;  // unset: as in the file
  std::string model;                   // a name of models(): the file must be of this architecture. Empty: any
};

struct Checkpoint {
  nn::ResNetV2 model{nullptr};
  bool head_loaded = false;
  nn::ResNetV2Options architecture;  // as built
  Naming naming = Naming::ours;      // of the file
  ModelInfo info;                    // classes are empty unless the head was loaded
  std::vector<std::string> classes_in_file;
};

// Throws UserError, opening with the file's name, that lists every missing, unexpected and mis-shaped tensor; if a value is not
// finite; if the tensors are no BiT network of a known naming; if Head::keep finds another number of classes; if the metadata
// is not what save_checkpoint writes. 16-bit weights are widened to float32. A file without metadata that has the name of
// released weights (models.h) and their shape is prepared and licensed as they are.
Checkpoint load_checkpoint(const std::filesystem::path& path, const LoadOptions& options = {});

// The same with tensors already in memory; `where` opens the messages.
Checkpoint load_tensors(NamedTensors tensors, const std::map<std::string, std::string>& metadata, const std::string& where,
                        const LoadOptions& options);

// The network to start from, for RGB: that of a file with a zero head, or a fresh one by its name (models.h) if `checkpoint` is empty.
Checkpoint load_or_build(const std::filesystem::path& checkpoint, const std::string& model, int64_t num_classes, uint64_t seed);

// safetensors with our names, and in the metadata what it takes to predict: zoo.model, zoo.options, zoo.classes and
// zoo.preprocessing (the latter three JSON), zoo.license, zoo.several_labels. Throws Error if the class names are not as many as the classes.
void save_checkpoint(const std::filesystem::path& path, const nn::ResNetV2& model, const ModelInfo& info);

// Renames and lays out anew; the output's format is that of its ending (.safetensors, .npz, .pth). Values do not change,
// but 16-bit ones are widened. A safetensors file gets the metadata of save_checkpoint besides its own. Throws UserError as
// load_checkpoint does.
struct ConvertOptions {
  Naming names = Naming::ours;
  std::vector<std::string> classes = {};  // instead of those of the file
  std::string license = {};
};
void convert(const std::filesystem::path& in, const std::filesystem::path& out, const ConvertOptions& options);

// The root kernel for another number of input channels (timm layers adapt_input_conv). weight [filters, 3, h, w]: summed over
// RGB for 1; tiled, cut and scaled by 3 / channels for others. Throws Error for weights of another number of channels.
at::Tensor adapt_input_conv(const at::Tensor& weight, int64_t in_channels);

// The same body with a new head whose weight and bias are 0, also if the number of classes stays.
nn::ResNetV2 with_zero_head(const nn::ResNetV2& model, int64_t num_classes);

}  // namespace zoo::bit
