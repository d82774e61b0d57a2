// zoo-bench NAME [--threads 2] [--warmup 2] [--repeats 9] [--size 64] [--batch 32]: runs one job repeatedly and prints one JSON
// line {name, metric, unit, value, config} with the median, as the peers do. zoo-bench --list names the jobs.
#include "test/bench/bench.h"

#include <ATen/Parallel.h>
#include <ATen/ATen.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <iostream>

namespace {

double milliseconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return (values[(values.size() - 1) / 2] + values[values.size() / 2]) / 2;
}

}  // namespace

int main(int argc, char** argv) {
  using namespace zoo::bench;
  std::string name;
  int threads = 2, warmup = 2, repeats = 9;
  bool list = false;
  Settings settings;
  CLI::App app{"Times one job of libzoo"};
  app.add_option("name", name, "the job");
  app.add_option("--threads", threads)->check(CLI::Range(1, 1024));
  app.add_option("--warmup", warmup, "runs before the clock starts")->check(CLI::Range(0, 1000));
  app.add_option("--repeats", repeats, "timed runs")->check(CLI::Range(1, 100000));
  app.add_option("--size", settings.size, "pixels, square")->check(CLI::Range(1, 4096));
  app.add_option("--batch", settings.batch)->check(CLI::Range(1, 65536));
  app.add_flag("--list", list, "name the jobs");
  CLI11_PARSE(app, argc, argv);

  const auto benchmarks = bit_benchmarks();
  if (list) {
    for (const auto& benchmark : benchmarks) std::cout << benchmark.name << "  " << benchmark.what << "\n";
    return 0;
  }
  const auto found = std::find_if(benchmarks.begin(), benchmarks.end(), [&](const auto& benchmark) { return benchmark.name == name; });
  if (found == benchmarks.end()) {
    std::cerr << "error: no benchmark '" << name << "'\nhint: zoo-bench --list\n";
    return 2;
  }
  at::set_num_threads(threads);
  auto job = found->prepare(settings);
  for (int i = 0; i < warmup; ++i) job.run();
  std::vector<double> wall, processor;
  for (int i = 0; i < repeats; ++i) {
    const auto start = std::chrono::steady_clock::now();
    const auto clock = std::clock();
    job.run();
    wall.push_back(milliseconds_since(start));
    processor.push_back(1e3 * double(std::clock() - clock) / CLOCKS_PER_SEC);
  }
  const nlohmann::ordered_json config = {{"size", settings.size},
                                         {"batch", settings.batch},
                                         {"threads", threads},
                                         {"median_ms", median(wall)},
                                         {"min_ms", *std::min_element(wall.begin(), wall.end())},
                                         {"cpu_ms", median(processor)},
                                         {"min_cpu_ms", *std::min_element(processor.begin(), processor.end())},
                                         {"repeats", repeats}};
  const nlohmann::ordered_json line = {
      {"name", name}, {"metric", "throughput"}, {"unit", job.unit}, {"value", job.items / median(wall) * 1e3}, {"config", config}};
  std::cout << line.dump() << std::endl;
}
