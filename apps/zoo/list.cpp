// zoo list [PATTERN…]: the architectures, their sizes and the released weights that fit them.
#include "apps/zoo/verbs.h"
#include <libzoo/bit/models.h>
#include <libzoo/bit/names.h>

#include <fnmatch.h>

namespace zoo::apps {

Json list_models(const ListOptions& options, const Context& context) {
  Json rows = Json::array();
  for (const auto& entry : bit::models()) {
    const std::string name(entry.name);
    bool wanted = context.arguments.empty();
    for (const auto& pattern : context.arguments) wanted = wanted || ::fnmatch(pattern.c_str(), name.c_str(), 0) == 0;
    if (!wanted) continue;
    std::string aliases, tags;
    for (auto alias : entry.aliases) aliases += (aliases.empty() ? "" : ", ") + std::string(alias);
    for (const auto& weights : entry.weights) tags += (tags.empty() ? "" : ", ") + std::string(weights.tag);
    rows.push_back({{"name", name},
                    {"system", "bit"},
                    {"architecture", entry.architecture},
                    {"classes", entry.num_classes},
                    {"parameters", bit::parameter_count(entry.options(entry.num_classes))},
                    {"also", aliases},
                    {"weights", tags}});
  }
  if (rows.empty()) throw UserError("no architecture matches", "`zoo list` shows all; patterns take * and ?");
  return rows;
}

}  // namespace zoo::apps
