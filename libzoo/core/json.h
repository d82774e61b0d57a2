// JSON values; object keys keep the order in which they were set, so that written files read as they were built.
#pragma once

#include <libzoo/core/json_fwd.h>

#include <nlohmann/json.hpp>

#include <string>
#include <string_view>

namespace zoo {

// Parses one JSON document. Stricter than the parser beneath: repeated keys, NUL bytes, bytes before or after the
// document (blanks may follow it) and nesting deeper than `max_depth` are errors. `where` (a file name) opens the
// message. Throws UserError with line and column.
Json parse_json(std::string_view text, const std::string& where, int max_depth = 64);

}  // namespace zoo
