// What all training here shares: losses, gradients over micro-batches, and what is measured over a test set.
#pragma once

#include <libzoo/bit/mixup.h>
#include <libzoo/core/json.h>
#include <libzoo/data/loader.h>
#include <libzoo/data/stream.h>
#include <libzoo/eval/accuracy.h>
#include <libzoo/nn/res_net_v2.h>
#include <libzoo/train/evaluation.h>
#include <libzoo/train/run.h>

#include <cstdint>
#include <functional>

namespace zoo::bit {

struct MixUp {
  double alpha = 0;   // 0: none
  uint64_t seed = 0;
  Partner partner = Partner::permute;
  bool fold = false;  // λ at least 1/2
};

// A batch as a loss sees it: images blended with those of their partners.
struct MixedBatch {
  at::Tensor images;                  // [n, 3, h, w]
  at::Tensor labels, partner_labels;  // [n]
  double lambda = 1;                  // weight of `labels`
};
// The scalar that is minimised.
using Loss = std::function<at::Tensor(nn::ResNetV2& model, const MixedBatch& batch)>;

Loss softmax_loss();  // mixed_cross_entropy: BiT's own, in fine-tuning and on ILSVRC
Loss sigmoid_loss();  // a yes or no for each class, summed over classes: ImageNet-21k
// The teacher's opinion instead of labels (losses.h); the teacher sees the student's own pictures.
Loss distillation(nn::ResNetV2 teacher, double temperature);

// One optimiser step's gradients: the mean loss over `micro_batches` batches of the stream, one λ for all of them
// (mixup.h). Adds to the parameters' gradients; returns the loss, detached. `run`, if given, is told of the wait for data. The gradients, not the loss
// that is returned, are those of the loss times `factor` (optim/loss_scaler.h).
at::Tensor accumulate_gradients(nn::ResNetV2& model, data::Loader& batches, int64_t micro_batches, int64_t step, const MixUp& mixup,
                                const at::Device& device, train::Run* run = nullptr, const Loss& loss = softmax_loss(), double factor = 1);

// Cross-entropy, top-1 and top-5 over a finite stream, without gradients, in evaluation mode.
eval::ClassificationMetrics measure(nn::ResNetV2& model, data::Stream<data::ImageBatch> batches, const at::Device& device);

// Pooled features and labels of a finite stream, on the CPU, without gradients.
train::Features extract_features(nn::ResNetV2& model, data::Stream<data::ImageBatch> batches, const at::Device& device);

using train::as_json;

}  // namespace zoo::bit
