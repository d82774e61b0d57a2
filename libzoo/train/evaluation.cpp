#include <libzoo/core/error.h>
#include <libzoo/core/json.h>
#include <libzoo/train/evaluation.h>

#include <ATen/ATen.h>
#include <torch/nn/module.h>

namespace zoo::train {

eval::ClassificationMetrics measure(torch::nn::Module& module, const Forward& logits, data::Stream<data::ImageBatch> batches,
                                    const at::Device& device) {
  at::NoGradGuard no_grad;
  module.eval();
  eval::Classification meter({1, 5});
  while (auto batch = batches.next()) {
    const data::ImageBatch on_device = batch->to(device);
    meter.add(logits(on_device.images), on_device.labels);
  }
  module.train();
  return meter.result();
}

Features extract_features(torch::nn::Module& module, const Forward& features, data::Stream<data::ImageBatch> batches,
                          const at::Device& device) {
  at::NoGradGuard no_grad;
  module.eval();
  std::vector<at::Tensor> values, labels;
  while (auto batch = batches.next()) {
    values.push_back(features(batch->images.to(device)).to(at::kCPU));
    labels.push_back(batch->labels);
  }
  module.train();
  if (values.empty()) throw Error("there are no pictures to take features of");
  return {at::cat(values), at::cat(labels)};
}

Json as_json(const eval::ClassificationMetrics& metrics) {
  return {{"loss", metrics.loss}, {"top1", metrics.top(1)}, {"top5", metrics.top(5)}, {"images", metrics.count}};
}

}  // namespace zoo::train
