// Names of many files written as one: "train-{000000..000123}.tar".
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace zoo::io {

// Expands every {a..b} (numbers, with the leading zeros they are written with; downwards too) and {one,two}, the last one
// fastest; a pattern without braces is one name. Throws UserError that says which brace is wrong, for more than a million
// names, and for URLs and commands ("pipe:…"), which are never fetched or run.
std::vector<std::string> expand_shards(std::string_view pattern);

}  // namespace zoo::io
