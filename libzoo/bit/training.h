// What pre-training, fine-tuning and the demo share: gradients over micro-batches, and accuracy over a test set.
#pragma once

#include <libzoo/core/json.h>
#include <libzoo/data/loader.h>
#include <libzoo/data/stream.h>
#include <libzoo/eval/accuracy.h>
#include <libzoo/nn/res_net_v2.h>
#include <libzoo/train/run.h>

#include <cstdint>

namespace zoo::bit {

struct MixUp {
  double alpha = 0;   // 0: none
  uint64_t seed = 0;
};

// One optimiser step's gradients: the mean loss over `micro_batches` batches of the stream, one λ for all of them
// (mixup.h). Adds to the parameters' gradients; returns the loss, detached. `run`, if given, is told of the wait for data.
at::Tensor accumulate_gradients(nn::ResNetV2& model, data::Loader& batches, int64_t micro_batches, int64_t step, const MixUp& mixup,
                                const at::Device& device, train::Run* run = nullptr);

// Cross-entropy, top-1 and top-5 over a finite stream, without gradients, in evaluation mode.
eval::ClassificationMetrics measure(nn::ResNetV2& model, data::Stream<data::ImageBatch> batches, const at::Device& device);

// {loss, top1, top5, images}: fractions.
Json as_json(const eval::ClassificationMetrics& metrics);

}  // namespace zoo::bit
