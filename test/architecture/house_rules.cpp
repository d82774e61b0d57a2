#include "test/architecture/house_rules.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <fstream>
#include <regex>
#include <stdexcept>

namespace zoo::architecture {
namespace fs = std::filesystem;

Rooms read_rooms(const fs::path& json) {
  std::ifstream file(json);
  const auto table = nlohmann::json::parse(file);
  Rooms rooms;
  for (const auto& [name, room] : table.items()) rooms[name] = {room.at("torch").get<bool>(), room.at("uses").get<std::set<std::string>>()};
  return rooms;
}

std::vector<Include> read_includes(const fs::path& source) {
  static const std::regex pattern(R"(^\s*#\s*include\s*([<"])([^>"]+)[>"])");
  std::ifstream file(source);
  std::vector<Include> includes;
  std::string text;
  for (int line = 1; std::getline(file, text); ++line)
    if (std::smatch match; std::regex_search(text, match, pattern)) includes.push_back({line, match[2], match[1] == "\""});
  return includes;
}

namespace {

bool is_source(const fs::path& path) {
  const auto extension = path.extension();
  return extension == ".h" || extension == ".cpp" || extension == ".cu" || extension == ".cuh";
}

std::vector<int> lines_with(const fs::path& source, const std::string& words) {
  std::ifstream file(source);
  std::vector<int> lines;
  std::string text;
  for (int line = 1; std::getline(file, text); ++line)
    if (text.find(words) != std::string::npos) lines.push_back(line);
  return lines;
}

// What is wrong with this line, or nothing.
std::string breach(const fs::path& root, const fs::path& file, const std::string& name, const Room& room, const Include& include) {
  const std::string& target = include.target;
  if (target.starts_with("libzoo/")) {
    const std::string other = target.substr(7, target.find('/', 7) - 7);
    if (!fs::exists(root / target)) return fmt::format("includes {}, which does not exist", target);
    if (other != name && !room.uses.contains(other))
      return fmt::format("room {} may not include {} (its CMakeLists.txt does not list {} under USES)", name, target, other);
    return {};
  }
  if (include.quoted) return fmt::format("includes \"{}\"; files of the library are included as <libzoo/room/file.h>", target);
  if (target == "torch/torch.h" || target == "torch/all.h" || target == "torch/extension.h")
    return fmt::format("includes {}, which takes longer to compile than all it is needed for; include the narrow header", target);
  const bool of_torch = target.starts_with("torch/") || target.starts_with("ATen/") || target.starts_with("c10/");
  if (of_torch && !room.torch) return fmt::format("room {} is declared without TORCH but includes {}", name, target);
  if (file.extension() == ".h" && target.starts_with("fmt/"))
    return fmt::format("public header includes {}; LibTorch carries another fmt", target);
  return {};
}

}  // namespace

std::vector<std::string> breaches(const fs::path& root, const Rooms& rooms) {
  std::vector<std::string> found;
  for (const auto& [name, room] : rooms) {
    if (!fs::is_directory(root / "libzoo" / name)) found.push_back(fmt::format("libzoo/{}: the room has no folder", name));
    for (const auto& other : room.uses)
      if (!rooms.contains(other)) found.push_back(fmt::format("libzoo/{}: uses {}, which is no room", name, other));
  }
  for (const auto& folder : fs::directory_iterator(root / "libzoo")) {
    if (!folder.is_directory()) continue;
    const std::string name = folder.path().filename().string();
    auto room = rooms.find(name);
    if (room == rooms.end()) {
      found.push_back(fmt::format("libzoo/{}: the folder is no room", name));
      continue;
    }
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
      if (!entry.is_regular_file() || !is_source(entry.path())) continue;
      for (const int line : lines_with(entry.path(), "at::parallel_for("))
        found.push_back(fmt::format("{}:{}: at::parallel_for runs on one thread in files compiled without -fopenmp; use io::parallel_for",
                                    entry.path().lexically_relative(root).string(), line));
      for (const auto& include : read_includes(entry.path())) {
        const std::string what = breach(root, entry.path(), name, room->second, include);
        if (!what.empty()) found.push_back(fmt::format("{}:{}: {}", entry.path().lexically_relative(root).string(), include.line, what));
      }
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

std::vector<std::string> floors(const Rooms& rooms) {
  std::vector<std::string> order;
  std::set<std::string> placed;
  while (placed.size() < rooms.size()) {
    const size_t before = placed.size();
    std::string left;
    for (const auto& [name, room] : rooms) {
      if (placed.contains(name)) continue;
      const bool ready = std::all_of(room.uses.begin(), room.uses.end(), [&](const auto& other) { return placed.contains(other); });
      if (ready)
        placed.insert(name), order.push_back(name);
      else
        left += " " + name;
    }
    if (placed.size() == before) throw std::runtime_error("rooms use each other in a circle:" + left);
  }
  return order;
}

}  // namespace zoo::architecture
