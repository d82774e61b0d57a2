// `zoo-echo learning_curve`: how many fresh items each way of echoing needs to reach the accuracy that no echoing reaches,
// on the task of teacher_task.h, and whether that is what Choi et al. (2019) found on theirs: echoing before augmentation
// with a shuffle buffer saves most, whole batches without one save least.
#pragma once

#include "apps/echo/learning_curve_options.h"
#include <libzoo/core/json.h>
#include <libzoo/train/run.h>

namespace zoo::apps {

// Returns {target, conditions: one row each with its fresh items to the target and F, their ratio to those of no echo, bars}.
// Throws Error naming the bars that fail, after the result is written; null after a signal.
Json learning_curve(const LearningCurveOptions& options, train::Run& run);

}  // namespace zoo::apps
