// A run of its own process, for tests that kill it, fill its disk or compete with it.
//   test-run-victim DIR STEPS [--resume] [--overwrite] [--every N] [--sleep-us N] [--size N] [--fill-at STEP FILE]
//                   [--free-at STEP] [--say] [--progress]
// Prints "steps FIRST" before the first step, with --say "step N" after each, and "done" or "interrupted" at the end.
#include "test/train/toy.h"

#include <libzoo/core/error.h>
#include <libzoo/core/log.h>
#include <libzoo/io/safetensors.h>
#include <libzoo/train/module_state.h>

#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <string>
#include <thread>
#include <vector>

namespace {

void fill_disk(const std::string& path) {
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  const std::vector<char> block(4096, 'x');
  for (size_t size = block.size(); size > 0; size /= 2) {
    while (write(file, block.data(), size) > 0) {
    }
  }
  close(file);
}

int run_job(std::vector<std::string> arguments) {
  zoo::train::RunOptions options{
      .directory = arguments.at(0), .seed = 7, .threads = 1, .quiet = true, .program = "victim", .config_yaml = "x: 1\n"};
  const int64_t total = std::stoll(arguments.at(1));
  int64_t sleep_us = 0, size = 8, fill_at = -1, free_at = -1;
  std::string filler;
  bool say = false;
  for (size_t i = 2; i < arguments.size(); ++i) {
    const std::string& name = arguments[i];
    if (name == "--resume")
      options.resume = true;
    else if (name == "--overwrite")
      options.overwrite = true;
    else if (name == "--say")
      say = true;
    else if (name == "--progress")
      options.quiet = false;
    else if (name == "--every")
      options.checkpoint_every = std::stoll(arguments.at(++i));
    else if (name == "--sleep-us")
      sleep_us = std::stoll(arguments.at(++i));
    else if (name == "--size")
      size = std::stoll(arguments.at(++i));
    else if (name == "--free-at")
      free_at = std::stoll(arguments.at(++i));
    else if (name == "--fill-at") {
      fill_at = std::stoll(arguments.at(i + 1));
      filler = arguments.at(i + 2);
      i += 2;
    } else
      throw zoo::UserError("unknown argument " + name);
  }
  zoo::train::Run run(options);
  toy::Job job(size);
  job.track(run);
  bool first = true;
  for (int64_t step : run.steps(total)) {
    if (first) std::printf("steps %lld\n", static_cast<long long>(step));
    std::fflush(stdout);
    if (step == fill_at) fill_disk(filler);
    if (step == free_at) unlink(filler.c_str());
    run.log(step, {{"loss", job.step()}, {"rate", 0.05}});
    std::this_thread::sleep_for(std::chrono::microseconds(sleep_us));
    if (say) std::printf("step %lld\n", static_cast<long long>(step));
    std::fflush(stdout);
    first = false;
  }
  if (run.interrupted()) {
    std::printf("interrupted\n");
    return 0;
  }
  run.save_model([&](const std::filesystem::path& path) { zoo::io::write_safetensors(path, zoo::train::module_state(job.net).arrays); });
  run.finish({{"mean", job.net.weight.mean().item<double>()}});
  std::printf("done\n");
  return 0;
}

}  // namespace

int main(int count, char** values) {
  try {
    return run_job({values + 1, values + count});
  } catch (const zoo::Error& error) {
    std::fprintf(stderr, "error: %s\nhint: %s\n", error.what(), error.hint().c_str());
    return dynamic_cast<const zoo::UserError*>(&error) ? 2 : 1;
  }
}
