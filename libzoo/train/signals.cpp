#include <libzoo/train/signals.h>

#include <unistd.h>

#include <atomic>
#include <csignal>

namespace zoo::train {
namespace {

// The process has one set of handlers, hence one state. Lock-free atomics may be used in a handler.
std::atomic<int> first_signal{0};
std::atomic<int> guards{0};
static_assert(std::atomic<int>::is_always_lock_free);
struct sigaction old_int, old_term, old_pipe;

void receive(int number) {
  int none = 0;
  if (!first_signal.compare_exchange_strong(none, number)) _exit(128 + number);
}

}  // namespace

SignalGuard::SignalGuard() {
  if (guards++ > 0) return;
  first_signal = 0;
  struct sigaction action{};
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;
  action.sa_handler = receive;
  sigaction(SIGINT, &action, &old_int);
  sigaction(SIGTERM, &action, &old_term);
  action.sa_handler = SIG_IGN;
  sigaction(SIGPIPE, &action, &old_pipe);
}

SignalGuard::~SignalGuard() {
  if (--guards > 0) return;
  sigaction(SIGINT, &old_int, nullptr);
  sigaction(SIGTERM, &old_term, nullptr);
  sigaction(SIGPIPE, &old_pipe, nullptr);
}

int SignalGuard::received() { return first_signal; }

std::string SignalGuard::name(int number) {
  switch (number) {
    case SIGINT: return "SIGINT";
    case SIGTERM: return "SIGTERM";
    default: return {};
  }
}

}  // namespace zoo::train
