// What is measured of a network over a finite set of pictures: its accuracy, or its features for probes.
//
//   auto metrics = train::measure(*net, [&](const at::Tensor& images) { return net->logits(images); }, batches, run.device());
#pragma once

#include <libzoo/core/json_fwd.h>
#include <libzoo/data/image_batches.h>
#include <libzoo/data/stream.h>
#include <libzoo/eval/accuracy.h>

#include <c10/core/Device.h>

#include <functional>

namespace torch::nn {
class Module;
}

namespace zoo::train {

using Forward = std::function<at::Tensor(const at::Tensor& images)>;  // images [n, 3, h, w] on the device

// Cross-entropy, top-1 and top-5, without gradients, the module in evaluation mode; then it is in training mode.
eval::ClassificationMetrics measure(torch::nn::Module& module, const Forward& logits, data::Stream<data::ImageBatch> batches,
                                    const at::Device& device);

// On the CPU; without gradients, in the same mode. Throws Error if there are no pictures.
struct Features {
  at::Tensor values;  // [n, features] f32
  at::Tensor labels;  // [n]
};
Features extract_features(torch::nn::Module& module, const Forward& features, data::Stream<data::ImageBatch> batches,
                          const at::Device& device);

// {loss, top1, top5, images}: fractions.
Json as_json(const eval::ClassificationMetrics& metrics);

}  // namespace zoo::train
