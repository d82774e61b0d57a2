// Holds the #include lines of libzoo against the table of rooms that its CMake files declare (zoo_room(… USES …)).
#pragma once

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace zoo::architecture {

struct Room {
  bool torch = false;           // may include LibTorch
  std::set<std::string> uses;   // rooms whose headers it may include
};
using Rooms = std::map<std::string, Room>;

Rooms read_rooms(const std::filesystem::path& json);

struct Include {
  int line;
  std::string target;  // what stands between the brackets or quotes
  bool quoted;
};
std::vector<Include> read_includes(const std::filesystem::path& source);

// One line per breach, `libzoo/io/x.h:12: …`, over all .h, .cpp and .cu files of `root`/libzoo.
std::vector<std::string> breaches(const std::filesystem::path& root, const Rooms& rooms);

// Rooms in an order in which each uses only those before it; throws std::runtime_error naming the rooms of a cycle.
std::vector<std::string> floors(const Rooms& rooms);

}  // namespace zoo::architecture
