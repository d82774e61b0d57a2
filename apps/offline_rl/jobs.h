// Several runs of this program, some of which wait for others, as many at a time as there is room for.
#pragma once

#include <libzoo/core/json.h>

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace zoo::apps {

struct Job {
  std::vector<std::string> words;
  std::filesystem::path directory;
  std::vector<size_t> after = {};  // places of jobs that must have ended
};

// Runs zoo-offline-rl with each job's words; one whose result.json is there is not run again, one that was stopped continues. Returns false if `stop`
// did, and then has asked all to save and end. Throws UserError with what a failing one said last, after stopping the others.
bool run_jobs(const std::vector<Job>& jobs, int at_once, const std::function<bool()>& stop);

Json result_of(const Job& job);

}  // namespace zoo::apps
