// What a network costs before anybody builds it: multiplications of a picture, memory of a training step.
//
//   const auto options = find_model("R50x1").options(1000);
//   multiply_adds(options, 224, 224);           // 4.09e9 for each picture
//   training_memory(options, 224, 224, 32);     // bytes
#pragma once

#include <libzoo/nn/res_net_v2.h>

#include <cstdint>

namespace zoo::bit {

// Multiply-adds of the convolutions and the head for one picture [in_channels, height, width]; normalisation and pooling are
// not counted, as everywhere. A training step takes three times as many.
int64_t multiply_adds(const nn::ResNetV2Options& architecture, int64_t height, int64_t width);

// Bytes that a training step in float32 holds at its peak, LibTorch itself and data apart: weights, gradients, velocities and
// standardised weights, and of each picture what the backward pass needs: the input of every convolution and normalisation.
int64_t training_memory(const nn::ResNetV2Options& architecture, int64_t height, int64_t width, int64_t batch_size);

}  // namespace zoo::bit
