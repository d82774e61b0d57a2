// LARS (You et al. 2017, arXiv 1708.03888) in the form of google-research/simclr: the step of each tensor is scaled by the ratio of
// its norm to that of its gradient, and the rate lies inside the velocity.
//
//   zoo::optim::Lars lars(model->named_parameters(), roles, {.weight_decay = 1e-4});
//   lars.step(rate);
#pragma once

#include <libzoo/core/state.h>

#include <ATen/core/Tensor.h>
#include <torch/csrc/api/include/torch/ordered_dict.h>

#include <functional>
#include <string>
#include <vector>

namespace zoo::optim {

// What a tensor is for. All but `weight` take part neither in weight decay nor in the scaling.
enum class Role { weight, batch_norm, bias, supervised_head };

struct LarsOptions {
  double momentum = 0.9;
  double weight_decay = 0;       // L2, added to the gradient before the norms are taken
  double trust = 0.001;          // "eeta"
  bool nesterov = false;
  // v = momentum·v + rate·ratio·g and p -= v, as SimCLR has it. Else v = momentum·v + g and p -= rate·ratio·v, the ratio taken
  // from v: the popular form, another optimiser wherever the rate changes.
  bool rate_in_velocity = true;
};

class Lars {
 public:
  // Throws Error if a parameter appears twice or an option is negative.
  Lars(const torch::OrderedDict<std::string, at::Tensor>& parameters, const std::function<Role(const std::string& name)>& role,
       const LarsOptions& options);

  void zero_grad();        // drops the gradients
  void step(double rate);  // a parameter without a gradient stays as it is
  const std::vector<at::Tensor>& parameters() const { return parameters_; }
  at::Tensor velocity(size_t index) const { return velocities_.at(index); }  // zeros before the first step

  // The velocities by parameter name. restore throws Error if names or shapes are not those of the parameters.
  State state() const;
  void restore(const State& state);

 private:
  void step_kernel(size_t i, double rate, bool shared);  // shared: all threads on this parameter
  void step_composed(size_t i, double rate);

  LarsOptions options_;
  std::vector<std::string> names_;
  std::vector<at::Tensor> parameters_, velocities_;
  std::vector<Role> roles_;
};

}  // namespace zoo::optim
