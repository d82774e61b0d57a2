// `zoo-bit predict`: what a checkpoint says about single pictures.
#pragma once

#include <libzoo/bit/checkpoint.h>
#include <libzoo/bit/predict_options.h>

#include <ATen/core/Tensor.h>

#include <functional>
#include <string>
#include <vector>

namespace zoo::bit {

// A checkpoint that is ready to be asked, and how pictures become its input.
struct Predictor {
  Checkpoint checkpoint;
  Preprocessing preprocessing;

  std::string class_name(int64_t output) const;  // as the checkpoint names it, or its number
};
// Throws UserError if the network has no head although one is needed, or does not take 3 channels.
Predictor open_predictor(const NetworkOptions& options, const at::Device& device, bool needs_head = true);

struct ClassProbability {
  std::string name;    // Predictor::class_name
  double probability;  // softmax; sigmoid of a network for several labels
};

struct Prediction {
  std::filesystem::path file;
  std::vector<float> logits;
  std::vector<ClassProbability> top;  // the most probable first
};

// Calls `receive` for each picture in order. Throws UserError naming a picture that can't be decoded. With options.features
// the pooled features of all are written there at the end: `features` f32 [pictures, features], `logits` if there is a head, and
// `files`, their names as UTF-8 bytes, a line each.
void predict(const PredictOptions& options, const std::vector<std::filesystem::path>& pictures, const at::Device& device,
             const std::function<void(const Prediction&)>& receive);

}  // namespace zoo::bit
