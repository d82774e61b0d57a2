#include <libzoo/simclr/checkpoint.h>
#include <libzoo/simclr/demo.h>
#include <libzoo/simclr/inputs.h>
#include <libzoo/simclr/pictures.h>
#include <libzoo/simclr/pretrain.h>

#include <ATen/ATen.h>

#include <cmath>

namespace zoo::simclr {
namespace {

constexpr int64_t kStatisticsBatches = 10, kStatisticsBatch = 200;

// The network before its first step, its batch norms having seen ten batches of pictures: what training must beat.
Network untrained(const NetworkOptions& options, const PretrainOptions& o, const ModelInfo& info, train::Run& run) {
  Network network(options);
  network->to(run.device());
  const at::NoGradGuard no_grad;
  network->train();
  auto batches = data::image_batches(data::open_dataset(o.train), evaluation_transform(info.size, info.resize),
                                     {.batch_size = kStatisticsBatch, .drop_last = false, .seed = run.seed("statistics")});
  for (int64_t i = 0; i < kStatisticsBatches; ++i) network->features(batches.next()->to(run.device()).images);
  return network;
}

double percent(const Json& share) { return std::round(1000 * share.get<double>()) / 10; }

}  // namespace

Json demo(const DemoOptions& o, train::Run& run) {
  Json result;
  auto trained = pretrain_network(o.pretrain, run, result);
  if (run.interrupted() || run.dry_run() || !run.writes()) return nullptr;
  nn::synchronize_batch_norms(*trained, nullptr);
  const ModelInfo info{.size = o.pretrain.resolution, .resize = o.pretrain.views.resize, .classes = {}};
  const auto start = untrained(trained->options, o.pretrain, info, run);
  Json table = Json::array();
  bool drawn = false;
  for (const auto& [name, sets] : o.sets) {
    const auto train_set = data::open_dataset(sets.train), test_set = data::open_dataset(sets.test);
    data::require_same_classes(*train_set, *test_set);
    const auto measured = [&](const Network& network) {
      const auto features = [&](const data::DatasetPointer& set) { return features_of(network, set, info, o.pretrain.data, run.device()); };
      const auto test = features(test_set);
      if (&network == &trained && !drawn) {
        run.save_image("neighbours", neighbour_sheet(*test_set, test.values, 12, 7));
        drawn = true;
      }
      return probe_features(features(train_set), test, train_set->num_classes(), o.probe);
    };
    const Json before = measured(start), after = measured(trained);
    for (const char* probe : {"ridge", "knn"})
      table.push_back(
          {{"set", name}, {"probe", probe}, {"untrained", percent(before.at(probe))}, {"pre-trained", percent(after.at(probe))}});
  }
  result["top-1 %"] = table;
  result["pictures"] = {(run.directory() / "samples" / "views.png").string(), (run.directory() / "samples" / "neighbours.png").string()};
  return result;
}

}  // namespace zoo::simclr
