// `zoo-offline-rl compare`: agents × seeds over one log, in parallel, and a table of what they earn.
#pragma once

#include "apps/offline_rl/compare_options.h"
#include <libzoo/core/json.h>
#include <libzoo/train/run.h>

namespace zoo::apps {

// The runs are in run.directory() / "<name>-<seed>", the curves of their means in curves.svg. Returns {log return, agents: a row each with the scores of all
// seeds, their mean with an interval and how probably it improves on the first; cores busy, curves, bars missed}; null after a signal. A comparison that is
// resumed keeps the runs that are done.
Json compare(const CompareOptions& options, train::Run& run);

}  // namespace zoo::apps
