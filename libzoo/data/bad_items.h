// What to do with an item whose work throws zoo::Error (an unreadable file): stop, or leave it out up to a cap. Other
// exceptions always stop.
#pragma once

#include <libzoo/core/error.h>

#include <cstdint>
#include <string>

namespace zoo::data {

enum class OnBadItem { fail, skip };

struct BadItemPolicy {
  OnBadItem on_bad_item = OnBadItem::fail;
  int64_t max_bad_items = 100;  // with skip: one more ends the stream with an Error

  static BadItemPolicy skip(int64_t at_most = 100) { return {OnBadItem::skip, at_most}; }
};

// Logs the reason with the running count. Throws Error, with the reason, when `count` exceeds the cap.
void report_bad_item(const BadItemPolicy& policy, int64_t count, const std::string& reason);

}  // namespace zoo::data
