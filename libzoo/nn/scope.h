// A module without code of its own: a level in the names of its children.
//
//   auto root = register_module("root", std::make_shared<ScopeImpl>());
//   conv = root->register_module("conv", …);   // its weight is called root.conv.weight
#pragma once

#include <torch/nn/module.h>

namespace zoo::nn {

class ScopeImpl : public torch::nn::Module {};

}  // namespace zoo::nn
