#include <libzoo/core/error.h>
#include <libzoo/core/log.h>

#include <fmt/format.h>

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>
#include <string>

namespace zoo::log {
namespace {

struct Process {
  std::mutex mutex;
  Level level = Level::info;
  int next_id = 0;
  std::map<int, std::function<void(Level, std::string_view)>> sinks;
  std::string status;
};

Process& process() {
  static Process* p = new Process;  // never destroyed: threads may log during exit
  return *p;
}

std::string_view prefix(Level level) {
  switch (level) {
    case Level::debug: return "debug: ";
    case Level::warning: return color_enabled() ? "\033[33mwarning:\033[0m " : "warning: ";
    case Level::error: return color_enabled() ? "\033[31merror:\033[0m " : "error: ";
    default: return "";
  }
}

void erase_status(const Process& p) {
  if (!p.status.empty()) std::fputs("\r\033[K", stderr);
}

void draw_status(const Process& p) {
  if (!p.status.empty()) std::fputs(p.status.c_str(), stderr);
  std::fflush(stderr);
}

void emit(Level level, std::string_view message) {
  Process& p = process();
  std::lock_guard lock(p.mutex);
  if (level >= p.level) {
    erase_status(p);
    std::fputs(fmt::format("{}{}\n", prefix(level), message).c_str(), stderr);
    draw_status(p);
  }
  if (level >= Level::info) {
    for (auto& [id, receive] : p.sinks) receive(level, message);
  }
}

}  // namespace

void set_level(Level level) {
  std::lock_guard lock(process().mutex);
  process().level = level;
}

Level level() {
  std::lock_guard lock(process().mutex);
  return process().level;
}

Level parse_level(std::string_view name) {
  if (name == "debug") return Level::debug;
  if (name == "info") return Level::info;
  if (name == "warning") return Level::warning;
  if (name == "error") return Level::error;
  if (name == "off") return Level::off;
  throw UserError(fmt::format("log level '{}' is unknown", name), "one of debug, info, warning, error, off");
}

void debug(std::string_view message) { emit(Level::debug, message); }
void info(std::string_view message) { emit(Level::info, message); }
void warning(std::string_view message) { emit(Level::warning, message); }
void error(std::string_view message) { emit(Level::error, message); }

Sink::Sink(std::function<void(Level, std::string_view)> receive) {
  std::lock_guard lock(process().mutex);
  id_ = process().next_id++;
  process().sinks.emplace(id_, std::move(receive));
}

Sink::~Sink() {
  std::lock_guard lock(process().mutex);
  process().sinks.erase(id_);
}

void set_status_line(std::string_view line) {
  Process& p = process();
  std::lock_guard lock(p.mutex);
  if (p.level > Level::info) return;
  erase_status(p);
  p.status = line;
  draw_status(p);
}

bool stderr_is_terminal() { return isatty(STDERR_FILENO) == 1; }

bool color_enabled() { return stderr_is_terminal() && std::getenv("NO_COLOR") == nullptr; }

}  // namespace zoo::log
