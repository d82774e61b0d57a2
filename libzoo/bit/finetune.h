// `zoo-bit finetune`: all weights of a pretrained network on a new data set, by BiT-HyperRule.
#pragma once

#include <libzoo/bit/finetune_options.h>
#include <libzoo/core/json.h>
#include <libzoo/data/image_dataset.h>
#include <libzoo/train/run.h>

namespace zoo::bit {

// A subset with `examples_per_class` pictures of each class, drawn by labels alone (fewshot.h: ring over a random order).
data::DatasetPointer few_shot_subset(const data::DatasetPointer& dataset, int64_t examples_per_class, uint64_t seed);

// Leaves model.safetensors in the run directory. Returns {loss, top1, top5, steps, examples}; null after a signal.
Json finetune(const FinetuneOptions& options, train::Run& run);

}  // namespace zoo::bit
