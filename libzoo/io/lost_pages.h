// Mapped files that become shorter while they are read, because another program cuts them. The system would end the process
// (SIGBUS) at the first byte that is gone; here such bytes read as zeros, and it is remembered that they were asked for.
#pragma once

#include <libzoo/io/bytes.h>

#include <string>

namespace zoo::io {

// Owns a mapping that mmap made of a file, and watches it. The first one installs a handler of SIGBUS, which passes on to the
// handler before it what is not its own.
class WatchedMapping {
 public:
  explicit WatchedMapping(std::span<const uint8_t> mapping);
  ~WatchedMapping();
  WatchedMapping(const WatchedMapping&) = delete;
  WatchedMapping& operator=(const WatchedMapping&) = delete;

 private:
  std::span<const uint8_t> mapping_;
  struct Node* node_;
};

// True if a byte that the file no longer has was read from the mapping that `bytes` lie in.
bool lost_pages(std::span<const uint8_t> bytes);

// Reads every page that `bytes` lie on; false if the file has become too short for them. require_pages throws UserError
// "<where>: …" then.
bool has_pages(std::span<const uint8_t> bytes);
void require_pages(std::span<const uint8_t> bytes, const std::string& where);

}  // namespace zoo::io
