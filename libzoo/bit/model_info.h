// The metadata of a BiT checkpoint: what it takes, besides the tensors, to predict.
#pragma once

#include <libzoo/bit/checkpoint.h>

#include <map>
#include <string>

namespace zoo::bit {

// {"format": "pt", "zoo.model", "zoo.options", "zoo.classes", "zoo.preprocessing"}.
std::map<std::string, std::string> metadata_of(const ModelInfo& info, const nn::ResNetV2Options& architecture);

// What is absent keeps its default; other keys are passed over. Throws UserError naming the key for values that
// metadata_of() never gives.
ModelInfo info_from_metadata(const std::map<std::string, std::string>& metadata, const std::string& where);

// Groups of group norm: 32, unless zoo.options says otherwise. Throws UserError for what no network can have.
int64_t groups_from_metadata(const std::map<std::string, std::string>& metadata, const std::string& where);

}  // namespace zoo::bit
