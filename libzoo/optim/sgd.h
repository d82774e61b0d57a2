// Stochastic gradient descent with momentum, as torch.optim.SGD: v = momentum·v + (g + weight_decay·p), p -= rate·v.
// The velocity does not contain the rate, so a rate that changes keeps its meaning (Keras folds it in: another path).
//
//   zoo::optim::Sgd sgd(model->named_parameters(), {.momentum = 0.9});
//   sgd.zero_grad();  loss.backward();  sgd.step(rate);
#pragma once

#include <libzoo/optim/optimizer.h>

namespace zoo::optim {

struct SgdOptions {
  double momentum = 0;
  double weight_decay = 0;  // L2, added to the gradient
  bool nesterov = false;
};

class Sgd : public Optimizer {
 public:
  // Throws Error if a parameter appears twice or momentum or weight decay is negative.
  Sgd(const torch::OrderedDict<std::string, at::Tensor>& parameters, const SgdOptions& options);
  Sgd(const std::vector<at::Tensor>& parameters, const SgdOptions& options);

  void step(double rate) override;  // one pass over all memory, also on one GPU

  // The velocities by parameter name.
  State state() const override;
  void restore(const State& state) override;

 private:
  void check() const;

  SgdOptions options_;
  std::vector<at::Tensor> velocities_;  // undefined until the first step with a gradient
};

// Scales the gradients so that their global norm is at most `max_norm`; returns the norm before, as a tensor on their device
// that nothing has waited for.
at::Tensor clip_grad_norm(const std::vector<at::Tensor>& parameters, double max_norm);

}  // namespace zoo::optim
