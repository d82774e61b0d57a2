#include <libzoo/core/error.h>
#include <libzoo/io/tensor.h>
#include <libzoo/optim/optimizer.h>

#include <ATen/ATen.h>

#include <fmt/format.h>

namespace zoo::optim {

Optimizer::Optimizer(const std::string& name, const torch::OrderedDict<std::string, at::Tensor>& parameters) : name_(name) {
  for (const auto& entry : parameters) add(entry.key(), entry.value());
}

Optimizer::Optimizer(const std::string& name, const std::vector<at::Tensor>& parameters) : name_(name) {
  for (const auto& parameter : parameters) add(std::to_string(names_.size()), parameter);
}

void Optimizer::add(const std::string& key, const at::Tensor& parameter) {
  for (const auto& earlier : parameters_) {
    if (earlier.is_same(parameter)) throw Error(fmt::format("{}: parameter {} appears twice", name_, key));
  }
  names_.push_back(key);
  parameters_.push_back(parameter);
}

void Optimizer::zero_grad() {
  for (auto& parameter : parameters_) parameter.mutable_grad() = at::Tensor();
}

at::Tensor Optimizer::restored(const State& state, const std::string& key, const at::Tensor& like) const {
  const auto array = state.arrays.find(key);
  if (array == state.arrays.end()) return {};
  const auto tensor = io::to_tensor(array->second);
  if (tensor.sizes() != like.sizes() || tensor.scalar_type() != like.scalar_type())
    throw Error(fmt::format("{}: the state of {} has another shape or type than the parameter", name_, key));
  return at::empty_like(like).copy_(tensor);
}

void Optimizer::require_kind(const State& state, const std::string& kind) const {
  if (state.values.value("kind", "") != kind) throw Error(fmt::format("{}: the state is not one of this optimiser", name_));
}

}  // namespace zoo::optim
