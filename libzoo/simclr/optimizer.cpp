#include <libzoo/simclr/optimizer.h>

#include <ATen/ATen.h>

namespace zoo::simclr {

Optimizer::Optimizer(const NetworkImpl& network, const OptimizerOptions& o) {
  torch::OrderedDict<std::string, at::Tensor> all, norms, others;
  for (const auto& entry : network.named_parameters()) {
    if (!entry.value().requires_grad()) continue;
    all.insert(entry.key(), entry.value());
    (network.role(entry.key()) == optim::Role::batch_norm ? norms : others).insert(entry.key(), entry.value());
  }
  if (o.kind == OptimizerKind::lars) {
    parts_.emplace_back(optim::Lars(all, [&](const std::string& name) { return network.role(name); },
                                    {.momentum = o.momentum,
                                     .weight_decay = o.weight_decay,
                                     .trust = o.trust,
                                     .nesterov = o.nesterov,
                                     .rate_in_velocity = o.rate_in_velocity}));
  } else {
    parts_.emplace_back(optim::Sgd(others, {.momentum = o.momentum, .weight_decay = o.weight_decay, .nesterov = o.nesterov}));
    parts_.emplace_back(optim::Sgd(norms, {.momentum = o.momentum, .nesterov = o.nesterov}));
  }
}

void Optimizer::zero_grad() {
  for (auto& part : parts_) std::visit([](auto& optimizer) { optimizer.zero_grad(); }, part);
}

void Optimizer::step(double rate) {
  for (auto& part : parts_) std::visit([rate](auto& optimizer) { optimizer.step(rate); }, part);
}

State Optimizer::state() const {
  State state;
  for (size_t i = 0; i < parts_.size(); ++i) {
    State part = std::visit([](const auto& optimizer) { return optimizer.state(); }, parts_[i]);
    for (auto& [name, array] : part.arrays) state.arrays.emplace(std::to_string(i) + '/' + name, std::move(array));
    state.values[std::to_string(i)] = std::move(part.values);
  }
  return state;
}

void Optimizer::restore(const State& state) {
  for (size_t i = 0; i < parts_.size(); ++i) {
    const std::string number = std::to_string(i), prefix = number + '/';
    State part{.values = state.values.value(number, Json::object())};
    for (const auto& [name, array] : state.arrays)
      if (name.starts_with(prefix)) part.arrays.emplace(name.substr(prefix.size()), array);
    std::visit([&](auto& optimizer) { optimizer.restore(part); }, parts_[i]);
  }
}

}  // namespace zoo::simclr
