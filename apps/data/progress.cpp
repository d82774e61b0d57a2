#include "apps/data/progress.h"

#include <libzoo/core/log.h>

#include <fmt/format.h>

namespace zoo::apps {

ItemProgress::~ItemProgress() {
  if (!quiet_) log::set_status_line("");
}

void ItemProgress::done(int64_t count) {
  const bool terminal = log::stderr_is_terminal();
  const auto now = Clock::now();
  if (quiet_ || now - shown_ < (terminal ? std::chrono::milliseconds(200) : std::chrono::milliseconds(10'000))) return;
  shown_ = now;
  const double rate = double(count) / std::chrono::duration<double>(now - started_).count();
  const std::string line = fmt::format("{} {}/{}  {:.3g}/s  {:.0f} s left", doing_, count, total_, rate, double(total_ - count) / rate);
  terminal ? log::set_status_line(line) : log::info(line);
}

}  // namespace zoo::apps
