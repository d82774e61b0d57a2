// A module as a State: its parameters and buffers by name.
#pragma once

#include <libzoo/core/state.h>

#include <torch/nn/module.h>

#include <string>

namespace zoo::train {

// Arrays share the memory of tensors on the CPU: write or copy them before the module changes.
State module_state(const torch::nn::Module& module);

// Copies the values in place. Throws Error that lists every missing, unexpected, mis-shaped and mis-typed tensor, and
// then leaves the module as it was; `name` opens the message.
void restore_module(torch::nn::Module& module, const State& state, const std::string& name);

int64_t parameter_count(const torch::nn::Module& module);

}  // namespace zoo::train
