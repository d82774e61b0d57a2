#include <libzoo/train/manifest.h>

#include <libzoo/core/error.h>
#include <libzoo/core/log.h>
#include <libzoo/io/atomic_file.h>
#include <libzoo/train/run_directory.h>

#include <torch/headeronly/version.h>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <ctime>
#include <fstream>
#include <thread>

namespace zoo::train {
namespace {

std::string processor_name() {
  std::ifstream facts("/proc/cpuinfo");
  for (std::string line; std::getline(facts, line);) {
    const size_t colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) return line.substr(colon + 2);
  }
  return "unknown";
}

Json build_facts() {
  return {{"compiler", fmt::format("GCC-compatible {}", __VERSION__)}, {"type", ZOO_BUILD_TYPE}, {"cuda", bool(ZOO_BUILT_WITH_CUDA)}};
}

void require_same(const Json& previous, const RunOptions& options) {
  std::string problems;
  const auto differ = [&](const std::string& key, const std::string& before, const std::string& now) {
    problems += fmt::format("\n  {}: it was started with {}, now it is {}", key, before, now);
  };
  const std::string program = previous.value("program", "");
  const uint64_t seed = previous.value("seed", uint64_t(0));
  if (program != options.program) differ("program", program, options.program);
  if (seed != options.seed) differ("seed", fmt::to_string(seed), fmt::to_string(options.seed));
  const Json config = previous.value("config", Json::object());
  for (const Difference& d : differences(config, options.config, options.may_change)) differ(d.key, d.before, d.now);
  if (problems.empty()) return;
  throw UserError(fmt::format("{} can't be resumed with other options:{}", options.directory.string(), problems),
                  "resume with the options of the run (its config.yaml), or start another with --out");
}

}  // namespace

Manifest::Manifest(std::filesystem::path path, Json previous, const RunOptions& options, const std::string& device, int threads)
    : path_(std::move(path)) {
  Json sessions = Json::array();
  int64_t resumes = 0;
  std::string started = utc_now();
  if (!previous.is_null()) {
    require_same(previous, options);
    for (const char* key : {"device", "threads"}) {
      const Json now = std::string_view(key) == "device" ? Json(device) : Json(threads);
      if (previous.contains(key) && previous[key] != now) {
        log::warning(fmt::format("resumed with {} {} after {}: the result will not be bitwise that of an uninterrupted run", key,
                                 now.dump(), previous[key].dump()));
      }
    }
    sessions = previous.value("sessions", Json::array());
    resumes = previous.value("resumes", int64_t(0)) + 1;
    started = previous.value("started", started);
    // Whoever left a session running is gone, since we hold the lock.
    if (!sessions.empty() && sessions.back().value("state", "") == "running") sessions.back()["state"] = "killed";
  }
  sessions.push_back({{"started", utc_now()}, {"ended", nullptr}, {"state", "running"}, {"device", device}, {"threads", threads}});
  json_ = {{"zoo_run", 1},
           {"program", options.program},
           {"version", ZOO_VERSION},
           {"state", "running"},
           {"started", started},
           {"ended", nullptr},
           {"resumes", resumes},
           {"seed", options.seed},
           {"device", device},
           {"threads", threads},
           {"libtorch", TORCH_VERSION},
           {"build", build_facts()},
           {"processor", processor_name()},
           {"processors", std::thread::hardware_concurrency()},
           {"parameters", Json::object()}};
  json_["sessions"] = std::move(sessions);
  json_["config"] = options.config;
}

void Manifest::note_parameters(const std::string& name, int64_t count) { json_["parameters"][name] = count; }

void Manifest::note_session(const std::string& key, Json value) { json_["sessions"].back()[key] = std::move(value); }

void Manifest::set_state(const std::string& state) {
  json_["state"] = state;
  note_session("state", state);
  if (state == "running") return;
  json_["ended"] = utc_now();
  note_session("ended", json_["ended"]);
}

void Manifest::write() { io::write_file(path_, json_.dump(2, ' ', false, Json::error_handler_t::replace) + '\n'); }

std::string utc_now() { return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr))); }

}  // namespace zoo::train
