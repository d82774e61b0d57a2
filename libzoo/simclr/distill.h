// `zoo-simclr distill`: the student sees what the teacher says of each picture.
#pragma once

#include <libzoo/core/json.h>
#include <libzoo/simclr/distill_options.h>
#include <libzoo/train/run.h>

namespace zoo::simclr {

// Leaves model.safetensors in the run directory. Returns {steps, loss, top1, top5, images}, and the teacher's top1; null after a signal.
// Throws UserError if the teacher has no classifier.
Json distill(const DistillOptions& options, train::Run& run);

}  // namespace zoo::simclr
