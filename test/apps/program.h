// Runs one of the built programs and keeps what it says.
#pragma once

#include "test/catch.h"

#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

extern char** environ;

struct Folder {  // gone after the test
  Folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "zoo-apps-XXXXXX").string();
    REQUIRE(mkdtemp(pattern.data()) != nullptr);
    path = pattern;
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string operator/(const std::string& name) const { return (path / name).string(); }
  std::filesystem::path path;
};

inline std::string read_text(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

inline void write_text(const std::filesystem::path& path, const std::string& text) { std::ofstream(path, std::ios::binary) << text; }

inline int count_lines(const std::string& text) { return int(std::count(text.begin(), text.end(), '\n')); }

class Program {
 public:
  // Starts build/…/bin/<name> in the folder, which also receives its output.
  Program(const Folder& folder, const std::string& name, std::vector<std::string> arguments) : log_(folder / "log") {
    arguments.insert(arguments.begin(), std::string(ZOO_BINARY_DIR "/bin/") + name);
    std::vector<char*> pointers;
    for (auto& argument : arguments) pointers.push_back(argument.data());
    pointers.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    const int flags = O_WRONLY | O_CREAT | O_TRUNC;
    posix_spawn_file_actions_addopen(&actions, 1, (log_ + ".out").c_str(), flags, 0600);
    posix_spawn_file_actions_addopen(&actions, 2, (log_ + ".err").c_str(), flags, 0600);
    REQUIRE(posix_spawn(&pid_, pointers[0], &actions, nullptr, pointers.data(), environ) == 0);
    posix_spawn_file_actions_destroy(&actions);
  }

  bool running() {
    if (ended_) return false;
    ended_ = waitpid(pid_, &raw_, WNOHANG) == pid_;
    return !ended_;
  }
  void signal(int number) { ::kill(pid_, number); }

  // The exit status; 128 plus the number of the signal that ended it.
  int wait() {
    if (!ended_) waitpid(pid_, &raw_, 0);
    ended_ = true;
    return WIFEXITED(raw_) ? WEXITSTATUS(raw_) : 128 + WTERMSIG(raw_);
  }
  std::string out() const { return read_text(log_ + ".out"); }
  std::string err() const { return read_text(log_ + ".err"); }

 private:
  std::string log_;
  pid_t pid_ = 0;
  int raw_ = 0;
  bool ended_ = false;
};

struct Said {
  int status;
  std::string out, err;
};

inline Said run(const std::string& name, const std::vector<std::string>& arguments) {
  Folder folder;
  Program program(folder, name, arguments);
  const int status = program.wait();
  return {status, program.out(), program.err()};
}
