#include <libzoo/bit/inputs.h>
#include <libzoo/core/error.h>
#include <libzoo/data/eval_transform.h>

#include <fmt/format.h>

namespace zoo::bit {
namespace {

data::EvalTransform evaluation_transform(const Preprocessing& p) {
  data::EvalTransform transform{.mode = data::parse_eval_mode(p.mode),
                                .size = p.size,
                                .interpolation = data::parse_interpolation(p.interpolation),
                                .crop_pct = p.crop_fraction};
  transform.mean.assign(p.mean.begin(), p.mean.end());
  transform.std.assign(p.deviation.begin(), p.deviation.end());
  return transform;
}

}  // namespace

data::TrainTransform finetune_transform(const HyperRule& rule, bool flip) {
  return {.mode = data::TrainMode::squash, .precrop = rule.resize, .crop = rule.crop, .random_flip = flip};
}

data::TrainTransform pretrain_transform(const PretrainOptions& o) {
  data::TrainTransform transform{.precrop = o.resolution, .crop = o.resolution, .random_flip = o.flip};
  switch (o.augment) {
    case Augment::none: transform.mode = data::TrainMode::squash; break;
    case Augment::inception: transform.mode = data::TrainMode::inception; break;
    case Augment::random_resized:
      transform.mode = data::TrainMode::random_resized;
      transform.range = {.area_min = 0.08};
      break;
    case Augment::padded: transform.mode = data::TrainMode::padded; break;
  }
  return transform;
}

data::Loader training_data(const data::DatasetPointer& dataset, data::TrainTransform transform, int64_t batch_size,
                           const data::LoaderOptions& options, uint64_t seed) {
  transform.scaled_decode = options.scaled_decode;
  return data::Loader(dataset, data::image_transform(transform), options,
                      {.batch_size = batch_size, .seed = seed, .replacement = batch_size > dataset->size()});
}

data::Stream<data::ImageBatch> evaluation_batches(const data::DatasetPointer& dataset, const Preprocessing& preprocessing,
                                                  int64_t batch_size, const data::ReadOptions& options) {
  return data::image_batches(dataset, data::image_transform(evaluation_transform(preprocessing)),
                             {.batch_size = batch_size,
                              .shuffle = false,
                              .drop_last = false,
                              .epochs = 1,
                              .workers = int(options.workers),
                              .prefetch = options.prefetch,
                              .bad_items = {options.on_bad_item, options.max_bad_items}});
}

DatasetSize size_of(const data::ImageDataset& dataset) {
  const auto size = dataset.typical_size();
  return {.num_examples = dataset.size(), .image_height = size.height, .image_width = size.width};
}

LabelLoss loss_for(const data::ImageDataset& dataset, const std::optional<LabelLoss>& wanted) {
  const bool several = dataset.has_several_labels();
  if (several && wanted == LabelLoss::softmax)
    throw UserError(fmt::format("loss: softmax wants one label for each picture: {}", dataset.describe()),
                    "loss=sigmoid says yes or no to each class");
  return wanted.value_or(several ? LabelLoss::sigmoid : LabelLoss::softmax);
}

}  // namespace zoo::bit
