// Adam (Kingma and Ba 2015) and AdamW (Loshchilov and Hutter 2019), step by step as torch.optim.Adam and AdamW:
//   m = beta1·m + (1 - beta1)·g;  v = beta2·v + (1 - beta2)·g²;  p -= rate · (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + eps).
//
//   zoo::optim::Adam adam(model->named_parameters(), {.weight_decay = 0.01, .decoupled = true});
//   adam.zero_grad();  loss.backward();  adam.step(rate);
#pragma once

#include <libzoo/optim/optimizer.h>

namespace zoo::optim {

struct AdamOptions {
  double beta1 = 0.9, beta2 = 0.999;
  double eps = 1e-8;
  double weight_decay = 0;
  bool decoupled = false;  // AdamW: p shrinks by rate·weight_decay before the step. Else weight_decay·p is added to the gradient
  // m is kept in bfloat16 between steps, and used before it is rounded (optax scale_by_adam with mu_dtype=bfloat16, big_vision's
  // recipes). Parameters are float32 then.
  bool bf16_moment = false;
  // TensorFlow's form, "epsilon hat": p -= rate · sqrt(1 - beta2^t) / (1 - beta1^t) · m / (sqrt(v) + eps). The same eps weighs more in the
  // first steps, where sqrt(v) is small.
  bool epsilon_hat = false;
};

class Adam : public Optimizer {
 public:
  // Throws Error if a parameter appears twice, a beta is not in [0, 1), or eps or weight decay is negative.
  Adam(const torch::OrderedDict<std::string, at::Tensor>& parameters, const AdamOptions& options);
  Adam(const std::vector<at::Tensor>& parameters, const AdamOptions& options);

  void step(double rate) override;  // on the CPU one pass over all memory

  // "NAME.first" and "NAME.second" of the parameters that have had a gradient, and how many steps each has taken.
  State state() const override;
  void restore(const State& state) override;

 private:
  void check() const;

  AdamOptions options_;
  std::vector<at::Tensor> first_, second_;  // undefined until the first step with a gradient
  std::vector<int64_t> steps_;
};

}  // namespace zoo::optim
