#include <libzoo/core/dump_mark.h>
#include <libzoo/core/scalar_text.h>

#include <fmt/format.h>

#include <vector>

namespace zoo {
namespace {

constexpr std::string_view kDigest = "digest ";

std::string digest(std::string_view body) {
  uint64_t hash = 0xcbf29ce484222325;  // FNV-1a, against edits, not against forgers
  for (unsigned char c : body) hash = (hash ^ c) * 0x100000001b3;
  return fmt::format("{:016x}", hash);
}

void restore(ConfigNode& node, const std::vector<std::string_view>& lines) {
  for (ConfigNode& item : node.items) restore(item, lines);
  for (ConfigEntry& entry : node.entries) restore(entry.value, lines);
  if (node.at.line >= 1 && size_t(node.at.line) <= lines.size()) node.origin = std::string(dump_comment(lines[size_t(node.at.line) - 1]));
}

}  // namespace

std::string dump_header(std::string_view title, std::string_view body) {
  return fmt::format("# {} | comments: where each value came from | {}{}\n", one_line(title), kDigest, digest(body));
}

bool is_unedited_dump(std::string_view text) {
  const size_t end = text.find('\n');
  if (end == text.npos || text[0] != '#') return false;
  const std::string_view header = text.substr(0, end);
  const size_t mark = header.rfind(kDigest);
  return mark != header.npos && header.substr(mark + kDigest.size()) == digest(text.substr(end + 1));
}

std::string_view dump_comment(std::string_view line) {
  bool quoted = false;
  for (size_t i = 0; i < line.size(); ++i) {
    if (quoted && line[i] == '\\')
      ++i;
    else if (line[i] == '"')
      quoted = !quoted;
    else if (!quoted && line[i] == '#')
      return line.substr(std::min(i + 2, line.size()));
  }
  return {};
}

void restore_origins(ConfigNode& root, std::string_view text) {
  std::vector<std::string_view> lines;
  for (size_t start = 0; start <= text.size();) {
    const size_t end = std::min(text.find('\n', start), text.size());
    lines.push_back(text.substr(start, end - start));
    start = end + 1;
  }
  restore(root, lines);
}

}  // namespace zoo
