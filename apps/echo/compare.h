// `zoo-echo compare`: trains the same recipe with different echo factors while its input is throttled, each until it reaches
// the target, and tells how many fresh pictures and how much time each took.
#pragma once

#include "apps/echo/compare_options.h"
#include <libzoo/core/json.h>
#include <libzoo/train/run.h>

namespace zoo::apps {

// The runs are in run.directory() / "factor_…", the curves in curves.svg. Returns {seconds per step, pictures per second,
// target, runs: one row each, curves}; null after a signal. A comparison that is resumed keeps the runs that are done.
Json compare(const CompareOptions& options, train::Run& run);

}  // namespace zoo::apps
