// Dynamic loss scaling for gradients in float16 (Micikevicius et al. 2018, "Mixed precision training"): small gradients are kept
// from becoming zero by a factor on the loss, which is halved when one becomes infinite and doubled after a long time without.
// Constants as in torch.amp.GradScaler.
#pragma once

#include <libzoo/core/state.h>

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace zoo::optim {

struct LossScalerOptions {
  bool on = true;                 // off: the factor is 1, and gradients are left as they are
  double factor = 65536;          // at the start
  int64_t growth_interval = 2000; // steps until it is doubled
};

// Usage: (loss * scaler.factor()).backward(); if (scaler.unscale(parameters)) optimizer.step(rate);
class LossScaler {
 public:
  explicit LossScaler(const LossScalerOptions& options = {});

  double factor() const { return factor_; }
  // Divides the gradients by the factor. False if one of them is infinite or NaN: the step is to be left out.
  bool unscale(const std::vector<at::Tensor>& parameters);

  State state() const;
  void restore(const State& state);

 private:
  LossScalerOptions options_;
  double factor_;
  int64_t steps_ = 0;  // since the factor changed
};

}  // namespace zoo::optim
