#include <libzoo/core/error.h>
#include <libzoo/io/tensor.h>
#include <libzoo/optim/lars.h>

#include <ATen/ATen.h>

#include <fmt/format.h>

namespace zoo::optim {
namespace {

// trust · |w| / |u|, or 1 where one of them is 0; on the device, in float32 at least.
at::Tensor trust_ratio(double trust, const at::Tensor& weight, const at::Tensor& update) {
  const auto type = at::promote_types(weight.scalar_type(), at::kFloat);
  const auto w = at::linalg_vector_norm(weight, 2, at::OptionalIntArrayRef(), false, type);
  const auto u = at::linalg_vector_norm(update, 2, at::OptionalIntArrayRef(), false, type);
  return at::where((w > 0).logical_and(u > 0), trust * w / u, at::ones_like(w));
}

}  // namespace

Lars::Lars(const torch::OrderedDict<std::string, at::Tensor>& parameters, const std::function<Role(const std::string& name)>& role,
           const LarsOptions& options)
    : options_(options) {
  if (!(options_.momentum >= 0) || !(options_.weight_decay >= 0) || !(options_.trust >= 0))
    throw Error(fmt::format("LARS: momentum ({}), weight decay ({}) and trust ({}) must not be negative", options_.momentum,
                            options_.weight_decay, options_.trust));
  for (const auto& entry : parameters) {
    for (const auto& earlier : parameters_)
      if (earlier.is_same(entry.value())) throw Error(fmt::format("LARS: parameter {} appears twice", entry.key()));
    names_.push_back(entry.key());
    parameters_.push_back(entry.value());
    velocities_.push_back(at::zeros_like(entry.value()));
    roles_.push_back(role(entry.key()));
  }
}

void Lars::zero_grad() {
  for (auto& parameter : parameters_) parameter.mutable_grad() = at::Tensor();
}

void Lars::step(double rate) {
  at::NoGradGuard no_grad;
  const auto& o = options_;
  for (size_t i = 0; i < parameters_.size(); ++i) {
    at::Tensor& p = parameters_[i];
    at::Tensor& v = velocities_[i];
    at::Tensor g = p.grad();
    if (!g.defined()) continue;
    const bool adapts = roles_[i] == Role::weight;
    if (adapts && o.weight_decay != 0) g = g.add(p, o.weight_decay);
    if (o.rate_in_velocity) {
      const at::Tensor scaled = adapts ? g * (rate * trust_ratio(o.trust, p, g)) : g * rate;
      v.mul_(o.momentum).add_(scaled);
      p.sub_(o.nesterov ? scaled.add(v, o.momentum) : v);
    } else {
      v.mul_(o.momentum).add_(g);
      const at::Tensor update = o.nesterov ? g.add(v, o.momentum) : v;
      p.sub_(adapts ? update * (rate * trust_ratio(o.trust, p, update)) : update * rate);
    }
  }
}

State Lars::state() const {
  State state;
  for (size_t i = 0; i < names_.size(); ++i) state.arrays.emplace(names_[i], io::to_array(velocities_[i]));
  state.values["kind"] = "lars";
  return state;
}

void Lars::restore(const State& state) {
  if (state.values.value("kind", "") != "lars") throw Error("LARS: the state is not one of this optimiser");
  std::vector<at::Tensor> restored;
  for (size_t i = 0; i < names_.size(); ++i) {
    const auto array = state.arrays.find(names_[i]);
    if (array == state.arrays.end()) throw Error(fmt::format("LARS: the state has no velocity of {}", names_[i]));
    const auto tensor = io::to_tensor(array->second);
    if (tensor.sizes() != parameters_[i].sizes() || tensor.scalar_type() != parameters_[i].scalar_type())
      throw Error(fmt::format("LARS: the state of {} has another shape or type than the parameter", names_[i]));
    restored.push_back(at::empty_like(parameters_[i]).copy_(tensor));
  }
  if (names_.size() != state.arrays.size()) throw Error("LARS: the state holds velocities of parameters that are not here");
  velocities_ = std::move(restored);
}

}  // namespace zoo::optim
