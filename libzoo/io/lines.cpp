#include <libzoo/io/lines.h>

#include <libzoo/io/bytes.h>

#include <algorithm>
#include <string_view>

namespace zoo::io {

std::vector<std::string> read_lines(const std::filesystem::path& file) {
  const Bytes bytes = map_file(file);
  std::string_view text(reinterpret_cast<const char*>(bytes.view.data()), bytes.view.size());
  std::vector<std::string> lines;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    lines.emplace_back(line);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

}  // namespace zoo::io
