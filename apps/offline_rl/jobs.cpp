#include "apps/offline_rl/jobs.h"
#include "apps/common/training_run.h"

#include <libzoo/core/log.h>
#include <libzoo/io/bytes.h>

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <thread>

namespace zoo::apps {
namespace {

bool is_done(const Job& job) { return std::filesystem::exists(job.directory / "result.json"); }

}  // namespace

bool run_jobs(const std::vector<Job>& jobs, int at_once, const std::function<bool()>& stop) {
  enum class Stage { waiting, running, ended };
  std::vector<Stage> stages;
  for (const Job& job : jobs) stages.push_back(is_done(job) ? Stage::ended : Stage::waiting);
  std::vector<std::unique_ptr<TrainingRun>> runs(jobs.size());
  const auto ready = [&](const Job& job) {
    return std::all_of(job.after.begin(), job.after.end(), [&](size_t other) { return stages[other] == Stage::ended; });
  };
  while (std::count(stages.begin(), stages.end(), Stage::ended) < std::ssize(stages)) {
    if (stop()) {
      for (auto& run : runs)
        if (run) run->stop();
      return false;
    }
    for (size_t i = 0; i < jobs.size(); ++i) {
      if (stages[i] == Stage::running && runs[i]->ended()) {
        stages[i] = Stage::ended;
        runs[i].reset();
        log::info(fmt::format("{} of {} runs done: {}", std::count(stages.begin(), stages.end(), Stage::ended), jobs.size(),
                              jobs[i].directory.filename().string()));
      }
    }
    for (size_t i = 0; i < jobs.size(); ++i) {
      if (std::count(stages.begin(), stages.end(), Stage::running) >= at_once) break;
      if (stages[i] != Stage::waiting || !ready(jobs[i])) continue;
      runs[i] = std::make_unique<TrainingRun>("zoo-offline-rl", jobs[i].words, jobs[i].directory, /*resume=*/true);
      stages[i] = Stage::running;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return true;
}

Json result_of(const Job& job) {
  const auto path = job.directory / "result.json";
  return parse_json(io::map_file(path).text(), path.string());
}

}  // namespace zoo::apps
