#include <libzoo/bit/complaints.h>
#include <libzoo/core/error.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace zoo::bit {

void Complaints::throw_if_any(const std::string& hint) const {
  constexpr size_t kMostListed = 20;
  if (all_.empty()) return;
  const auto listed = std::vector<std::string>(all_.begin(), all_.begin() + std::ptrdiff_t(std::min(all_.size(), kMostListed)));
  throw UserError(fmt::format("{}: {}{}", where_, fmt::join(listed, "; "),
                              all_.size() > kMostListed ? fmt::format("; and {} more", all_.size() - kMostListed) : ""),
                  hint);
}

}  // namespace zoo::bit
