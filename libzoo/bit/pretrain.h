// `zoo-bit pretrain`: a network from scratch on labelled images.
#pragma once

#include <libzoo/bit/pretrain_options.h>
#include <libzoo/core/json.h>
#include <libzoo/nn/res_net_v2.h>
#include <libzoo/train/run.h>

namespace zoo::bit {

// Trains for options.steps (or until a signal) and returns the network; `result` receives what was measured on `test`.
// Tracks "model", "optimizer" and "data" of the run.
nn::ResNetV2 pretrain_network(const PretrainOptions& options, train::Run& run, Json& result);

// The same, and leaves model.safetensors in the run directory. Returns {loss, top1, top5, steps}; null after a signal.
Json pretrain(const PretrainOptions& options, train::Run& run);

}  // namespace zoo::bit
