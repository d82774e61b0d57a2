// What images are computed in within a network, and how much of them is kept for going back.
#pragma once

#include <libzoo/core/options.h>
#include <libzoo/nn/res_net_v2.h>

#include <c10/core/Device.h>

namespace zoo::bit {

enum class Precision { f32, bf16, f16 };
constexpr auto enum_names(Precision) {
  return EnumNames<Precision, 3>{{{Precision::f32, "f32"}, {Precision::bf16, "bf16"}, {Precision::f16, "f16"}}};
}
constexpr const char* kPrecisionHelp =
    "f32; bf16: half the memory, and faster on processors and GPUs that have it; f16: the same on GPUs, with a scaled loss";

constexpr const char* kCheckpointHelp =
    "keep only every √n-th unit's input for going back and compute the rest again: far less memory, a third more work";

// Moves the network to the device and sets its compute type. Warns where the processor has no arithmetic for it, which is then
// slower than f32. Throws UserError for f16 on a CPU.
void place(nn::ResNetV2& model, const at::Device& device, Precision precision);

}  // namespace zoo::bit
