#include <libzoo/bit/losses.h>
#include <libzoo/bit/training.h>
#include <libzoo/core/error.h>

#include <ATen/ATen.h>

namespace zoo::bit {

Loss softmax_loss() {
  return [](nn::ResNetV2& model, const MixedBatch& batch) {
    return mixed_cross_entropy(model->forward(batch.images), batch.labels, batch.partner_labels, batch.lambda);
  };
}

Loss sigmoid_loss() {
  return [](nn::ResNetV2& model, const MixedBatch& batch) {
    const auto targets = mixed_targets(batch.labels, batch.partner_labels, batch.lambda, model->options.num_classes);
    return sigmoid_cross_entropy(model->forward(batch.images), targets).mean();
  };
}

Loss distillation(nn::ResNetV2 teacher, double temperature) {
  return [teacher, temperature](nn::ResNetV2& model, const MixedBatch& batch) mutable {
    at::Tensor opinion;
    {
      at::NoGradGuard no_grad;
      opinion = teacher->forward(batch.images);
    }
    return distillation_loss(opinion, model->forward(batch.images), temperature).mean();
  };
}

namespace {

MixedBatch mixed(const data::ImageBatch& batch, const MixUp& mixup, double lambda, int64_t step, int64_t micro) {
  if (lambda == 1) return {batch.images, batch.labels, batch.labels};
  const auto partners = mixup_partners(mixup.partner, batch.images.size(0), mixup.seed, step, micro).to(batch.images.device());
  return {mix(batch.images, partners, lambda), batch.labels, batch.labels.index_select(0, partners), lambda};
}

}  // namespace

at::Tensor accumulate_gradients(nn::ResNetV2& model, data::Loader& batches, int64_t micro_batches, int64_t step, const MixUp& mixup,
                                const at::Device& device, train::Run* run, const Loss& loss, double factor) {
  double lambda = mixup_lambda(mixup.alpha, mixup.seed, step);
  if (mixup.fold) lambda = fold_lambda(lambda);
  at::Tensor total;
  for (int64_t micro = 0; micro < micro_batches; ++micro) {
    std::optional<data::ImageBatch> batch;
    {
      std::optional<train::DataWait> waiting;
      if (run) waiting.emplace(*run);
      batch = batches.next();
    }
    if (!batch) throw Error("the training data ended before the last step");
    const auto part = loss(model, mixed(batch->to(device), mixup, lambda, step, micro)) / double(micro_batches);
    (factor == 1 ? part : part * factor).backward();
    total = total.defined() ? total + part.detach() : part.detach();
  }
  return total;
}

eval::ClassificationMetrics measure(nn::ResNetV2& model, data::Stream<data::ImageBatch> batches, const at::Device& device) {
  return train::measure(*model, [&](const at::Tensor& images) { return model->forward(images); }, std::move(batches), device);
}

train::Features extract_features(nn::ResNetV2& model, data::Stream<data::ImageBatch> batches, const at::Device& device) {
  return train::extract_features(*model, [&](const at::Tensor& images) { return model->features(images); }, std::move(batches), device);
}

}  // namespace zoo::bit
