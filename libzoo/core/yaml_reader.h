// One YAML document as a tree with positions, read through yaml-cpp's events, since its own tree drops repeated keys and
// positions. Bounds: 64 levels, 100,000 nodes and 16 MiB of text after aliases are replaced.
#pragma once

#include <libzoo/core/config.h>

#include <string>
#include <string_view>
#include <vector>

namespace zoo {

// `source` names the text in positions. Mistakes that leave the rest readable (repeated keys, merge keys, tags) are added
// to `problems`. Throws ConfigError for text that is not one YAML document or exceeds a bound.
ConfigNode read_yaml(const std::string& source, std::string_view text, std::vector<ConfigProblem>& problems);

}  // namespace zoo
