#include <libzoo/core/error.h>
#include <libzoo/io/tensor.h>
#include <libzoo/optim/sgd.h>

#include <ATen/ATen.h>

#include <fmt/format.h>

#include <set>

namespace zoo::optim {

Sgd::Sgd(const torch::OrderedDict<std::string, at::Tensor>& parameters, const SgdOptions& options) : options_(options) {
  if (options.momentum < 0 || options.weight_decay < 0) throw Error("SGD: momentum and weight decay must not be negative");
  std::set<const void*> seen;
  for (const auto& entry : parameters) {
    if (!seen.insert(entry.value().unsafeGetTensorImpl()).second) throw Error(fmt::format("SGD: parameter {} appears twice", entry.key()));
    names_.push_back(entry.key());
    parameters_.push_back(entry.value());
  }
  velocities_.resize(parameters_.size());
}

void Sgd::zero_grad() {
  for (auto& parameter : parameters_) parameter.mutable_grad() = at::Tensor();
}

void Sgd::step(double rate) {
  at::NoGradGuard no_grad;
  std::vector<at::Tensor> weights, updates;
  for (size_t i = 0; i < parameters_.size(); ++i) {
    if (!parameters_[i].grad().defined()) continue;
    auto gradient = parameters_[i].grad();
    if (options_.weight_decay != 0) gradient = gradient.add(parameters_[i], options_.weight_decay);
    if (options_.momentum != 0) {
      auto& velocity = velocities_[i];
      if (velocity.defined()) velocity.mul_(options_.momentum).add_(gradient);
      else velocity = gradient.clone();
      gradient = options_.nesterov ? gradient.add(velocity, options_.momentum) : velocity;
    }
    weights.push_back(parameters_[i]);
    updates.push_back(gradient);
  }
  if (!weights.empty()) at::_foreach_add_(weights, updates, -rate);
}

State Sgd::state() const {
  State state;
  for (size_t i = 0; i < names_.size(); ++i) {
    if (velocities_[i].defined()) state.arrays.emplace(names_[i], io::to_array(velocities_[i]));
  }
  state.values["kind"] = "sgd";
  return state;
}

void Sgd::restore(const State& state) {
  std::vector<at::Tensor> restored(parameters_.size());
  if (state.values.value("kind", "") != "sgd") throw Error("SGD: the state is not one of this optimiser");
  size_t found = 0;
  for (size_t i = 0; i < names_.size(); ++i) {
    const auto array = state.arrays.find(names_[i]);
    if (array == state.arrays.end()) continue;
    ++found;
    const auto tensor = io::to_tensor(array->second);
    if (tensor.sizes() != parameters_[i].sizes() || tensor.scalar_type() != parameters_[i].scalar_type()) {
      throw Error(fmt::format("SGD: the state of {} has another shape or type than the parameter", names_[i]));
    }
    restored[i] = at::empty_like(parameters_[i]).copy_(tensor);
  }
  if (found != state.arrays.size()) throw Error("SGD: the state holds velocities of parameters that are not here");
  velocities_ = std::move(restored);
}

at::Tensor clip_grad_norm(const std::vector<at::Tensor>& parameters, double max_norm) {
  at::NoGradGuard no_grad;
  std::vector<at::Tensor> gradients;
  for (const auto& parameter : parameters) {
    if (parameter.grad().defined()) gradients.push_back(parameter.grad());
  }
  if (gradients.empty()) return at::zeros({});
  const auto norm = at::stack(at::_foreach_norm(gradients, 2)).norm();
  at::_foreach_mul_(gradients, at::clamp_max(max_norm / (norm + 1e-6), 1.0));
  return norm;
}

}  // namespace zoo::optim
