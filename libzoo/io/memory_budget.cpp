#include <libzoo/core/error.h>
#include <libzoo/io/memory_budget.h>

#include <fmt/format.h>

namespace zoo::io {

MemoryBudget::MemoryBudget(uint64_t file_bytes, std::string where) : left_(2 * file_bytes + (60u << 20)), where_(std::move(where)) {}

void MemoryBudget::spend(uint64_t bytes, std::string_view what) {
  if (bytes > left_) {
    throw UserError(fmt::format("{}: refused at {} of {} bytes: reading the file would take more memory than twice its size and 60 MiB",
                                where_, what, bytes),
                    "the file is damaged, or holds tensors expanded from few values: save them contiguous");
  }
  left_ -= bytes;
}

}  // namespace zoo::io
