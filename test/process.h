// Runs one of the built programs, without forking this process's threads, and keeps what it says.
#pragma once

#include "test/catch.h"
#include "test/files.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <string>
#include <thread>
#include <vector>

extern char** environ;

namespace zoo::test {

class Process {
 public:
  // build/…/bin/<program>; standard output and error go to `log`.out and `log`.err. `variables` ("NAME=value") are laid over the
  // environment.
  Process(const std::filesystem::path& log, const std::string& program, std::vector<std::string> arguments,
          std::vector<std::string> variables = {})
      : log_(log) {
    arguments.insert(arguments.begin(), ZOO_BINARY_DIR "/bin/" + program);
    std::vector<char*> pointers;
    for (auto& argument : arguments) pointers.push_back(argument.data());
    pointers.push_back(nullptr);
    std::vector<char*> environment;
    for (auto& variable : variables) environment.push_back(variable.data());
    for (char** variable = environ; *variable; ++variable) environment.push_back(*variable);
    environment.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    const int flags = O_WRONLY | O_CREAT | O_TRUNC;
    posix_spawn_file_actions_addopen(&actions, 1, (log_.string() + ".out").c_str(), flags, 0600);
    posix_spawn_file_actions_addopen(&actions, 2, (log_.string() + ".err").c_str(), flags, 0600);
    REQUIRE(posix_spawn(&pid_, pointers[0], &actions, nullptr, pointers.data(), environment.data()) == 0);
    posix_spawn_file_actions_destroy(&actions);
  }
  ~Process() {
    if (pid_ > 0) {
      kill(pid_, SIGKILL);
      waitpid(pid_, nullptr, 0);
    }
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  pid_t pid() const { return pid_; }
  void signal(int number) const {
    if (pid_ > 0) kill(pid_, number);
  }

  // Exit status, or 128 + the signal that ended it.
  int wait() {
    if (pid_ > 0) {
      waitpid(pid_, &status_, 0);
      pid_ = -1;
    }
    return WIFEXITED(status_) ? WEXITSTATUS(status_) : 128 + WTERMSIG(status_);
  }
  bool running() {
    if (pid_ > 0 && waitpid(pid_, &status_, WNOHANG) == pid_) pid_ = -1;
    return pid_ > 0;
  }
  // Waits until standard output holds `text`; false if the process ended or 60 s passed without it.
  bool wait_for(const std::string& text) {
    for (int i = 0; i < 6000; ++i) {
      if (out().find(text) != std::string::npos) return true;
      if (i % 10 == 9 && !running()) return out().find(text) != std::string::npos;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
  }
  std::string out() const { return read_text(log_.string() + ".out"); }
  std::string err() const { return read_text(log_.string() + ".err"); }

 private:
  std::filesystem::path log_;
  pid_t pid_ = -1;
  int status_ = 0;
};

struct Said {
  int status;
  std::string out, err;
};

inline Said run(const std::string& program, const std::vector<std::string>& arguments) {
  const TemporaryFolder folder;
  Process process(folder / "log", program, arguments);
  const int status = process.wait();
  return {status, process.out(), process.err()};
}

}  // namespace zoo::test
