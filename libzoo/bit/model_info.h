// The metadata of a BiT checkpoint: what it takes, besides the tensors, to predict.
#pragma once

#include <libzoo/bit/checkpoint.h>

#include <map>
#include <string>
#include <vector>

namespace zoo::bit {

// {"format": "pt", "zoo.model", "zoo.options", "zoo.classes", "zoo.preprocessing", "zoo.license", "zoo.several_labels"};
// the classes and the licence only if they are known, the last only if it is so.
std::map<std::string, std::string> metadata_of(const ModelInfo& info, const nn::ResNetV2Options& architecture);

// What is absent keeps its default, which is that of the released weights if `where` has the name of such a file and the
// network their shape; other keys are passed over. Throws UserError naming the key for values that metadata_of() never gives,
// and if there are class names but not as many as classes.
ModelInfo info_of(const std::map<std::string, std::string>& metadata, const nn::ResNetV2Options& architecture, const std::string& where);

// Throws UserError unless the names are none or as many as the classes.
void require_names_for_classes(const std::vector<std::string>& names, int64_t num_classes, const std::string& where);

// Groups of group norm: 32, unless zoo.options says otherwise. Throws UserError for what no network can have.
int64_t groups_from_metadata(const std::map<std::string, std::string>& metadata, const std::string& where);

}  // namespace zoo::bit
