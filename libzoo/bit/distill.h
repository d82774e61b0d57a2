// `zoo-bit distill`: a student from scratch that learns a teacher's opinion.
#pragma once

#include <libzoo/bit/distill_options.h>
#include <libzoo/core/json.h>
#include <libzoo/train/run.h>

namespace zoo::bit {

// Leaves model.safetensors in the run directory. Returns {loss, top1, top5, steps}; null after a signal. Throws UserError if
// the teacher has no head, or other classes than student.test.
Json distill(const DistillOptions& options, train::Run& run);

}  // namespace zoo::bit
