#include <libzoo/train/progress.h>

#include <libzoo/core/log.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace zoo::train {
namespace {
constexpr auto kPlainInterval = std::chrono::seconds(2);
constexpr auto kTerminalInterval = std::chrono::milliseconds(200);
double seconds(std::chrono::nanoseconds time) { return std::chrono::duration<double>(time).count(); }
}  // namespace

Progress::Progress(int64_t every, bool quiet) : every_(every), quiet_(quiet), terminal_(log::stderr_is_terminal()) {}

Progress::~Progress() { stop(); }

void Progress::start(int64_t first, int64_t total) {
  first_ = shown_ = first;
  total_ = total;
  started_ = shown_at_ = Clock::now();
  waited_ = {};
}

bool Progress::due(int64_t done) const {
  if (quiet_) return false;
  if (done == total_ || done == first_ + 1) return true;
  const auto since = Clock::now() - shown_at_;
  return terminal_ ? since >= kTerminalInterval : done % every_ == 0 && since >= kPlainInterval;
}

void Progress::show(int64_t done, const std::vector<std::pair<std::string, double>>& values) {
  const auto now = Clock::now();
  const std::string text = line(done, now, values);
  if (terminal_ && done < total_) {
    log::set_status_line(text);
  } else {
    log::set_status_line("");
    log::info(text);
  }
  shown_ = done;
  shown_at_ = now;
  waited_ = {};
}

void Progress::stop() {
  if (!quiet_ && terminal_) log::set_status_line("");
}

double Progress::steps_per_second(int64_t done) const {
  const double time = seconds(Clock::now() - started_);
  return time > 0 ? double(done - first_) / time : 0.0;
}

std::string Progress::line(int64_t done, Clock::time_point now, const std::vector<std::pair<std::string, double>>& values) const {
  std::string text = fmt::format("step {}/{}", done, total_);
  for (const auto& [name, value] : values)
    if (name.find('/') == std::string::npos) text += fmt::format("  {} {:.4g}", name, value);
  const double since = seconds(now - shown_at_);
  if (done > shown_ && since > 0) {
    const double rate = double(done - shown_) / since;
    text += rate >= 1 ? fmt::format("  {:.3g} steps/s", rate) : fmt::format("  {:.3g} s/step", 1 / rate);
    if (waits_) text += fmt::format("  waiting for data {:.0f} %", 100 * std::min(1.0, seconds(waited_) / since));
  }
  for (const auto& [of, note] : notes_)
    if (!note.empty()) text += "  " + note;
  const double average = steps_per_second(done);
  if (done < total_ && average > 0) text += fmt::format("  {} left", clock_text(double(total_ - done) / average));
  return text;
}

std::string clock_text(double seconds) {
  const int64_t total = std::isfinite(seconds) ? int64_t(std::min(seconds, 1e12) + 0.5) : 0;
  const int64_t days = total / 86400, hours = total / 3600 % 24, minutes = total / 60 % 60, rest = total % 60;
  if (days > 0) return fmt::format("{} d {}:{:02}:{:02}", days, hours, minutes, rest);
  if (hours > 0) return fmt::format("{}:{:02}:{:02}", hours, minutes, rest);
  return fmt::format("{}:{:02}", minutes, rest);
}

}  // namespace zoo::train
