// `zoo-bit pretrain`: a network from scratch on labelled images.
#pragma once

#include <libzoo/bit/pretrain_options.h>
#include <libzoo/bit/training.h>
#include <libzoo/core/json.h>
#include <libzoo/nn/res_net_v2.h>
#include <libzoo/train/run.h>

#include <cstdint>
#include <string>
#include <vector>

namespace zoo::bit {

// What is learnt, if not the labels of options.train by options.loss.
struct Lesson {
  int64_t num_classes = 0;
  std::vector<std::string> classes;  // names, or none
  Loss loss;
  MixUp mixup;
  bool several_labels = false;
};

// Trains for options.steps (or until a signal) and returns the network, or the average of its weights if that is asked for;
// `result` receives what was measured on `test`. Tracks "model", "optimizer", "data" and "average" of the run.
nn::ResNetV2 pretrain_network(const PretrainOptions& options, train::Run& run, Json& result, const Lesson* lesson = nullptr);

// The same, and leaves model.safetensors in the run directory. Returns {loss, top1, top5, steps}; null after a signal.
Json pretrain(const PretrainOptions& options, train::Run& run);

}  // namespace zoo::bit
