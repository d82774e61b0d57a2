#include <libzoo/bit/mixup.h>
#include <libzoo/bit/training.h>
#include <libzoo/core/error.h>

#include <ATen/ATen.h>

namespace zoo::bit {

at::Tensor accumulate_gradients(nn::ResNetV2& model, data::Loader& batches, int64_t micro_batches, int64_t step, const MixUp& mixup,
                                const at::Device& device, train::Run* run) {
  const double lambda = mixup_lambda(mixup.alpha, mixup.seed, step);
  at::Tensor total;
  for (int64_t micro = 0; micro < micro_batches; ++micro) {
    std::optional<data::ImageBatch> batch;
    {
      std::optional<train::DataWait> waiting;
      if (run) waiting.emplace(*run);
      batch = batches.next();
    }
    if (!batch) throw Error("the training data ended before the last step");
    const auto on_device = batch->to(device);
    const at::Tensor &images = on_device.images, &labels = on_device.labels;
    auto partners = lambda < 1 ? mixup_partners(Partner::permute, images.size(0), mixup.seed, step, micro) : at::Tensor();
    if (partners.defined()) partners = partners.to(images.device());
    auto partner_labels = partners.defined() ? labels.index_select(0, partners) : labels;
    auto logits = model->forward(partners.defined() ? mix(images, partners, lambda) : images);
    auto loss = mixed_cross_entropy(logits, labels, partner_labels, lambda) / double(micro_batches);
    loss.backward();
    total = total.defined() ? total + loss.detach() : loss.detach();
  }
  return total;
}

eval::ClassificationMetrics measure(nn::ResNetV2& model, data::Stream<data::ImageBatch> batches, const at::Device& device) {
  at::NoGradGuard no_grad;
  model->eval();
  eval::Classification meter({1, 5});
  while (auto batch = batches.next()) {
    const auto on_device = batch->to(device);
    meter.add(model->forward(on_device.images), on_device.labels);
  }
  model->train();
  return meter.result();
}

Json as_json(const eval::ClassificationMetrics& metrics) {
  return {{"loss", metrics.loss}, {"top1", metrics.top(1)}, {"top5", metrics.top(5)}, {"images", metrics.count}};
}

}  // namespace zoo::bit
