// What a network is told about labels.
#pragma once

#include <libzoo/core/options.h>

namespace zoo::bit {

// A label against all others, or a yes or no for each class.
enum class LabelLoss { softmax, sigmoid };
constexpr auto enum_names(LabelLoss) { return EnumNames<LabelLoss, 2>{{{LabelLoss::softmax, "softmax"}, {LabelLoss::sigmoid, "sigmoid"}}}; }

}  // namespace zoo::bit
