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
  const auto mode = o.augment == Augment::inception ? data::TrainMode::inception : data::TrainMode::squash;
  return {.mode = mode, .precrop = o.resolution, .crop = o.resolution, .random_flip = o.flip};
}

data::Loader training_data(const data::DatasetPointer& dataset, const data::TrainTransform& transform, int64_t batch_size,
                           const data::LoaderOptions& options, uint64_t seed) {
  auto apply = [transform](data::Picture& picture, const RandomKey& key, float* out) {
    RandomStream random(key);
    const auto choice = transform.draw(picture.height(), picture.width(), random);
    transform.hwc(picture.pixels(), choice, out);
  };
  return data::Loader(dataset, {.height = transform.crop, .width = transform.crop, .apply = apply}, options,
                      {.batch_size = batch_size, .seed = seed, .replacement = batch_size > dataset->size()});
}

data::Stream<data::ImageBatch> evaluation_batches(const data::DatasetPointer& dataset, const Preprocessing& preprocessing,
                                                  int64_t batch_size, const data::ReadOptions& options) {
  auto apply = [transform = evaluation_transform(preprocessing)](data::Picture& picture, const RandomKey&, float* out) {
    transform.hwc(picture.pixels(), out);
  };
  return data::image_batches(dataset, {.height = preprocessing.size, .width = preprocessing.size, .apply = apply},
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

void require_same_classes(const data::ImageDataset& train, const data::ImageDataset& test) {
  if (train.num_classes() != test.num_classes()) {
    throw UserError(fmt::format("the training set has {} classes, the test set {}", train.num_classes(), test.num_classes()),
                    "both must have the same classes, empty folders included");
  }
  for (int64_t c = 0; c < train.num_classes(); ++c) {
    if (train.class_name(c) != test.class_name(c)) {
      throw UserError(
          fmt::format("class {} is '{}' in the training set and '{}' in the test set", c, train.class_name(c), test.class_name(c)));
    }
  }
}

}  // namespace zoo::bit
