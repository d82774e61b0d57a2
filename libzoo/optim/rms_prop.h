// RMSProp in its two forms (Tieleman and Hinton 2012; Graves 2013 for `centered`):
//   torch       square and mean start at 0; p -= rate · g / (sqrt(square - mean²) + eps)             torch.optim.RMSprop
//   tensorflow  square starts at 1;         p -= rate · g / sqrt(square - mean² + eps)               tf.compat.v1.train.RMSPropOptimizer
// with square = decay·square + (1 - decay)·g² and mean = decay·mean + (1 - decay)·g. The first steps differ by a factor of 1 / sqrt(1 - decay)
// and more. Momentum gathers steps: in torch's form without the rate, in TensorFlow's with it, which is the same while the rate stays.
//
//   zoo::optim::RmsProp rms(net->named_parameters(), {.decay = 0.95, .eps = 1e-5, .centered = true, .form = RmsPropForm::tensorflow});
#pragma once

#include <libzoo/optim/optimizer.h>

namespace zoo::optim {

enum class RmsPropForm { torch, tensorflow };

struct RmsPropOptions {
  double decay = 0.99;
  double momentum = 0;
  double eps = 1e-8;
  bool centered = false;
  RmsPropForm form = RmsPropForm::torch;
};

class RmsProp : public Optimizer {
 public:
  // Throws Error if a parameter appears twice, decay or momentum is not in [0, 1), or eps is negative. Parameters are float32 or float64.
  RmsProp(const torch::OrderedDict<std::string, at::Tensor>& parameters, const RmsPropOptions& options);
  RmsProp(const std::vector<at::Tensor>& parameters, const RmsPropOptions& options);

  void step(double rate) override;  // on the CPU one pass over all memory

  // "NAME.square", "NAME.mean" and "NAME.velocity" of the parameters that have had a gradient.
  State state() const override;
  void restore(const State& state) override;

 private:
  void check();

  RmsPropOptions options_;
  std::vector<at::Tensor> square_, mean_, velocity_;  // undefined until the first step with a gradient, or where not needed
};

}  // namespace zoo::optim
