#include <libzoo/bit/checkpoint.h>
#include <libzoo/bit/distill.h>
#include <libzoo/bit/pretrain.h>
#include <libzoo/core/error.h>

#include <fmt/format.h>

namespace zoo::bit {

Json distill(const DistillOptions& o, train::Run& run) {
  auto teacher = load_checkpoint(o.teacher, {.head = Head::keep, .in_channels = 3});
  if (teacher.architecture.num_classes == 0)
    throw UserError(fmt::format("{}: the teacher has no head", o.teacher.string()), "fine-tune it first: zoo-bit finetune");
  place(teacher.model, run.device(), o.student.precision);
  teacher.model->eval();
  const Lesson lesson{.num_classes = teacher.architecture.num_classes,
                      .classes = teacher.info.classes,
                      .loss = distillation(teacher.model, o.temperature),
                      .mixup = {.alpha = o.mixup_alpha, .seed = run.seed("mixup"), .partner = Partner::roll, .fold = true}};
  Json result;
  pretrain_network(o.student, run, result, &lesson);
  return result;
}

}  // namespace zoo::bit
