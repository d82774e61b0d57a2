// How much memory a file may cost to read: twice its size and 60 MiB. Readers spend before they allocate, so that a file
// that lies about its contents is refused instead of filling the machine.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace zoo::io {

class MemoryBudget {
 public:
  MemoryBudget(uint64_t file_bytes, std::string where);

  // Throws UserError if `bytes` more for `what` exceed the budget.
  void spend(uint64_t bytes, std::string_view what);
  bool allows(uint64_t bytes) const { return bytes <= left_; }

 private:
  uint64_t left_;
  std::string where_;
};

}  // namespace zoo::io
