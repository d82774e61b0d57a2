// `zoo-simclr pretrain`: contrastive learning of features.
#pragma once

#include <libzoo/core/json.h>
#include <libzoo/simclr/network.h>
#include <libzoo/simclr/pretrain_options.h>
#include <libzoo/train/run.h>

namespace zoo::simclr {

// Trains for the steps of the schedule (or until a signal) and returns the network; `result` receives {steps, loss, contrast accuracy}:
// means over the last epoch. Tracks "model", "optimizer", "data" and "window" of the run, and "memory" if there is one. Several
// ranks train one network on batches of batch_size together.
Network pretrain_network(const PretrainOptions& options, train::Run& run, Json& result);

// The same, and leaves model.safetensors, samples/views.png (pictures and their views) and samples/neighbours.png (pictures and those
// nearest to them in the features) in the run directory. With options.test the result has the probes' top1 too; null after a signal.
Json pretrain(const PretrainOptions& options, train::Run& run);

}  // namespace zoo::simclr
