#include <libzoo/simclr/distillation.h>

#include <libzoo/core/error.h>

#include <ATen/ATen.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace zoo::simclr {

at::Tensor distillation_loss(const at::Tensor& student_logits, const at::Tensor& teacher_logits, double temperature) {
  if (student_logits.sizes() != teacher_logits.sizes() || student_logits.dim() != 2)
    throw UserError(fmt::format("student and teacher must give logits of the same [batch, classes], got [{}] and [{}]",
                                fmt::join(student_logits.sizes(), ", "), fmt::join(teacher_logits.sizes(), ", ")));
  if (!(temperature > 0)) throw UserError(fmt::format("the temperature must be positive, got {}", temperature));
  const auto target = at::softmax(teacher_logits.detach() / temperature, 1);
  return (target * at::log_softmax(student_logits / temperature, 1)).sum(1).mean() * (-temperature * temperature);
}

}  // namespace zoo::simclr
