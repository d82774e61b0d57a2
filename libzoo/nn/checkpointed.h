// Activation checkpointing (Chen et al. 2016, "Training deep nets with sublinear memory cost"): a part of a network keeps only its
// input for going back, and is computed a second time then.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>

namespace zoo::nn {

// part(x). `part` is called again, with gradients, when the gradient of the result comes in; what it calls must give the same
// values then. Where x needs no gradient it is called once and keeps what it keeps: nothing could start the second time.
// A second derivative throws Error.
at::Tensor checkpointed(std::function<at::Tensor(const at::Tensor&)> part, const at::Tensor& x);

}  // namespace zoo::nn
