#include <libzoo/bit/losses.h>

#include <libzoo/core/error.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace zoo::bit {
namespace {

void require_same_rows(const char* what, const at::Tensor& a, const at::Tensor& b) {
  if (a.dim() == 2 && a.sizes() == b.sizes()) return;
  throw Error(
      fmt::format("{} needs two tensors [rows, classes], got [{}] and [{}]", what, fmt::join(a.sizes(), ", "), fmt::join(b.sizes(), ", ")));
}

}  // namespace

at::Tensor sigmoid_cross_entropy(const at::Tensor& logits, const at::Tensor& targets) {
  require_same_rows("sigmoid cross-entropy", logits, targets);
  return -(targets * at::log_sigmoid(logits) + (1 - targets) * at::log_sigmoid(-logits)).sum(1);
}

at::Tensor distillation_loss(const at::Tensor& teacher_logits, const at::Tensor& student_logits, double temperature) {
  require_same_rows("distillation", teacher_logits, student_logits);
  if (!(temperature > 0)) throw Error(fmt::format("distillation needs a temperature > 0, got {}", temperature));
  const auto p = at::softmax(teacher_logits.detach() / temperature, 1);
  const auto cross_entropy = -(p * at::log_softmax(student_logits / temperature, 1)).sum(1);
  const auto entropy = -(p * p.clamp_min(1e-8).log()).sum(1);
  return temperature * temperature * (cross_entropy - entropy);
}

}  // namespace zoo::bit
