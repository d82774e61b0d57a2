// For operators with a backward written by hand, which has itself no derivative.
#pragma once

#include <libzoo/core/error.h>

#include <ATen/core/grad_mode.h>

#include <string>

namespace zoo::nn {

// Called in backward: LibTorch turns gradients on there only if the caller wants to go back through them (create_graph).
inline void require_first_derivative(const std::string& name) {
  if (at::GradMode::is_enabled()) {
    throw Error(name + " has no second derivative", "call backward() or autograd::grad() without create_graph");
  }
}

}  // namespace zoo::nn
