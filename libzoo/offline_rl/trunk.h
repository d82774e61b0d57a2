// All of a QNetwork but its last layer, forward and backward: where nearly all the time of an update goes.
//
//   Trunk trunk(net);
//   auto features = trunk.forward(state, /*keep=*/true);
//   trunk.backward(grad_features);      // into the parameters' gradients, replacing what was there
#pragma once

#include <libzoo/offline_rl/q_network.h>

#include <memory>

namespace zoo::offline_rl {

class Trunk {
 public:
  explicit Trunk(QNetwork network);
  ~Trunk();
  Trunk(Trunk&&) noexcept;

  // u8 [batch, height, width, channels] -> f32 [batch, features]. `keep` what backward() needs.
  at::Tensor forward(const at::Tensor& state, bool keep = false);
  // Once after a forward that kept.
  void backward(const at::Tensor& grad_features);

 private:
  struct Fast;
  QNetwork network_;
  std::unique_ptr<Fast> fast_;  // on CPUs that have the kernels
  at::Tensor features_;         // with the graph behind them, elsewhere
};

}  // namespace zoo::offline_rl
