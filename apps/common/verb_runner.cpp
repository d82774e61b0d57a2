#include "apps/common/verb_runner.h"

#include <libzoo/core/error.h>
#include <libzoo/core/log.h>
#include <libzoo/dist/group.h>
#include <libzoo/train/device.h>
#include <libzoo/train/run.h>

#include <ATen/Parallel.h>

#include <fmt/format.h>

#include <ctime>
#include <filesystem>

namespace zoo::apps {
namespace {

// runs/bit-finetune/2026-11-24T16-35-01Z, with a number behind it if another run began in the same second.
std::filesystem::path new_directory(const std::string& program, const std::string& verb) {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&now, &utc);
  char stamp[32];
  std::strftime(stamp, sizeof stamp, "%Y-%m-%dT%H-%M-%SZ", &utc);
  const std::string system = program.starts_with("zoo-") ? program.substr(4) : program;
  const std::filesystem::path first = std::filesystem::path("runs") / (system + '-' + verb) / stamp;
  std::filesystem::path path = first;
  for (int i = 2; std::filesystem::exists(path); ++i) path = first.string() + fmt::format("-{}", i);
  return path;
}

// The other processes of this run, if a launcher started several. Each takes the GPU of its number on this machine.
void join_ranks(const Verb& verb, const std::string& program, train::RunOptions& options) {
  const auto place = dist::place_from_environment();
  if (!place) return;
  if (!verb.ranks)
    throw UserError(
        fmt::format("{} {} runs as one process, and the environment makes it rank {} of {}", program, verb.name, place->rank, place->size),
        "start it without torchrun, srun or mpirun");
  auto device = train::resolve_device(options.device);
  if (device.is_cuda()) {
    options.device = fmt::format("cuda:{}", place->local_rank);
    device = train::resolve_device(options.device);
  }
  if (place->rank > 0) log::set_level(std::max(log::Level::warning, log::level()));
  options.group = dist::join(*place, device);
}

}  // namespace

Json execute_run(const Verb& verb, const std::string& program, const CommandLine& line, const FieldTree& options,
                 const std::string& config_yaml) {
  train::RunOptions run_options;
  run_options.directory = line.out.empty() ? new_directory(program, verb.name) : std::filesystem::path(line.out);
  run_options.resume = line.resume;
  run_options.overwrite = line.overwrite;
  run_options.dry_run = line.dry_run;
  run_options.seed = line.seed.value_or(0);
  run_options.device = line.device;
  run_options.threads = line.threads;
  run_options.quiet = line.quiet;
  run_options.program = program + ' ' + verb.name;
  run_options.config_yaml = config_yaml;
  run_options.config = to_json(options);
  run_options.may_change = verb.may_change;
  if (verb.run_options) verb.run_options(options.object, run_options);

  join_ranks(verb, program, run_options);

  train::Run run(std::move(run_options));
  if (run.finished()) return run.result();
  const Json result = verb.run(options.object, run);
  if (run.interrupted()) return nullptr;
  if (run.dry_run()) return run.writes() ? run.dry_run_report() : Json();
  run.finish(result);
  return run.writes() ? result : Json();
}

void set_threads(int threads) {
  if (threads > 0) at::set_num_threads(threads);
}

}  // namespace zoo::apps
