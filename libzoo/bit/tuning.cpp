#include <libzoo/bit/inputs.h>
#include <libzoo/bit/training.h>
#include <libzoo/bit/tuning.h>
#include <libzoo/optim/loss_scaler.h>
#include <libzoo/optim/sgd.h>

#include <algorithm>

namespace zoo::bit {

void fine_tune(nn::ResNetV2& model, const data::DatasetPointer& examples, const TuningPlan& plan, const train::Run& run) {
  // A subset smaller than a batch is one batch: each step sees every example once, not some of them twice.
  const int64_t micro = std::max<int64_t>(1, std::min(plan.batch_size, examples->size()) / plan.accumulation_steps);
  place(model, run.device(), plan.precision);
  data::LoaderOptions loader;
  loader.workers = 0;
  auto batches = training_data(examples, finetune_transform(plan.rule, plan.flip), micro, loader, plan.seed);
  optim::Sgd sgd(model->named_parameters(), {.momentum = 0.9});
  optim::LossScaler scaler({.on = plan.precision == Precision::f16});
  for (int64_t step = 0; step < plan.rule.total_steps && !run.interrupted(); ++step) {
    sgd.zero_grad();
    accumulate_gradients(model, batches, plan.accumulation_steps, step, {.alpha = plan.rule.mixup_alpha, .seed = plan.seed}, run.device(),
                         nullptr, softmax_loss(), scaler.factor());
    if (scaler.unscale(sgd.parameters())) sgd.step(plan.rule.learning_rate(step));
  }
}

}  // namespace zoo::bit
