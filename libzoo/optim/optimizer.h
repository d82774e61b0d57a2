// What optimisers share: parameters by name, each once, whose gradients a step consumes.
#pragma once

#include <libzoo/core/state.h>

#include <ATen/core/Tensor.h>
#include <torch/csrc/api/include/torch/ordered_dict.h>

#include <string>
#include <vector>

namespace zoo::optim {

class Optimizer {
 public:
  virtual ~Optimizer() = default;

  void zero_grad();                     // drops the gradients
  virtual void step(double rate) = 0;   // a parameter without a gradient stays as it is
  const std::vector<at::Tensor>& parameters() const { return parameters_; }

  // What the optimiser keeps, by parameter name. restore throws Error if names, shapes or types are not those of the parameters.
  virtual State state() const = 0;
  virtual void restore(const State& state) = 0;

 protected:
  // Throws Error naming the optimiser if a parameter appears twice.
  Optimizer(const std::string& name, const torch::OrderedDict<std::string, at::Tensor>& parameters);
  // Without names the state calls parameters by their place: "0", "1", …
  Optimizer(const std::string& name, const std::vector<at::Tensor>& parameters);

  // The array `key` of the state with the memory order of `like`, or undefined if there is none.
  at::Tensor restored(const State& state, const std::string& key, const at::Tensor& like) const;
  void require_kind(const State& state, const std::string& kind) const;

  std::string name_;  // for messages
  std::vector<std::string> names_;
  std::vector<at::Tensor> parameters_;

 private:
  void add(const std::string& key, const at::Tensor& parameter);
};

}  // namespace zoo::optim
