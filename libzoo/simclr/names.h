// What the tensors of a SimCLR network are called in the released TensorFlow checkpoints (v1 and v2), and how they lie there.
//
//   for (const auto& entry : official_entries(network)) …   // "base_model/conv2d_1/kernel", [1, 1, 64, 256], "layer1.0.downsample.conv.weight"
#pragma once

#include <libzoo/simclr/network.h>

#include <map>
#include <string>
#include <vector>

namespace zoo::simclr {

using NamedTensors = std::map<std::string, at::Tensor>;

// `official` is TensorFlow's; torchvision's has no projection (as converters of v1 write it); ours is that of Network::file_name.
enum class Naming { ours, official, torchvision };
constexpr auto enum_names(Naming) {
  return EnumNames<Naming, 3>{{{Naming::ours, "ours"}, {Naming::official, "official"}, {Naming::torchvision, "torchvision"}}};
}

struct OfficialEntry {
  std::string official;
  std::vector<int64_t> shape;  // in the official layout
  std::string ours;
};
// Of all parameters and buffers. The numbers are those of the order in which the official code makes its layers: the stem, then in
// each block the projection before the rest. Throws UserError for the small encoder, which nobody released.
std::vector<OfficialEntry> official_entries(const Network& network);

// Kernels from HWIO to OIHW, dense layers transposed, others as they are; and back. Contiguous.
at::Tensor from_official(const at::Tensor& tensor);
at::Tensor to_official(const at::Tensor& tensor);

// "layer1.0.downsample.0.weight" -> "layer1.0.downsample.conv.weight", "conv1.weight" -> "stem.conv1.weight", "fc" -> "head".
std::string from_torchvision(const std::string& name);

// By the stem's convolution; nothing if it is called by none of the names.
std::optional<Naming> detect_naming(const NamedTensors& tensors);

// Depth, width, stem, kernels, head and classes, read off names and shapes. Throws UserError if they fit no network of the family.
NetworkOptions infer_options(const NamedTensors& tensors, Naming naming);

}  // namespace zoo::simclr
