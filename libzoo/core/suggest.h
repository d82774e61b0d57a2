// "did you mean": the nearest of some names to a misspelt one.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace zoo {

// Insertions, deletions, substitutions and swaps of neighbours; '-' and '_' are one.
int edit_distance(std::string_view a, std::string_view b);

// The nearest name, letter case aside, if it is close (a third of the letters at most, and no more than three), else empty.
std::string nearest(std::string_view typed, const std::vector<std::string>& names);

// " (did you mean 'x'?)" or nothing.
std::string did_you_mean(std::string_view typed, const std::vector<std::string>& names);

}  // namespace zoo
