// The JSON header of a safetensors file, by a scanner of its own: repeated names, integer types, nesting and padding
// matter here, and general parsers are lax about them.
#pragma once

#include <libzoo/core/array.h>
#include <libzoo/io/memory_budget.h>

#include <map>
#include <span>
#include <string>
#include <vector>

namespace zoo::io {

struct SafeTensorsEntry {
  std::string name;
  DType dtype = DType::f32;
  std::vector<int64_t> shape;
  uint64_t begin = 0, end = 0;  // in the buffer
};

struct SafeTensorsHeader {
  std::vector<SafeTensorsEntry> entries;  // in the header's order
  std::map<std::string, std::string> metadata;
};

// `json` starts at byte 8 of the file. Checks everything that needs no buffer.
SafeTensorsHeader parse_safetensors_header(std::span<const uint8_t> json, const std::string& where, MemoryBudget& budget);

}  // namespace zoo::io
