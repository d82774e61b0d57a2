#include "apps/common/training_run.h"
#include "apps/common/recipes.h"

#include <libzoo/core/error.h>

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <fstream>

namespace zoo::apps {
namespace {

// The last line of a log that says something.
std::string last_words(const std::filesystem::path& log) {
  std::ifstream file(log);
  std::string last;
  for (std::string line; std::getline(file, line);)
    if (!line.empty()) last = line;
  return last;
}

}  // namespace

TrainingRun::TrainingRun(const std::string& program, std::vector<std::string> words, const std::filesystem::path& directory, bool resume)
    : directory_(directory) {
  words.insert(words.begin(), (program_folder() / program).string());
  words.insert(words.end(), {"--out", directory.string(), resume && std::filesystem::exists(directory) ? "--resume" : "--overwrite"});
  std::vector<char*> arguments;
  for (auto& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  const std::string log = directory.string() + ".log";
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
  posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
  const int failed = posix_spawn(&process_, arguments[0], &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) {
    process_ = -1;
    throw UserError(fmt::format("{} can't be started: {}", words[0], std::strerror(failed)),
                    "program names one beside this one, like zoo-bit");
  }
}

TrainingRun::~TrainingRun() {
  if (process_ <= 0) return;
  kill(process_, SIGTERM);
  waitpid(process_, nullptr, 0);
}

std::vector<Json> TrainingRun::new_metrics() {
  std::vector<Json> lines;
  std::ifstream file(directory_ / "metrics.jsonl", std::ios::binary);
  file.seekg(read_);
  for (std::string line; std::getline(file, line) && !file.eof(); read_ = file.tellg()) {
    Json values = Json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (values.is_object()) lines.push_back(std::move(values));
  }
  return lines;
}

bool TrainingRun::ended() {
  if (process_ <= 0) return true;
  int status = 0;
  if (waitpid(process_, &status, WNOHANG) == 0) return false;
  require_success(status);
  return true;
}

void TrainingRun::stop() {
  if (process_ <= 0) return;
  kill(process_, SIGTERM);
  int status = 0;
  waitpid(process_, &status, 0);
  require_success(status);
}

void TrainingRun::require_success(int status) {
  process_ = -1;
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return;
  const std::string log = directory_.string() + ".log";
  const std::string how =
      WIFEXITED(status) ? fmt::format("exit status {}", WEXITSTATUS(status)) : fmt::format("signal {}", WTERMSIG(status));
  throw UserError(fmt::format("{}: ended with {}: {}", directory_.string(), how, last_words(log)), "all it said is in " + log);
}

}  // namespace zoo::apps
