// What the tensors of a BiT network are called in the files people have: the official .npz, the official PyTorch module
// (whose names are ours), timm, Hugging Face transformers, big_vision; and how each of them lays a tensor out.
//
//   auto table = zoo::bit::parameter_table({.units = {3, 4, 6, 3}, .width = 1, .num_classes = 1000});
//   table[0].name(Naming::official)     // "resnet/block1/unit01/a/group_norm/beta"
#pragma once

#include <ATen/core/Tensor.h>
#include <libzoo/core/field_tree.h>
#include <libzoo/nn/res_net_v2.h>

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace zoo::bit {

enum class Naming { ours, official, timm, hf, big_vision };
constexpr auto enum_names(Naming) {
  return EnumNames<Naming, 5>{{{Naming::ours, "ours"},
                               {Naming::official, "official"},
                               {Naming::timm, "timm"},
                               {Naming::hf, "hf"},
                               {Naming::big_vision, "big_vision"}}};
}

enum class ParameterKind { kernel, norm_weight, norm_bias, head_kernel, head_bias };

struct Parameter {
  std::array<std::string, 5> names;  // by Naming
  std::vector<int64_t> shape;        // ours: OIHW or [channels]
  ParameterKind kind = ParameterKind::kernel;

  const std::string& name(Naming naming) const { return names[size_t(naming)]; }
  // official: kernels HWIO; hf: a 2-D head; big_vision: kernels HWIO, norms (1,1,1,C), the head (in,out).
  std::vector<int64_t> shape_in(Naming naming) const;
  int64_t count() const;
};

// All parameters in ascending order of their official names: the order of the members of an official file, and of the
// reference cases. num_classes 0: no head.
std::vector<Parameter> parameter_table(const nn::ResNetV2Options& architecture);
int64_t parameter_count(const nn::ResNetV2Options& architecture);

// From the layout of `naming` to ours and back; the result is contiguous, of the same type. `tensor` has the shape that
// shape_in() gives.
at::Tensor to_ours(const Parameter& parameter, Naming naming, const at::Tensor& tensor);
at::Tensor from_ours(const Parameter& parameter, Naming naming, const at::Tensor& tensor);

// Some official files number their scopes: ".../standardized_conv2d_17/kernel" -> ".../standardized_conv2d/kernel".
std::string without_number(const std::string& official);

using NamedTensors = std::map<std::string, at::Tensor>;

// Names as in the tables: numbered scopes rewritten; "module." (torch's DataParallel) and "params/" (flax) taken off where
// every name begins so. Throws UserError if two names become one.
NamedTensors normalised_names(NamedTensors tensors);

// Whose names these are, by the root convolution; nothing if it is called by none of them.
std::optional<Naming> detect_naming(const NamedTensors& tensors);

// Units, width, input channels and classes (0 without a head), from names and shapes. Throws UserError if there is no root
// convolution or no unit, or if the root's filters are no multiple of `groups`.
nn::ResNetV2Options infer_architecture(const NamedTensors& tensors, Naming naming, int64_t groups = 32);

}  // namespace zoo::bit
