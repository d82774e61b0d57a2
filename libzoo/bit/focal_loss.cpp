#include <libzoo/bit/anchors.h>
#include <libzoo/bit/focal_loss.h>
#include <libzoo/core/error.h>
#include <libzoo/nn/first_derivative.h>

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace zoo::bit {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// With z the logit of the right answer, p = 1 / (1 + e^-z) its probability and q = 1 - p: the loss is α q^γ v with v = -log p, its
// derivative by z is -α q^γ (γ p v + q). v and u = -log q come from log(1 + e^-|z|), so that nothing overflows or cancels.
struct FocalLoss : torch::autograd::Function<FocalLoss> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& logits, const at::Tensor& labels, double alpha, double gamma) {
    const auto positive = labels.ge(0).nonzero().squeeze(1);
    const auto classes = labels.index_select(0, positive);
    // +1 where the answer is yes, else -1; and the weights of the answers.
    auto sign = at::full_like(logits, -1), weight = at::full_like(logits, 1 - alpha);
    sign.index_put_({positive, classes}, at::ones({}, logits.options()));
    weight.index_put_({positive, classes}, at::full({}, alpha, logits.options()));
    weight.mul_(labels.ne(kIgnored).unsqueeze(1));

    const auto z = logits * sign;
    const auto rest = z.abs().neg_().exp_().log1p_();
    const auto v = z.neg().clamp_min_(0).add_(rest), u = z.clamp_min(0).add_(rest);
    weight.mul_(at::exp(-gamma * u));
    const auto slope = at::exp(-v).mul_(v).mul_(gamma).add_(at::exp(-u)).mul_(weight).mul_(sign).neg_();
    ctx->save_for_backward({slope});
    return (weight * v).sum();
  }

  static variable_list backward(AutogradContext* ctx, variable_list gradients) {
    nn::require_first_derivative("focal loss");
    return {ctx->get_saved_variables()[0] * gradients[0], {}, {}, {}};
  }
};

}  // namespace

at::Tensor focal_loss(const at::Tensor& logits, const at::Tensor& labels, const FocalOptions& options) {
  if (logits.dim() != 2 || labels.dim() != 1 || labels.size(0) != logits.size(0) || labels.scalar_type() != at::kLong)
    throw Error(fmt::format("focal loss needs logits [rows, classes] and int64 labels [rows], got [{}] and {} [{}]",
                            fmt::join(logits.sizes(), ", "), c10::toString(labels.scalar_type()), fmt::join(labels.sizes(), ", ")));
  return FocalLoss::apply(logits, labels, options.alpha, options.gamma);
}

}  // namespace zoo::bit
