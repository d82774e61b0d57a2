// What a person would want to hear before waiting for a pre-training.
#pragma once

#include <libzoo/data/image_dataset.h>
#include <libzoo/simclr/pretrain_options.h>

#include <string>
#include <vector>

namespace zoo::simclr {

// A sentence each, none if all is well: few negatives, blur or strong colours on small pictures, pictures much smaller than the network
// sees, no warm-up of LARS, a temperature that the rate was not tuned for.
std::vector<std::string> hints(const PretrainOptions& options, const data::ImageDataset& train, int64_t ranks);

}  // namespace zoo::simclr
