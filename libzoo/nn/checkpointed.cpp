#include <libzoo/nn/checkpointed.h>
#include <libzoo/nn/first_derivative.h>

#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

#include <utility>

namespace zoo::nn {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;
using Part = std::function<at::Tensor(const at::Tensor&)>;

struct HeldPart : torch::CustomClassHolder {
  explicit HeldPart(Part part_) : part(std::move(part_)) {}
  Part part;
};

struct CheckpointedFunction : torch::autograd::Function<CheckpointedFunction> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& x, const Part& part) {
    ctx->save_for_backward({x});
    ctx->saved_data["part"] = c10::IValue::make_capsule(c10::make_intrusive<HeldPart>(part));
    return part(x);
  }

  static variable_list backward(AutogradContext* ctx, variable_list gradients) {
    require_first_derivative("activation checkpointing");
    const auto x = ctx->get_saved_variables()[0].detach().requires_grad_();
    const auto held = c10::static_intrusive_pointer_cast<HeldPart>(ctx->saved_data["part"].toCapsule());
    at::Tensor y;
    {
      const at::AutoGradMode with_gradients(true);
      y = held->part(x);
    }
    torch::autograd::backward({y}, {gradients[0]});
    return {x.grad(), at::Tensor()};
  }
};

}  // namespace

at::Tensor checkpointed(std::function<at::Tensor(const at::Tensor&)> part, const at::Tensor& x) {
  if (!at::GradMode::is_enabled() || !x.requires_grad()) return part(x);
  return CheckpointedFunction::apply(x, part);
}

}  // namespace zoo::nn
