// A result as a person reads it: "key: value" lines, lists of objects as tables with aligned columns.
#pragma once

#include <libzoo/core/json.h>

#include <string>

namespace zoo::apps {

std::string readable(const Json& result);

}  // namespace zoo::apps
