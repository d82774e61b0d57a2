#include <libzoo/core/error.h>
#include <libzoo/core/log.h>
#include <libzoo/core/random.h>
#include <libzoo/dist/data_parallel.h>
#include <libzoo/io/lines.h>
#include <libzoo/simclr/checkpoint.h>
#include <libzoo/simclr/finetune.h>
#include <libzoo/simclr/inputs.h>

#include <ATen/ATen.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <unordered_map>

namespace zoo::simclr {
namespace {

Checkpoint start_from(const FinetuneOptions& o, int64_t num_classes, uint64_t seed) {
  if (!o.checkpoint.empty())
    return load_checkpoint(o.checkpoint, {.selector = o.selector, .num_classes = num_classes, .new_classifier = true});
  Checkpoint fresh;
  fresh.network = Network(network_options(o, {.mode = HeadMode::none}, num_classes, seed));
  fresh.info.size = o.resolution;
  fresh.info.resize = o.views.resize;
  return fresh;
}

ViewOptions views_of(const FinetuneOptions& o, int64_t size) {
  ViewOptions views = o.views;
  views.size = size;
  if (o.augment == LabelledViews::crops) {
    views.color_strength = 0;
    views.blur = false;
  }
  return views;
}

data::DatasetPointer chosen(const data::DatasetPointer& all, const FinetuneOptions& o, uint64_t seed) {
  if (!o.list.empty()) return listed(all, o.list);
  return o.percent < 100 ? labelled_share(all, o.percent, seed) : all;
}

}  // namespace

data::DatasetPointer labelled_share(const data::DatasetPointer& dataset, double percent, uint64_t seed) {
  std::vector<std::vector<int64_t>> by_class(size_t(dataset->num_classes()));
  for (int64_t i : permutation(dataset->size(), {.seed = seed, .purpose = Purpose::subset}))
    by_class[size_t(dataset->label(i))].push_back(i);
  std::vector<int64_t> places;
  for (auto& held : by_class) {
    const auto share = std::max<int64_t>(1, std::llround(double(held.size()) * percent / 100));
    places.insert(places.end(), held.begin(), held.begin() + std::min(share, int64_t(held.size())));
  }
  std::sort(places.begin(), places.end());
  return data::subset(dataset, std::move(places));
}

data::DatasetPointer listed(const data::DatasetPointer& dataset, const std::filesystem::path& list) {
  std::unordered_map<std::string, int64_t> by_name;
  for (int64_t i = 0; i < dataset->size(); ++i) by_name.emplace(std::filesystem::path(dataset->item_name(i)).filename().string(), i);
  std::vector<int64_t> places;
  size_t number = 0;
  for (const auto& line : io::read_lines(list)) {
    ++number;
    if (line.empty()) continue;
    const auto found = by_name.find(line);
    if (found == by_name.end()) throw UserError(fmt::format("{}:{}: {} is not in {}", list.string(), number, line, dataset->describe()));
    places.push_back(found->second);
  }
  if (places.empty()) throw UserError(fmt::format("{}: names no picture", list.string()));
  return data::subset(dataset, std::move(places));
}

Json finetune(const FinetuneOptions& o, train::Run& run) {
  const auto all = data::open_dataset(o.train);
  const auto test_set = o.test ? data::open_dataset(*o.test) : nullptr;
  if (test_set) data::require_same_classes(*all, *test_set);
  const auto train_set = chosen(all, o, run.seed("subset"));
  const auto group = run.group();
  if (run.writes()) log::info(train_set->describe());
  if (o.batch_size > train_set->size())
    throw UserError(fmt::format("a batch of {} is more than the {} pictures", o.batch_size, train_set->size()), "set batch_size");

  Checkpoint start = start_from(o, all->num_classes(), run.seed("initialisation"));
  auto& network = start.network;
  network->freeze_after(o.freeze_after);
  if (o.freeze_projection || o.selector == 0) network->freeze_projection();
  network->to(run.device());
  dist::DataParallel parallel(*network, group);
  if (group) nn::synchronize_batch_norms(*network, [group](at::Tensor& values) { group->sum(values); });
  auto batches = training_data(train_set, one_view(views_of(o, start.info.size)), o.batch_size, o.data, run.seed("data"), group.get());
  Optimizer optimizer(*network, o.optimizer);
  const Schedule schedule = schedule_of(o, train_set->size());

  run.track("model", *network);
  run.track("optimizer", optimizer);
  run.track("data", batches);
  const auto measure_test = [&] {
    return train::measure(
        *network, [&](const at::Tensor& images) { return network->logits(images); }, evaluation_batches(test_set, start.info, 64, o.data),
        run.device());
  };

  for (int64_t step : run.steps(schedule.total_steps)) {
    optimizer.zero_grad();
    const auto batch = next_batch(batches, run);
    const auto cross_entropy = at::cross_entropy_loss(network->logits(batch.images), batch.labels);
    auto loss = cross_entropy;
    if (o.head_decay > 0) loss = loss + network->classifier->weight.square().sum() * (o.head_decay / 2);
    parallel.backward(loss);
    optimizer.step(schedule.rate(step));
    run.log(step, {{"loss", cross_entropy.detach()}, {"learning_rate", schedule.rate(step)}});
    if (test_set && o.evaluate_every > 0 && (step + 1) % o.evaluate_every == 0) {
      const auto metrics = measure_test();
      run.evaluation(step, {{"test_loss", metrics.loss}, {"top1", metrics.top(1)}}, "top1");
    }
  }
  if (run.interrupted()) return nullptr;
  start.info.classes = all->class_names();
  run.save_model([&](const std::filesystem::path& path) { save_checkpoint(path, network, start.info); });
  Json result = {{"examples", train_set->size()}, {"steps", schedule.total_steps}};
  if (test_set) result.update(train::as_json(measure_test()));
  return result;
}

}  // namespace zoo::simclr
