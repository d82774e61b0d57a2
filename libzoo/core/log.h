// Messages for the person at the terminal: one line each on standard error, and in the run's log.txt.
//
//   zoo::log::info(fmt::format("{} images, {} classes", n, c));
//
// The level and the sinks belong to the process, since a process has one standard error.
#pragma once

#include <functional>
#include <string_view>

namespace zoo::log {

enum class Level { debug, info, warning, error, off };

void set_level(Level level);   // for standard error; sinks always receive everything from info up
Level level();
Level parse_level(std::string_view name);  // "debug" … "off"; throws UserError

void debug(std::string_view message);
void info(std::string_view message);
void warning(std::string_view message);
void error(std::string_view message);

// Receives every message until the returned handle dies. Sinks are called one at a time, from any thread.
class Sink {
 public:
  explicit Sink(std::function<void(Level, std::string_view)> receive);
  ~Sink();
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;

 private:
  int id_;
};

// A line that rewrites itself on a terminal (a progress bar); messages above it stay intact. Empty: erase it.
void set_status_line(std::string_view line);
bool stderr_is_terminal();
bool color_enabled();  // a terminal, and NO_COLOR not set

}  // namespace zoo::log
