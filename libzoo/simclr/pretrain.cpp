#include <libzoo/core/error.h>
#include <libzoo/core/log.h>
#include <libzoo/dist/data_parallel.h>
#include <libzoo/simclr/checkpoint.h>
#include <libzoo/simclr/feature_probes.h>
#include <libzoo/simclr/hints.h>
#include <libzoo/simclr/inputs.h>
#include <libzoo/simclr/pictures.h>
#include <libzoo/simclr/pretrain.h>
#include <libzoo/simclr/window.h>

#include <ATen/ATen.h>

#include <algorithm>

namespace zoo::simclr {
namespace {

constexpr int64_t kSheetPictures = 12, kNeighbours = 7;
constexpr int64_t kMostSheetCandidates = 5000;  // pictures among which neighbours are looked for

ViewOptions views_of(const PretrainOptions& o) {
  ViewOptions views = o.views;
  views.size = o.resolution;
  return views;
}

ModelInfo info_of(const PretrainOptions& o) { return {.size = o.resolution, .resize = o.views.resize, .classes = {}}; }

void save_neighbours(Network network, data::DatasetPointer dataset, const PretrainOptions& o, train::Run& run) {
  if (dataset->size() > kMostSheetCandidates) {
    std::vector<int64_t> places;
    for (int64_t i = 0; i < kMostSheetCandidates; ++i) places.push_back(i * dataset->size() / kMostSheetCandidates);
    dataset = data::subset(dataset, std::move(places));
  }
  const auto features = features_of(network, dataset, info_of(o), o.data, run.device());
  run.save_image("neighbours", neighbour_sheet(*dataset, features.values, kSheetPictures, kNeighbours));
}

}  // namespace

Network pretrain_network(const PretrainOptions& o, train::Run& run, Json& result) {
  const auto train_set = data::open_dataset(o.train);
  const auto group = run.group();
  const Schedule schedule = schedule_of(o, train_set->size());
  if (run.writes()) log::info(train_set->describe());
  for (const auto& hint : hints(o, *train_set, group ? group->size() : 1))
    if (run.writes()) log::warning(hint);

  Network network(network_options(o, o.head, o.probe ? train_set->num_classes() : 0, run.seed("initialisation")));
  network->to(run.device());
  dist::DataParallel parallel(*network, group);
  if (group) nn::synchronize_batch_norms(*network, [group](at::Tensor& values) { group->sum(values); });
  auto batches = training_data(train_set, two_views(views_of(o)), o.batch_size, o.data, run.seed("data"), group.get());
  Optimizer optimizer(*network, o.optimizer);
  std::optional<Memory> memory;
  if (o.memory.size > 0) memory.emplace(network, o.memory, run.device(), group);
  Window window(schedule.total_steps, std::max<int64_t>(1, std::min(schedule.total_steps, train_set->size() / o.batch_size)));

  run.track("model", *network);
  run.track("optimizer", optimizer);
  run.track("data", batches);
  run.track("window", window);
  if (memory) run.track("memory", *memory);
  run.save_image("views", view_sheet(*train_set, views_of(o), kSheetPictures, run.seed("views")));

  for (int64_t step : run.steps(schedule.total_steps)) {
    optimizer.zero_grad();
    const auto batch = next_batch(batches, run);
    const auto images = both_views(batch.images);  // one forward for all, with the statistics of all
    const auto features = network->features(images);
    const auto z = network->project(features).view({batch.images.size(0), 2, -1});
    const NtXent contrast = nt_xent(z.select(1, 0), z.select(1, 1), o.loss, group.get(), memory ? memory->negatives() : at::Tensor());
    auto loss = contrast.value;
    train::NamedValues values{
        {"contrast_loss", contrast.value.detach()}, {"contrast_accuracy", contrast.accuracy}, {"entropy", contrast.entropy}};
    if (o.probe) {
      const auto logits = network->classifier(features.detach()), labels = batch.labels.repeat_interleave(2);
      loss = loss + at::cross_entropy_loss(logits, labels);
      values.emplace_back("probe_accuracy", logits.argmax(1).eq(labels).to(at::kFloat).mean());
    }
    parallel.backward(loss);
    const double rate = schedule.rate(step);
    optimizer.step(rate);
    if (memory) {
      memory->follow(network);
      memory->push(images);
    }
    values.emplace_back("learning_rate", rate);
    window.add(step, at::stack({contrast.value.detach(), contrast.accuracy}));
    run.log(step, values);
  }
  if (run.interrupted()) return network;
  run.save_model([&](const std::filesystem::path& path) { save_checkpoint(path, network, info_of(o)); });
  auto means = window.means();
  means.resize(2);
  result = {{"steps", schedule.total_steps}, {"loss", means[0]}, {"contrast accuracy", means[1]}};
  return network;
}

Json pretrain(const PretrainOptions& o, train::Run& run) {
  Json result;
  auto network = pretrain_network(o, run, result);
  if (run.interrupted() || run.dry_run()) return nullptr;
  if (!run.writes()) return nullptr;  // rank 0 measures
  nn::synchronize_batch_norms(*network, nullptr);
  const auto train_set = data::open_dataset(o.train);
  save_neighbours(network, o.test ? data::open_dataset(*o.test) : train_set, o, run);
  if (!o.test) return result;
  const auto test_set = data::open_dataset(*o.test);
  data::require_same_classes(*train_set, *test_set);
  const auto features = [&](const data::DatasetPointer& set) { return features_of(network, set, info_of(o), o.data, run.device()); };
  result.update(probe_features(features(train_set), features(test_set), train_set->num_classes(), {}));
  return result;
}

}  // namespace zoo::simclr
