// `zoo-simclr finetune`: a pre-trained network with labels, few or all.
#pragma once

#include <libzoo/core/json.h>
#include <libzoo/data/image_dataset.h>
#include <libzoo/simclr/finetune_options.h>
#include <libzoo/train/run.h>

#include <filesystem>

namespace zoo::simclr {

// `percent` of each class, rounded, but one at least, drawn by the seed.
data::DatasetPointer labelled_share(const data::DatasetPointer& dataset, double percent, uint64_t seed);
// The pictures whose file names are lines of the list. Throws UserError naming the first that is not there.
data::DatasetPointer listed(const data::DatasetPointer& dataset, const std::filesystem::path& list);

// Leaves model.safetensors in the run directory. Returns {examples, steps, loss, top1, top5, images}; null after a signal.
Json finetune(const FinetuneOptions& options, train::Run& run);

}  // namespace zoo::simclr
