#include <libzoo/core/error.h>
#include <libzoo/simclr/inputs.h>

namespace zoo::simclr {
namespace {

constexpr int64_t kEvaluationBatch = 128;

}  // namespace

data::Loader training_data(const data::DatasetPointer& dataset, data::ImageTransform transform, int64_t batch_size,
                           const data::LoaderOptions& options, uint64_t seed, const dist::Group* group) {
  data::LoaderPlan plan{.batch_size = batch_size, .seed = seed, .drop_last = true};
  if (group) plan.part = {group->rank(), group->size()};
  return data::Loader(dataset, std::move(transform), options, plan);
}

data::ImageBatch next_batch(data::Loader& batches, train::Run& run) {
  const auto waiting = run.waiting_for_data();
  auto batch = batches.next();
  if (!batch) throw Error("the training data ended before the last step");
  return batch->to(run.device());
}

data::Stream<data::ImageBatch> evaluation_batches(const data::DatasetPointer& dataset, const ModelInfo& info, int64_t batch_size,
                                                  const data::ReadOptions& options) {
  return data::image_batches(dataset, evaluation_transform(info.size, info.resize),
                             {.batch_size = batch_size,
                              .shuffle = false,
                              .drop_last = false,
                              .epochs = 1,
                              .workers = int(options.workers),
                              .prefetch = options.prefetch,
                              .bad_items = {options.on_bad_item, options.max_bad_items}});
}

train::Features features_of(Network network, const data::DatasetPointer& dataset, const ModelInfo& info, const data::ReadOptions& options,
                            const at::Device& device) {
  return train::extract_features(
      *network, [&](const at::Tensor& images) { return network->features(images); },
      evaluation_batches(dataset, info, kEvaluationBatch, options), device);
}

}  // namespace zoo::simclr
