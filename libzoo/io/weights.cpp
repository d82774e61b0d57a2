#include <libzoo/core/error.h>
#include <libzoo/io/npy.h>
#include <libzoo/io/pth.h>
#include <libzoo/io/safetensors.h>
#include <libzoo/io/tensor.h>
#include <libzoo/io/tf_checkpoint.h>
#include <libzoo/io/weights.h>
#include <libzoo/io/zip.h>

#include <fmt/format.h>

#include <algorithm>

namespace zoo::io {
namespace {

bool begins_with(const Bytes& file, std::string_view magic) { return file.text().starts_with(magic); }

Arrays read_zip(const Bytes& file, const std::string& where) {
  const auto entries = ZipReader(file, where).entries();
  const auto any = [&](std::string_view suffix) {
    return std::any_of(entries.begin(), entries.end(), [&](const ZipEntry& e) { return e.name.ends_with(suffix); });
  };
  if (any("data.pkl")) return read_pth(file, where, {.find_state_dict = true}).tensors;
  if (any(".npy")) return read_npz(file, where);
  throw UserError(fmt::format("{}: a zip archive with neither data.pkl (.pth) nor .npy members (.npz)", where));
}

}  // namespace

Weights load_weights(const std::filesystem::path& path) {
  const std::string where = path.string();
  Weights weights;
  Arrays arrays;
  const bool prefix = !std::filesystem::exists(path) && std::filesystem::exists(where + ".index");
  const Bytes file = prefix ? Bytes() : map_file(path);
  if (prefix || path.extension() == ".index") {
    arrays = read_tf_checkpoint(path);
  } else if (is_zip(file.view)) {
    arrays = read_zip(file, where);
  } else if (begins_with(file, "\x80") && file.size() > 8 && file.view[7] != 0) {
    // The eighth byte of a safetensors file is the highest of its header's length.
    read_pth(file, where);
  } else if (begins_with(file, "\x93NUMPY")) {
    throw UserError(fmt::format("{}: a single .npy array has no name", where), "save named arrays with numpy.savez");
  } else if (begins_with(file, "\x89HDF")) {
    throw UserError(fmt::format("{}: HDF5 is not read", where), "convert the file to safetensors in Python");
  } else {
    auto read = read_safetensors(file, where);
    arrays = std::move(read.tensors);
    weights.metadata = std::move(read.metadata);
  }
  for (const auto& [name, array] : arrays) weights.tensors.emplace(name, to_tensor(array));
  return weights;
}

void save_weights(const std::filesystem::path& path, const std::map<std::string, at::Tensor>& tensors,
                  const std::map<std::string, std::string>& metadata) {
  Arrays arrays;
  for (const auto& [name, tensor] : tensors) {
    try {
      arrays.emplace(name, view_array(tensor));
    } catch (const Error& error) {
      throw Error(fmt::format("{}: tensor '{}': {}", path.string(), name, error.what()), error.hint());
    }
  }
  write_safetensors(path, arrays, metadata);
}

void save_weights_by_ending(const std::filesystem::path& path, const std::map<std::string, at::Tensor>& tensors,
                            const std::map<std::string, std::string>& metadata) {
  const std::string ending = path.extension().string();
  if (ending == ".safetensors") return save_weights(path, tensors, metadata);
  Arrays arrays;
  for (const auto& [name, tensor] : tensors) arrays.emplace(name, view_array(tensor));
  if (ending == ".npz") return write_npz(path, arrays);
  if (ending == ".pth" || ending == ".pt") return write_pth(path, arrays);
  throw UserError(fmt::format("{}: no format is known for the ending '{}'", path.string(), ending), "write to .safetensors, .npz or .pth");
}

}  // namespace zoo::io
