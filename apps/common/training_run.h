// A training program of this library that runs beside this one, in a run directory of its own, watched through its metrics.
#pragma once

#include <libzoo/core/json.h>

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

namespace zoo::apps {

class TrainingRun {
 public:
  // Starts `program` (zoo-bit), which lies beside this one, with these words and --out `directory`, which is replaced, or, if it is there,
  // continued. What it prints goes to `directory`.log. Throws UserError if there is no such program.
  TrainingRun(const std::string& program, std::vector<std::string> words, const std::filesystem::path& directory, bool resume = false);
  ~TrainingRun();  // stops it
  TrainingRun(const TrainingRun&) = delete;
  TrainingRun& operator=(const TrainingRun&) = delete;

  // The lines of metrics.jsonl that were finished since the last call.
  std::vector<Json> new_metrics();
  // Throws Error with what it printed last if it has failed.
  bool ended();
  // Asks it to save and end, and waits. Throws as ended().
  void stop();

 private:
  void require_success(int status);

  std::filesystem::path directory_;
  pid_t process_ = -1;
  std::streamoff read_ = 0;  // of metrics.jsonl
};

}  // namespace zoo::apps
