// Stochastic gradient descent with momentum, as torch.optim.SGD: v = momentum·v + (g + weight_decay·p), p -= rate·v.
// The velocity does not contain the rate, so a rate that changes keeps its meaning (Keras folds it in: another path).
//
//   zoo::optim::Sgd sgd(model->named_parameters(), {.momentum = 0.9});
//   sgd.zero_grad();  loss.backward();  sgd.step(rate);
#pragma once

#include <libzoo/core/state.h>

#include <ATen/core/Tensor.h>
#include <torch/csrc/api/include/torch/ordered_dict.h>

#include <string>
#include <vector>

namespace zoo::optim {

struct SgdOptions {
  double momentum = 0;
  double weight_decay = 0;  // L2, added to the gradient
  bool nesterov = false;
};

class Sgd {
 public:
  // Throws Error if a parameter appears twice or momentum or weight decay is negative.
  Sgd(const torch::OrderedDict<std::string, at::Tensor>& parameters, const SgdOptions& options);
  // Without names the state calls them by their place: "0", "1", …
  Sgd(const std::vector<at::Tensor>& parameters, const SgdOptions& options);

  void zero_grad();        // drops the gradients
  void step(double rate);  // a parameter without a gradient stays as it is; on the CPU one pass over all memory
  const std::vector<at::Tensor>& parameters() const { return parameters_; }

  // The velocities by parameter name. restore throws Error if names or shapes are not those of the parameters.
  State state() const;
  void restore(const State& state);

 private:
  void add(const std::string& name, const at::Tensor& parameter);

  SgdOptions options_;
  std::vector<std::string> names_;
  std::vector<at::Tensor> parameters_;
  std::vector<at::Tensor> velocities_;  // undefined until the first step with a gradient
};

// Scales the gradients so that their global norm is at most `max_norm`; returns the norm before, as a tensor on their device
// that nothing has waited for.
at::Tensor clip_grad_norm(const std::vector<at::Tensor>& parameters, double max_norm);

}  // namespace zoo::optim
