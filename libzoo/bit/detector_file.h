// Detectors in files: safetensors with all that it takes to find objects in a picture.
//
//   auto detector = zoo::bit::load_detector("runs/scenes/model.safetensors");
#pragma once

#include <libzoo/bit/checkpoint.h>
#include <libzoo/bit/detector.h>

#include <cstdint>
#include <filesystem>

namespace zoo::bit {

struct LoadedDetector {
  Detector model{nullptr};
  ModelInfo info;  // name and licence of the backbone, names of the classes, preprocessing.size: the canvas in pixels
};

// The metadata are those of save_checkpoint without zoo.preprocessing and with zoo.detector: {size, anchors}. Throws Error unless there
// is a name for each class.
void save_detector(const std::filesystem::path& path, const Detector& model, const ModelInfo& info);

// Throws UserError, naming the file, if it is no detector, if tensors are missing, unexpected, mis-shaped or not finite, and for
// metadata that save_detector does not write.
LoadedDetector load_detector(const std::filesystem::path& path);

// What tells the file of a detector from that of a network for whole pictures.
bool is_detector(const std::map<std::string, std::string>& metadata);

}  // namespace zoo::bit
