// A file of named tensors, whatever its format.
//
//   auto weights = io::load_weights("model.safetensors");       // also .pth and .npz, told apart by their contents
//   auto released = io::load_weights("model.ckpt-250228.index"); // a TensorFlow checkpoint, by its index or by what both files share
//   io::save_weights("out.safetensors", weights.tensors, {{"model", "bit_r50x1"}});
#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <map>
#include <string>

namespace zoo::io {

struct Weights {
  std::map<std::string, at::Tensor> tensors;    // on the CPU, contiguous; memory is shared with the mapped file where possible
  std::map<std::string, std::string> metadata;  // only safetensors have some
};

// A .pth with a dict of tensors under `state_dict` or `model` gives that dict. Throws UserError.
Weights load_weights(const std::filesystem::path& path);

// safetensors, replacing `path` as a whole. Tensors may live on any device and have any strides. Throws Error.
void save_weights(const std::filesystem::path& path, const std::map<std::string, at::Tensor>& tensors,
                  const std::map<std::string, std::string>& metadata = {});

// The same in the format of the ending: .safetensors, .npz or .pth (.pt), of which only the first takes metadata. Throws UserError for
// other endings.
void save_weights_by_ending(const std::filesystem::path& path, const std::map<std::string, at::Tensor>& tensors,
                            const std::map<std::string, std::string>& metadata = {});

}  // namespace zoo::io
