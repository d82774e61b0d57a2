// `zoo-bit vtab`: VTAB-1k (Zhai et al. 2019): every task is fine-tuned on 800 training and 200 validation examples and tested
// on its whole test part.
#pragma once

#include <libzoo/bit/vtab_options.h>
#include <libzoo/core/json.h>
#include <libzoo/data/image_dataset.h>
#include <libzoo/train/run.h>

namespace zoo::bit {

// The 1000 examples of a task (protocols.h: vtab_split). Throws UserError naming the task if there are too few.
data::DatasetPointer vtab_examples(const std::string& task, const VtabSet& set);

// A step of the run is a task. Returns {tasks: rows of {task, group, top-1 %}, natural, specialized, structured, mean}: plain
// means over the tasks given, in percent; null after a signal.
Json vtab(const VtabOptions& options, train::Run& run);

}  // namespace zoo::bit
