// `zoo-simclr demo`: features before and after pre-training without labels.
#pragma once

#include <libzoo/core/json.h>
#include <libzoo/simclr/demo_options.h>
#include <libzoo/train/run.h>

namespace zoo::simclr {

// What pretrain() leaves, and {loss, contrast accuracy, steps, top-1 %: a row for each set and probe with the same network before (its
// batch norms having seen pictures) and after training, pictures}; null after a signal.
Json demo(const DemoOptions& options, train::Run& run);

}  // namespace zoo::simclr
