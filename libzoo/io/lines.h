// Text files of a name a line: classes, lists of pictures.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace zoo::io {

// Without their ends, which may be those of Windows. Throws UserError naming the file if it can't be read.
std::vector<std::string> read_lines(const std::filesystem::path& file);

}  // namespace zoo::io
