#include <libzoo/data/bad_items.h>

#include <libzoo/core/log.h>

#include <fmt/format.h>

namespace zoo::data {

void report_bad_item(const BadItemPolicy& policy, int64_t count, const std::string& reason) {
  if (count > policy.max_bad_items)
    throw UserError(fmt::format("{} items could not be used, {} are allowed; the last one: {}", count, policy.max_bad_items, reason),
                    "repair the data, or raise max_bad_items");
  log::warning(fmt::format("left out item {} of at most {} bad ones: {}", count, policy.max_bad_items, reason));
}

}  // namespace zoo::data
