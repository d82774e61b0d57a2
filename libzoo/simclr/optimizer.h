// The optimisers of SimCLR's recipes behind one name: LARS for pre-training, SGD for what comes after (and for comparison).
//
//   Optimizer optimizer(*network, {.kind = OptimizerKind::lars, .weight_decay = 1e-4});
//   optimizer.zero_grad();  parallel.backward(loss);  optimizer.step(rate);
#pragma once

#include <libzoo/optim/lars.h>
#include <libzoo/optim/sgd.h>
#include <libzoo/simclr/network.h>

#include <variant>

namespace zoo::simclr {

enum class OptimizerKind { lars, sgd };
constexpr auto enum_names(OptimizerKind) {
  return EnumNames<OptimizerKind, 2>{{{OptimizerKind::lars, "lars"}, {OptimizerKind::sgd, "sgd"}}};
}

struct OptimizerOptions {
  OptimizerKind kind = OptimizerKind::lars;
  double momentum = 0.9;
  double weight_decay = 1e-4;
  bool nesterov = false;
  double trust = 0.001;
  bool rate_in_velocity = true;
};

template <class Field>
void fields(Field& field, OptimizerOptions& o) {
  field("kind", o.kind, "lars: steps scaled layer by layer; sgd");
  field("momentum", o.momentum, "of either", between(0.0, 1.0));
  field("weight_decay", o.weight_decay,
        "L2: of lars on weights alone, not on batch norms, biases and the classifier; of sgd on everything but batch norms",
        non_negative());
  field("nesterov", o.nesterov, "look ahead");
  field("trust", o.trust, "of lars: the length of a step in relation to that of the weights", positive());
  field("rate_in_velocity", o.rate_in_velocity, "of lars: as released; no: the popular form, the rate outside the momentum");
}

class Optimizer {
 public:
  // Of the parameters that require gradients.
  Optimizer(const NetworkImpl& network, const OptimizerOptions& options);
  void zero_grad();
  void step(double rate);
  State state() const;
  void restore(const State& state);

 private:
  // One after the other: SGD takes a weight decay for all its parameters, and batch norms have none.
  std::vector<std::variant<optim::Lars, optim::Sgd>> parts_;
};

}  // namespace zoo::simclr
