#include <libzoo/core/error.h>
#include <libzoo/data/picture_files.h>
#include <libzoo/io/npy.h>
#include <libzoo/io/safetensors.h>
#include <libzoo/io/tensor.h>
#include <libzoo/simclr/checkpoint.h>
#include <libzoo/simclr/features.h>
#include <libzoo/simclr/inputs.h>

#include <ATen/ATen.h>

namespace zoo::simclr {
namespace {

Checkpoint opened(const EncoderOptions& o, const at::Device& device) {
  auto loaded = load_checkpoint(o.checkpoint);
  loaded.network->to(device);
  loaded.network->eval();
  if (o.resolution) loaded.info.size = *o.resolution;
  return loaded;
}

}  // namespace

Json write_features(const FeaturesOptions& o, const std::vector<std::filesystem::path>& pictures, const at::Device& device) {
  auto loaded = opened(o, device);
  const auto found = features_of(loaded.network, data::picture_files(pictures), loaded.info, o.data, device);
  std::string names;
  for (const auto& path : pictures) names += path.string() + '\n';
  Arrays arrays{{"features", io::to_array(found.values)}, {"files", Array::text(names)}};
  if (loaded.network->options.num_classes > 0) {
    const at::NoGradGuard no_grad;
    loaded.network->eval();
    arrays.emplace("logits", io::to_array(loaded.network->classify(found.values.to(device))));
  }
  if (o.out.extension() == ".npz")
    io::write_npz(o.out, arrays);
  else
    io::write_safetensors(o.out, arrays);
  return {{"pictures", found.values.size(0)}, {"width", found.values.size(1)}, {"file", o.out.string()}};
}

Json neighbours(const NeighboursOptions& o, const at::Device& device) {
  const auto train_set = data::open_dataset(o.train), test_set = data::open_dataset(o.test);
  data::require_same_classes(*train_set, *test_set);
  const auto loaded = opened(o, device);
  const auto features = [&](const data::DatasetPointer& set) { return features_of(loaded.network, set, loaded.info, o.data, device); };
  const auto test = features(test_set);
  Json result = probe_features(features(train_set), test, train_set->num_classes(), o.probe);
  result["images"] = test.labels.size(0);
  return result;
}

}  // namespace zoo::simclr
