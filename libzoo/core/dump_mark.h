// How a dump says where its values came from: a comment behind each, and a first line with a digest of the rest. A file
// whose digest fits has not been edited, and reading it keeps the origins that it tells.
#pragma once

#include <libzoo/core/config.h>

#include <string>
#include <string_view>

namespace zoo {

// The first line of a dump, with its line end.
std::string dump_header(std::string_view title, std::string_view body);

// Whether `text` is a dump as it was written.
bool is_unedited_dump(std::string_view text);

// The comment behind the value of one line of a dump.
std::string_view dump_comment(std::string_view line);

// Gives each leaf below `root`, read from the unedited dump `text`, the origin in the comment of its line.
void restore_origins(ConfigNode& root, std::string_view text);

}  // namespace zoo
