// `zoo-bit evaluate` and `zoo-bit predict`: what a checkpoint says about labelled sets and about single pictures.
#pragma once

#include <libzoo/bit/predict_options.h>
#include <libzoo/core/json.h>

#include <ATen/core/Tensor.h>

#include <functional>
#include <string>
#include <vector>

namespace zoo::bit {

// {loss, top1, top5, images} over the whole of options.test. Throws UserError if the class counts differ.
Json evaluate(const EvaluateOptions& options, const at::Device& device);

struct ClassProbability {
  std::string name;    // as the checkpoint names it, or its number
  double probability;  // softmax
};

struct Prediction {
  std::filesystem::path file;
  std::vector<float> logits;
  std::vector<ClassProbability> top;  // the most probable first
};

// Pictures below the files and folders, folders walked in the order of their names. A folder's files that are no pictures
// by their first bytes are passed over; a file named outright must be one. Throws UserError for what can't be read.
std::vector<std::filesystem::path> list_pictures(const std::vector<std::filesystem::path>& paths);

// Calls `receive` for each picture in order. Throws UserError naming a picture that can't be decoded.
void predict(const PredictOptions& options, const std::vector<std::filesystem::path>& pictures, const at::Device& device,
             const std::function<void(const Prediction&)>& receive);

}  // namespace zoo::bit
