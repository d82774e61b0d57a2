// `zoo-simclr features` and `zoo-simclr knn`: an encoder's features of pictures, and how well they tell classes apart.
#pragma once

#include <libzoo/core/json.h>
#include <libzoo/simclr/linear_eval_options.h>

#include <c10/core/Device.h>

#include <filesystem>
#include <vector>

namespace zoo::simclr {

// Writes options.out. Returns {pictures, width, file}. Throws UserError naming a picture that can't be decoded.
Json write_features(const FeaturesOptions& options, const std::vector<std::filesystem::path>& pictures, const at::Device& device);

// {knn, ridge, images}: top-1 of probes fitted to `train` and measured on `test`.
Json neighbours(const NeighboursOptions& options, const at::Device& device);

}  // namespace zoo::simclr
