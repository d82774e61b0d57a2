#include <libzoo/bit/checkpoint.h>
#include <libzoo/bit/inputs.h>
#include <libzoo/bit/models.h>
#include <libzoo/bit/pretrain.h>
#include <libzoo/bit/test_metrics.h>
#include <libzoo/bit/training.h>
#include <libzoo/core/error.h>
#include <libzoo/core/log.h>
#include <libzoo/optim/adam.h>
#include <libzoo/optim/loss_scaler.h>
#include <libzoo/optim/schedules.h>
#include <libzoo/optim/sgd.h>

#include <ATen/ATen.h>

#include <fmt/format.h>

#include <algorithm>
#include <memory>

namespace zoo::bit {
namespace {

double learning_rate(const PretrainOptions& o, int64_t step) {
  const optim::ScheduleOptions schedule{.warmup_steps = o.warmup_steps, .total_steps = o.steps};
  if (o.decay == Decay::cosine) return optim::cosine_rate(o.rate, step, schedule);
  std::vector<double> drops;
  for (double fraction : o.stairs) drops.push_back(fraction * double(o.steps));
  return optim::stairs_rate(o.rate, step, schedule, drops);
}

// w -= amount · w of every kernel, the head's included (big_vision; the paper adds to the gradient instead).
void shrink_kernels(const nn::ResNetV2& model, double amount) {
  at::NoGradGuard no_grad;
  for (auto& parameter : model->parameters())
    if (parameter.dim() == 4) parameter.mul_(1 - amount);
}

// average += (1 - decay) · (weights - average), with less weight on the past while that is short.
void follow(nn::ResNetV2& average, const nn::ResNetV2& model, double decay, int64_t step) {
  at::NoGradGuard no_grad;
  const double share = 1 - std::min(decay, double(1 + step) / double(10 + step));
  const auto from = model->parameters();
  auto to = average->parameters();
  for (size_t i = 0; i < from.size(); ++i) to[i].lerp_(from[i], share);
}

Lesson labels_of(const data::ImageDataset& dataset, LabelLoss wanted) {
  const auto loss = loss_for(dataset, wanted);  // not within the braces: what throws there makes GCC 12 free members twice
  return {.num_classes = dataset.num_classes(),
          .classes = dataset.class_names(),
          .loss = loss == LabelLoss::sigmoid ? sigmoid_loss() : softmax_loss(),
          .mixup = {},
          .several_labels = dataset.has_several_labels()};
}

std::unique_ptr<optim::Optimizer> optimizer_of(const PretrainOptions& o, const nn::ResNetV2& model) {
  const double l2 = o.weight_decay_kind == WeightDecay::decoupled ? 0 : o.weight_decay;
  if (o.optimizer == OptimizerKind::adam)
    return std::make_unique<optim::Adam>(model->named_parameters(), optim::AdamOptions{.weight_decay = l2, .bf16_moment = o.bf16_moment});
  return std::make_unique<optim::Sgd>(model->named_parameters(), optim::SgdOptions{.momentum = o.momentum, .weight_decay = l2});
}

nn::ResNetV2 fresh_network(const PretrainOptions& o, int64_t num_classes, train::Run& run) {
  auto model = build(o.model, {.num_classes = num_classes, .seed = run.seed("initialisation")});
  {
    at::NoGradGuard no_grad;
    model->named_parameters()["head.conv.bias"].fill_(o.head_bias);
  }
  place(model, run.device(), o.precision);
  model->checkpoint_activations(o.checkpoint_activations);
  return model;
}

}  // namespace

nn::ResNetV2 pretrain_network(const PretrainOptions& o, train::Run& run, Json& result, const Lesson* other) {
  const auto train_set = data::open_dataset(o.train);
  const auto test_set = o.test ? data::open_dataset(*o.test) : nullptr;
  if (test_set) data::require_same_classes(*train_set, *test_set);
  const Lesson lesson = other ? *other : labels_of(*train_set, o.loss);
  if (test_set && test_set->num_classes() != lesson.num_classes) {
    throw UserError(fmt::format("the test set has {} classes, what is learnt has {}", test_set->num_classes(), lesson.num_classes),
                    "test=null trains without measuring");
  }
  log::info(train_set->describe());

  auto model = fresh_network(o, lesson.num_classes, run);
  auto shown = model;
  if (o.average > 0) shown = nn::ResNetV2(std::dynamic_pointer_cast<nn::ResNetV2Impl>(model->clone()));
  auto batches = training_data(train_set, pretrain_transform(o), o.batch_size / o.accumulation_steps, o.data, run.seed("data"));
  const bool decoupled = o.weight_decay_kind == WeightDecay::decoupled;
  const auto optimizer = optimizer_of(o, model);
  optim::LossScaler scaler({.on = o.precision == Precision::f16});
  const ModelInfo info{.name = std::string(find_model(o.model).name),
                       .classes = lesson.classes,
                       .preprocessing = {.size = o.resolution},
                       .several_labels = lesson.several_labels};

  run.track("model", *model);
  run.track("optimizer", *optimizer);
  if (o.precision == Precision::f16) run.track("loss_scaler", scaler);
  run.track("data", batches);
  if (o.average > 0) run.track("average", *shown);
  auto measure_test = [&] { return test_metrics(shown, {test_set, info.preprocessing, 64, o.data}, run.device()); };

  for (int64_t step : run.steps(o.steps)) {
    optimizer->zero_grad();
    const at::Tensor loss =
        accumulate_gradients(model, batches, o.accumulation_steps, step, lesson.mixup, run.device(), &run, lesson.loss, scaler.factor());
    const bool finite = scaler.unscale(optimizer->parameters());
    if (o.clip_norm > 0) optim::clip_grad_norm(optimizer->parameters(), o.clip_norm);
    const double rate = learning_rate(o, step);
    if (finite) {
      if (decoupled) shrink_kernels(model, o.weight_decay * rate / o.rate);
      optimizer->step(rate);
    }
    if (o.average > 0) follow(shown, model, o.average, step);
    run.log(step, {{"loss", loss}, {"learning_rate", rate}});
    if (test_set && o.evaluate_every > 0 && (step + 1) % o.evaluate_every == 0) {
      const auto metrics = measure_test();
      run.evaluation(step, metrics.curve, metrics.best);
    }
  }
  if (run.interrupted()) return shown;
  run.save_model([&](const std::filesystem::path& path) { save_checkpoint(path, shown, info); });
  result = {{"steps", o.steps}};
  if (const Json echo = batches.echo_summary(); !echo.is_null()) result["echo"] = echo;
  if (test_set) result.update(measure_test().result);
  return shown;
}

Json pretrain(const PretrainOptions& options, train::Run& run) {
  Json result;
  pretrain_network(options, run, result);
  return result;
}

}  // namespace zoo::bit
