// Replaces a file as a whole: written beside the target, synced, renamed. Readers see the old file or the new one; after a
// crash, a full disk or an exception the old one is still there and nothing else lies around.
//
//   AtomicFile file("model.safetensors");
//   file.write(header);  file.write(data);
//   file.commit();
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>
#include <vector>

namespace zoo::io {

class AtomicFile {
 public:
  // Creates `.<name>.tmp-<pid>-<n>` beside `target`. This and all members throw Error with the file's name and the
  // system's reason ("No space left on device").
  explicit AtomicFile(std::filesystem::path target);
  ~AtomicFile();  // without commit(): removes what was written
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  // Small pieces are gathered; a full disk may be told by a later call.
  void write(std::span<const uint8_t> bytes);
  void write(std::string_view text) { write({reinterpret_cast<const uint8_t*>(text.data()), text.size()}); }
  uint64_t size() const { return size_; }

  // Syncs the data, renames, syncs the folder. Call once, last. Without `sync` a power cut may leave a damaged file: only for
  // what has a checksum and can be made again.
  void commit(bool sync = true);

 private:
  void put(std::span<const uint8_t> bytes);
  void flush();
  [[noreturn]] void fail(std::string_view doing, int reason) const;

  std::filesystem::path target_, temporary_;
  int file_ = -1;
  uint64_t size_ = 0, written_ = 0;
  std::vector<uint8_t> buffer_;
};

void write_file(const std::filesystem::path& target, std::string_view contents);
void write_file(const std::filesystem::path& target, std::span<const uint8_t> contents);

}  // namespace zoo::io
