// A block of bytes and what keeps it alive: a mapped file, or memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace zoo::io {

struct Bytes {
  std::span<const uint8_t> view;
  std::shared_ptr<const void> owner;

  size_t size() const { return view.size(); }
  const uint8_t* data() const { return view.data(); }
  std::string_view text() const { return {reinterpret_cast<const char*>(view.data()), view.size()}; }

  static Bytes own(std::vector<uint8_t> bytes);
  // Without an owner: readers copy what they return.
  static Bytes borrow(std::span<const uint8_t> bytes) { return {bytes, nullptr}; }
};

inline std::span<const uint8_t> view_bytes(std::string_view text) { return {reinterpret_cast<const uint8_t*>(text.data()), text.size()}; }

// Maps a regular file. The mapping is private and writable, so that a tensor that shares it may be changed in place without
// touching the file. Bytes that the file loses later read as zeros (lost_pages.h). Throws UserError with the file's name and
// the system's reason; for a folder, a device or a pipe too.
Bytes map_file(const std::filesystem::path& path);

// Tells the system in what order a mapped file will be read: `random` reads no pages ahead.
enum class Access { normal, sequential, random };
void advise(std::span<const uint8_t> mapped, Access access);

// Reads a regular file into memory that is used again; `bytes` then has the file's size. Throws as map_file().
void read_file(const std::filesystem::path& path, std::vector<uint8_t>& bytes);

}  // namespace zoo::io
