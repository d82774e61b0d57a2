#include <libzoo/bit/checkpoint.h>
#include <libzoo/bit/inputs.h>
#include <libzoo/bit/models.h>
#include <libzoo/bit/pretrain.h>
#include <libzoo/bit/training.h>
#include <libzoo/core/log.h>
#include <libzoo/optim/schedules.h>
#include <libzoo/optim/sgd.h>

namespace zoo::bit {
namespace {

double learning_rate(const PretrainOptions& o, int64_t step) {
  const optim::ScheduleOptions schedule{.warmup_steps = o.warmup_steps, .total_steps = o.steps};
  if (o.decay == Decay::cosine) return optim::cosine_rate(o.rate, step, schedule);
  std::vector<double> drops;
  for (double fraction : o.stairs) drops.push_back(fraction * double(o.steps));
  return optim::stairs_rate(o.rate, step, schedule, drops);
}

}  // namespace

nn::ResNetV2 pretrain_network(const PretrainOptions& o, train::Run& run, Json& result) {
  const auto train_set = data::open_dataset(o.train);
  const auto test_set = o.test ? data::open_dataset(*o.test) : nullptr;
  if (test_set) require_same_classes(*train_set, *test_set);
  log::info(train_set->describe());

  auto model = build(o.model, {.num_classes = train_set->num_classes(), .seed = run.seed("initialisation")});
  model->to(run.device());
  auto batches = training_data(train_set, pretrain_transform(o), o.batch_size / o.accumulation_steps, o.data, run.seed("data"));
  optim::Sgd sgd(model->named_parameters(), {.momentum = o.momentum, .weight_decay = o.weight_decay});
  const ModelInfo info{
      .name = std::string(find_model(o.model).name), .classes = train_set->class_names(), .preprocessing = {.size = o.resolution}};

  run.track("model", *model);
  run.track("optimizer", sgd);
  run.track("data", batches);
  auto measure_test = [&] { return measure(model, evaluation_batches(test_set, info.preprocessing, 64, o.data), run.device()); };

  for (int64_t step : run.steps(o.steps)) {
    sgd.zero_grad();
    const at::Tensor loss = accumulate_gradients(model, batches, o.accumulation_steps, step, {}, run.device(), &run);
    if (o.clip_norm > 0) optim::clip_grad_norm(sgd.parameters(), o.clip_norm);
    const double rate = learning_rate(o, step);
    sgd.step(rate);
    run.log(step, {{"loss", loss}, {"learning_rate", rate}});
    if (test_set && o.evaluate_every > 0 && (step + 1) % o.evaluate_every == 0) {
      const auto metrics = measure_test();
      run.evaluation(step, {{"test_loss", metrics.loss}, {"top1", metrics.top(1)}}, "top1");
    }
  }
  if (run.interrupted()) return model;
  run.save_model([&](const std::filesystem::path& path) { save_checkpoint(path, model, info); });
  result = {{"steps", o.steps}};
  if (const Json echo = batches.echo_summary(); !echo.is_null()) result["echo"] = echo;
  if (test_set) result.update(as_json(measure_test()));
  return model;
}

Json pretrain(const PretrainOptions& options, train::Run& run) {
  Json result;
  pretrain_network(options, run, result);
  return result;
}

}  // namespace zoo::bit
