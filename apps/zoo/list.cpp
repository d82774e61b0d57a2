// zoo list [PATTERN…]: the architectures, their sizes and the released weights that fit them.
#include "apps/zoo/verbs.h"
#include <libzoo/bit/cost.h>
#include <libzoo/bit/models.h>
#include <libzoo/bit/names.h>

#include <fmt/format.h>
#include <fnmatch.h>

#include <cmath>

namespace zoo::apps {

Json costs(const nn::ResNetV2Options& architecture, const CostOptions& o) {
  const auto rounded = [](double value) { return std::round(value * 100) / 100; };
  const int64_t operations = bit::multiply_adds(architecture, o.resolution, o.resolution);
  const int64_t bytes = bit::training_memory(architecture, o.resolution, o.resolution, o.batch_size);
  return {{"parameters", bit::parameter_count(architecture)},
          {fmt::format("GMAC at {}", o.resolution), rounded(double(operations) / 1e9)},
          {fmt::format("training GB, {} at {}", o.batch_size, o.resolution), rounded(double(bytes) / 1e9)}};
}

Json list_models(const ListOptions& options, const Context& context) {
  Json rows = Json::array();
  for (const auto& entry : bit::models()) {
    const std::string name(entry.name);
    bool wanted = context.arguments.empty();
    for (const auto& pattern : context.arguments) wanted = wanted || ::fnmatch(pattern.c_str(), name.c_str(), 0) == 0;
    if (!wanted) continue;
    std::string tags, files;
    const auto append = [](std::string& list, std::string_view word) { list += (list.empty() ? "" : ", ") + std::string(word); };
    for (const auto& weights : entry.weights) {
      if (!weights.tag.empty()) append(tags, weights.tag);
      append(files, weights.file);
    }
    Json row = {{"name", name}, {"system", "bit"}, {"architecture", entry.architecture}, {"classes", entry.num_classes}};
    row.update(costs(entry.options(entry.num_classes), options));
    row.update({{"tags", tags}, {"official files", files}});
    rows.push_back(row);
  }
  if (rows.empty()) throw UserError("no architecture matches", "`zoo list` shows all; patterns take * and ?");
  return rows;
}

}  // namespace zoo::apps
