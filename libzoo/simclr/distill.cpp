#include <libzoo/core/error.h>
#include <libzoo/core/log.h>
#include <libzoo/dist/data_parallel.h>
#include <libzoo/simclr/checkpoint.h>
#include <libzoo/simclr/distill.h>
#include <libzoo/simclr/distillation.h>
#include <libzoo/simclr/inputs.h>

#include <ATen/ATen.h>

#include <fmt/format.h>

namespace zoo::simclr {
namespace {

Checkpoint student_of(const DistillOptions& o, int64_t num_classes, uint64_t seed) {
  if (!o.student.empty()) return load_checkpoint(o.student, {.num_classes = num_classes, .new_classifier = true});
  Checkpoint fresh;
  fresh.network = Network(network_options(o, {.mode = HeadMode::none}, num_classes, seed));
  fresh.info.size = o.resolution;
  fresh.info.resize = o.views.resize;
  return fresh;
}

}  // namespace

Json distill(const DistillOptions& o, train::Run& run) {
  auto teacher = load_checkpoint(o.teacher);
  const int64_t num_classes = teacher.network->options.num_classes;
  if (num_classes == 0)
    throw UserError(fmt::format("{}: the teacher has no classifier", o.teacher.string()), "fine-tune it first: zoo-simclr finetune");
  const auto train_set = data::open_dataset(o.train);
  const auto test_set = o.test ? data::open_dataset(*o.test) : nullptr;
  if (test_set && test_set->num_classes() != num_classes)
    throw UserError(fmt::format("the test set has {} classes, the teacher {}", test_set->num_classes(), num_classes));
  auto student = student_of(o, num_classes, run.seed("initialisation"));
  if (student.info.size != teacher.info.size)
    throw UserError(fmt::format("the teacher sees pictures of {} pixels, the student of {}", teacher.info.size, student.info.size),
                    "set resolution to the teacher's");
  const auto group = run.group();
  if (run.writes()) log::info(train_set->describe());
  teacher.network->to(run.device());
  teacher.network->eval();
  auto& network = student.network;
  if (network->options.head_keep < 0) network->freeze_projection();  // takes no part
  network->to(run.device());
  dist::DataParallel parallel(*network, group);
  if (group) nn::synchronize_batch_norms(*network, [group](at::Tensor& values) { group->sum(values); });
  ViewOptions views = o.views;
  views.size = student.info.size;
  auto batches = training_data(train_set, one_view(views), o.batch_size, o.data, run.seed("data"), group.get());
  Optimizer optimizer(*network, o.optimizer);
  const Schedule schedule = schedule_of(o, train_set->size());

  run.track("model", *network);
  run.track("optimizer", optimizer);
  run.track("data", batches);
  for (int64_t step : run.steps(schedule.total_steps)) {
    optimizer.zero_grad();
    const auto batch = next_batch(batches, run);
    at::Tensor opinion;
    {
      const at::NoGradGuard no_grad;
      opinion = teacher.network->logits(batch.images);
    }
    const auto loss = distillation_loss(network->logits(batch.images), opinion, o.temperature);
    parallel.backward(loss);
    optimizer.step(schedule.rate(step));
    run.log(step, {{"loss", loss.detach()}, {"learning_rate", schedule.rate(step)}});
  }
  if (run.interrupted()) return nullptr;
  student.info.classes = teacher.info.classes;
  run.save_model([&](const std::filesystem::path& path) { save_checkpoint(path, network, student.info); });
  Json result = {{"steps", schedule.total_steps}};
  if (!test_set) return result;
  const auto measured = [&](Checkpoint& one) {
    return train::measure(
        *one.network, [&](const at::Tensor& images) { return one.network->logits(images); },
        evaluation_batches(test_set, one.info, 64, o.data), run.device());
  };
  result.update(train::as_json(measured(student)));
  result["teacher top1"] = measured(teacher).top(1);
  return result;
}

}  // namespace zoo::simclr
