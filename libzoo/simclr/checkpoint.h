// SimCLR networks in files: the released TensorFlow checkpoints, what converters made of them, and our own safetensors.
//
//   auto loaded = zoo::simclr::load_checkpoint("r50_1x_sk0/model.ckpt-250228.index");
//   at::Tensor h = loaded.network->features(images);
//   zoo::simclr::save_checkpoint("model.safetensors", loaded.network, loaded.info);
#pragma once

#include <libzoo/simclr/names.h>
#include <libzoo/simclr/views.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace zoo::simclr {

// How pictures become input when the network is asked (views.h: evaluation_view), and what its classes are called.
struct ModelInfo {
  int64_t size = 224;                // pixels, square
  ViewResize resize = ViewResize::tf1_bicubic;
  std::vector<std::string> classes;  // empty: unknown
};

struct LoadOptions {
  // How many layers of the projection head a new classifier stands on (or, in files without our metadata, the file's own): the others
  // are dropped. Unset: as the file says; -1: all layers, and the classifier on the features.
  std::optional<int64_t> selector;
  std::optional<int64_t> num_classes;  // unset: as in the file; another number: a new classifier that starts at zero; 0: none
  bool new_classifier = false;         // also if the number is the file's
};

struct Checkpoint {
  Network network{nullptr};
  Naming naming = Naming::ours;  // of the file
  ModelInfo info;                // classes are empty unless the classifier was loaded
  bool classifier_loaded = false;
};

// Any file that io::load_weights reads. Throws UserError, opening with the file's name, that lists every missing, unexpected and
// mis-shaped tensor, and for values that are not finite. Passed over: optimiser slots, step counters and the moving-average copies of the
// official files. Without metadata, networks with a small stem are shown pictures of 32 pixels, others of 224.
Checkpoint load_checkpoint(const std::filesystem::path& path, const LoadOptions& options = {});

// safetensors with our names; the metadata holds what it takes to load and to ask the network.
void save_checkpoint(const std::filesystem::path& path, const Network& network, const ModelInfo& info);

// Renames and lays out anew: ours or official names, in the format of the ending (.safetensors, .npz, .pth).
struct ConvertOptions {
  Naming names = Naming::ours;
  std::optional<int64_t> selector = {};
  std::vector<std::string> classes = {};
};
void convert(const std::filesystem::path& in, const std::filesystem::path& out, const ConvertOptions& options);

}  // namespace zoo::simclr
