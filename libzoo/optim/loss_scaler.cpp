#include <libzoo/core/error.h>
#include <libzoo/optim/loss_scaler.h>

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

namespace zoo::optim {

LossScaler::LossScaler(const LossScalerOptions& options) : options_(options), factor_(options.on ? options.factor : 1) {
  if (!(options.factor > 0) || !std::isfinite(options.factor) || options.growth_interval < 1)
    throw Error("loss scaling needs a positive factor and a growth interval of 1 or more");
}

bool LossScaler::unscale(const std::vector<at::Tensor>& parameters) {
  if (!options_.on) return true;
  at::NoGradGuard no_grad;
  std::vector<at::Tensor> gradients;
  for (const auto& parameter : parameters) {
    if (parameter.grad().defined()) gradients.push_back(parameter.grad());
  }
  bool finite = true;
  if (!gradients.empty()) {
    at::_foreach_mul_(gradients, 1 / factor_);
    finite = at::stack(at::_foreach_norm(gradients, INFINITY)).isfinite().all().item<bool>();
  }
  if (!finite) {
    factor_ = std::max(factor_ / 2, 1e-30), steps_ = 0;
  } else if (++steps_ == options_.growth_interval) {
    factor_ = std::min(factor_ * 2, 1e30), steps_ = 0;
  }
  return finite;
}

State LossScaler::state() const {
  State state;
  state.values = {{"kind", "loss_scaler"}, {"factor", factor_}, {"steps", steps_}};
  return state;
}

void LossScaler::restore(const State& state) {
  const auto& values = state.values;
  const bool whole = values.value("kind", "") == "loss_scaler" && values.contains("factor") && values["factor"].is_number() &&
                     values.contains("steps") && values["steps"].is_number_integer();
  const double factor = whole ? values["factor"].get<double>() : 0;
  if (!(factor > 0) || !std::isfinite(factor)) throw Error("loss scaling: the state is not one of it");
  factor_ = factor;
  steps_ = values["steps"].get<int64_t>();
}

}  // namespace zoo::optim
