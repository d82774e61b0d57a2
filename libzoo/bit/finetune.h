// `zoo-bit finetune`: all weights of a pretrained network on a new data set, by BiT-HyperRule.
#pragma once

#include <libzoo/bit/finetune_options.h>
#include <libzoo/core/json.h>
#include <libzoo/train/run.h>

namespace zoo::bit {

// Leaves model.safetensors in the run directory. Returns {loss, top1, top5, steps, examples}; null after a signal.
Json finetune(const FinetuneOptions& options, train::Run& run);

}  // namespace zoo::bit
