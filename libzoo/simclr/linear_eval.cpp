#include <libzoo/core/error.h>
#include <libzoo/core/log.h>
#include <libzoo/core/random.h>
#include <libzoo/eval/accuracy.h>
#include <libzoo/io/tensor.h>
#include <libzoo/optim/sgd.h>
#include <libzoo/simclr/checkpoint.h>
#include <libzoo/simclr/inputs.h>
#include <libzoo/simclr/linear_eval.h>
#include <libzoo/simclr/probes.h>

#include <ATen/ATen.h>

#include <fmt/format.h>

namespace zoo::simclr {
namespace {

// The features of `copies` random crops of every picture, or of its centre: [copies or 1, pictures, width].
at::Tensor training_features(Network network, const data::DatasetPointer& set, const ModelInfo& info, const LinearEvalOptions& o,
                             train::Run& run) {
  if (o.copies == 0) return features_of(network, set, info, o.data, run.device()).values.unsqueeze(0);
  const ViewOptions crops{.size = info.size, .resize = info.resize, .color_strength = 0, .blur = false};
  std::vector<at::Tensor> copies;
  for (int64_t copy = 0; copy < o.copies; ++copy) {
    auto batches = data::image_batches(set, one_view(crops),
                                       {.batch_size = 128,
                                        .shuffle = false,
                                        .drop_last = false,
                                        .epochs = 1,
                                        .seed = run.seed(fmt::format("copy {}", copy)),
                                        .workers = int(o.data.workers),
                                        .prefetch = o.data.prefetch});
    copies.push_back(train::extract_features(
                         *network, [&](const at::Tensor& images) { return network->features(images); }, std::move(batches), run.device())
                         .values);
  }
  return at::stack(copies);
}

struct Trial {
  double rate;
  Schedule schedule;
  Classifier classifier;
  optim::Sgd sgd;
};

// Which feature rows a step sees: a permutation of the pictures in each epoch, the short last batch left out.
class Order {
 public:
  Order(int64_t pictures, int64_t batch_size, uint64_t seed) : pictures_(pictures), batch_size_(batch_size), seed_(seed) {}
  int64_t epoch(int64_t step) const { return step / (pictures_ / batch_size_); }
  at::Tensor rows(int64_t step) {
    if (epoch(step) != epoch_) {
      epoch_ = epoch(step);
      places_ = permutation(pictures_, {.seed = seed_, .epoch = uint32_t(epoch_), .purpose = Purpose::shuffle_stage});
    }
    const int64_t from = step % (pictures_ / batch_size_) * batch_size_;
    return at::tensor(at::ArrayRef<int64_t>(places_.data() + from, size_t(batch_size_)), at::kLong);
  }

 private:
  int64_t pictures_, batch_size_, epoch_ = -1;
  uint64_t seed_;
  std::vector<int64_t> places_;
};

}  // namespace

Json linear_eval(const LinearEvalOptions& o, train::Run& run) {
  const auto train_set = data::open_dataset(o.train), test_set = data::open_dataset(o.test);
  data::require_same_classes(*train_set, *test_set);
  auto loaded = load_checkpoint(o.checkpoint, {.selector = -1, .num_classes = train_set->num_classes(), .new_classifier = true});
  auto& network = loaded.network;
  network->to(run.device());
  if (o.resolution) loaded.info.size = *o.resolution;
  const int64_t batch_size = std::min(o.batch_size, train_set->size());
  if (batch_size < o.batch_size) log::warning(fmt::format("the set has only {} pictures: they are one batch", batch_size));

  log::info(fmt::format("features of {}", train_set->describe()));
  const auto features = training_features(network, train_set, loaded.info, o, run).to(run.device());
  const auto test = features_of(network, test_set, loaded.info, o.data, run.device());
  if (!features.isfinite().all().item<bool>()) throw UserError(o.checkpoint.string() + ": its features are not finite");
  std::vector<int64_t> all_labels;
  for (int64_t i = 0; i < train_set->size(); ++i) all_labels.push_back(train_set->label(i));
  const auto labels = at::tensor(all_labels, at::kLong);

  std::vector<Trial> trials;
  for (double rate : o.rates) {
    Classifier classifier(network->num_features(), train_set->num_classes());
    classifier->to(run.device());
    const auto schedule = make_schedule({.num_examples = train_set->size(),
                                         .batch_size = batch_size,
                                         .epochs = o.epochs,
                                         .warmup_epochs = 0,
                                         .base_rate = rate,
                                         .scaling = o.scaling});
    trials.push_back(
        {rate, schedule, classifier,
         optim::Sgd(classifier->named_parameters(), {.momentum = o.momentum, .weight_decay = o.weight_decay, .nesterov = true})});
  }
  for (size_t i = 0; i < trials.size(); ++i) {
    run.track(fmt::format("classifier{}", i), *trials[i].classifier);
    run.track(fmt::format("optimizer{}", i), trials[i].sgd);
  }
  Order order(train_set->size(), batch_size, run.seed("order"));

  for (int64_t step : run.steps(trials[0].schedule.total_steps)) {
    const auto rows = order.rows(step);
    const auto x = features[order.epoch(step) % features.size(0)].index_select(0, rows.to(run.device()));
    const auto y = labels.index_select(0, rows).to(run.device());
    train::NamedValues values;
    at::Tensor total;
    for (auto& trial : trials) {
      trial.sgd.zero_grad();
      const auto loss = at::cross_entropy_loss(trial.classifier(x), y);
      total = total.defined() ? total + loss : loss;
      values.emplace_back(fmt::format("cross_entropy_{:g}", trial.rate), loss.detach());
    }
    total.backward();
    for (auto& trial : trials) trial.sgd.step(trial.schedule.rate(step));
    run.log(step, values);
  }
  if (run.interrupted()) return nullptr;

  const at::NoGradGuard no_grad;
  Json rows = Json::array(), best;
  for (auto& trial : trials) {
    const auto logits = trial.classifier(test.values.to(run.device())).cpu();
    const bool finite = logits.isfinite().all().item<bool>();
    const auto metrics = eval::classification_metrics(finite ? logits : at::zeros_like(logits), test.labels, {1, 5});
    rows.push_back(
        {{"rate", trial.rate}, {"top1", finite ? Json(metrics.top(1)) : Json()}, {"top5", finite ? Json(metrics.top(5)) : Json()}});
    if (!finite || (!best.is_null() && metrics.top(1) <= best.at("top1").get<double>())) continue;
    best = rows.back();
    network->classifier->weight.copy_(trial.classifier->weight);
    network->classifier->bias.copy_(trial.classifier->bias);
  }
  if (best.is_null()) throw UserError("every rate diverged", "give lower rates");
  loaded.info.classes = train_set->class_names();
  run.save_model([&](const std::filesystem::path& path) { save_checkpoint(path, network, loaded.info); });
  Json result = {
      {"top1", best.at("top1")}, {"top5", best.at("top5")}, {"rate", best.at("rate")}, {"images", test.labels.size(0)}, {"rates", rows}};
  if (o.logistic) {
    const auto probe = fit_logistic_probe(features[0].cpu(), labels, {.num_classes = train_set->num_classes(), .l2 = *o.logistic});
    const auto metrics = eval::classification_metrics(probe.probabilities(test.values).log(), test.labels, {1, 5});
    result["logistic"] = {
        {"top1", metrics.top(1)}, {"top5", metrics.top(5)}, {"objective", probe.objective}, {"converged", probe.converged}};
  }
  return result;
}

}  // namespace zoo::simclr
