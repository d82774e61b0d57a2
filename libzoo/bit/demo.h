// `zoo-bit demo`: pre-trains a network, then compares fine-tuning it on a few real examples per class with the same
// network from scratch and with the nearest neighbour on pixels.
#pragma once

#include <libzoo/bit/demo_options.h>
#include <libzoo/core/json.h>
#include <libzoo/train/run.h>

namespace zoo::bit {

// Writes model.safetensors (the pre-trained network) and samples/predictions.png. Returns {table: one row for each size
// of subset, checkpoint, picture}; null after a signal.
Json demo(const DemoOptions& options, train::Run& run);

}  // namespace zoo::bit
