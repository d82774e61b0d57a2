// LibTorch as the implementations use it, compiled once. Narrower than torch/torch.h on purpose: GCC instantiates
// a header's pending templates again in every file, and torch/torch.h costs twice as much there.
#pragma once
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/nn/cloneable.h>
#include <torch/nn/module.h>
#include <torch/nn/pimpl.h>

#include <nlohmann/json.hpp>
