#include <libzoo/bit/checkpoint.h>
#include <libzoo/bit/few_shot_sweep.h>
#include <libzoo/bit/finetune.h>
#include <libzoo/bit/hints.h>
#include <libzoo/bit/inputs.h>
#include <libzoo/bit/test_metrics.h>
#include <libzoo/bit/training.h>
#include <libzoo/core/log.h>
#include <libzoo/optim/loss_scaler.h>
#include <libzoo/optim/sgd.h>

namespace zoo::bit {

Json finetune(const FinetuneOptions& o, train::Run& run) {
  auto train_set = data::open_dataset(o.train);
  const auto test_set = o.test ? data::open_dataset(*o.test) : nullptr;
  if (test_set) data::require_same_classes(*train_set, *test_set);
  if (o.examples_per_class) train_set = few_shot_subset(train_set, *o.examples_per_class, run.seed("subset"));
  log::info(train_set->describe());
  const bool sigmoid = loss_for(*train_set, o.loss) == LabelLoss::sigmoid;

  const HyperRule rule = hyper_rule(size_of(*train_set), o.rule);
  Checkpoint start = load_or_build(o.checkpoint, o.model, train_set->num_classes(), run.seed("initialisation"));
  auto& model = start.model;
  place(model, run.device(), o.precision);
  model->checkpoint_activations(o.checkpoint_activations);
  for (const auto& hint : hints(*train_set, rule, o.checkpoint.empty() ? nullptr : &start, o.batch_size / o.accumulation_steps))
    log::warning(hint);
  auto batches = training_data(train_set, finetune_transform(rule, o.flip), o.batch_size / o.accumulation_steps, o.data, run.seed("data"));
  optim::Sgd sgd(model->named_parameters(), {.momentum = 0.9});
  optim::LossScaler scaler({.on = o.precision == Precision::f16});
  const MixUp mixup{.alpha = rule.mixup_alpha, .seed = run.seed("mixup")};

  run.track("model", *model);
  run.track("optimizer", sgd);
  if (o.precision == Precision::f16) run.track("loss_scaler", scaler);
  run.track("data", batches);
  auto measure_test = [&] { return test_metrics(model, {test_set, {.size = rule.crop}, 64, o.data}, run.device()); };
  const Loss loss_of = sigmoid ? sigmoid_loss() : softmax_loss();

  for (int64_t step : run.steps(rule.total_steps)) {
    sgd.zero_grad();
    const at::Tensor loss =
        accumulate_gradients(model, batches, o.accumulation_steps, step, mixup, run.device(), &run, loss_of, scaler.factor());
    if (scaler.unscale(sgd.parameters())) sgd.step(rule.learning_rate(step));
    run.log(step, {{"loss", loss}, {"learning_rate", rule.learning_rate(step)}});
    if (test_set && o.evaluate_every > 0 && (step + 1) % o.evaluate_every == 0) {
      const auto metrics = measure_test();
      run.evaluation(step, metrics.curve, metrics.best);
    }
  }
  if (run.interrupted()) return nullptr;
  const ModelInfo info{.name = start.info.name,
                       .classes = train_set->class_names(),
                       .preprocessing = {.size = rule.crop},
                       .license = start.info.license,
                       .several_labels = train_set->has_several_labels()};
  run.save_model([&](const std::filesystem::path& path) { save_checkpoint(path, model, info); });
  Json result = {{"examples", train_set->size()}, {"steps", rule.total_steps}, {"classes", class_report(*train_set)}};
  if (const Json echo = batches.echo_summary(); !echo.is_null()) result["echo"] = echo;
  if (test_set) result.update(measure_test().result);
  return result;
}

}  // namespace zoo::bit
