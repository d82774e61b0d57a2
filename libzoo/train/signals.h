// SIGINT and SIGTERM: the first asks to stop, the second ends the process at once with 128 + its number. SIGPIPE is
// ignored. The handlers of before come back when the outermost guard dies.
//
//   SignalGuard guard;
//   while (!SignalGuard::received()) step();
#pragma once

#include <string>

namespace zoo::train {

class SignalGuard {
 public:
  SignalGuard();
  ~SignalGuard();
  SignalGuard(const SignalGuard&) = delete;
  SignalGuard& operator=(const SignalGuard&) = delete;

  static int received();            // the number of the first signal, or 0
  static std::string name(int number = received());  // "SIGTERM"
};

}  // namespace zoo::train
