// zoo-bench NAME [--threads 2] [--warmup 2] [--repeats 9] [options of NAME]: runs one job repeatedly and prints one JSON line
// {name, metric, unit, value, config} with the median, as the peers do. zoo-bench --help names the jobs.
#include "test/bench/bench.h"

#include <libzoo/nn/cpu_allocator.h>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <fstream>
#include <iostream>

namespace {

using namespace zoo::bench;

struct Measuring {
  int threads = 2, warmup = 2, repeats = 9;
};

double milliseconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return (values[(values.size() - 1) / 2] + values[values.size() / 2]) / 2;
}

// Every option of the command by name, as given or by default.
nlohmann::ordered_json options_of(const CLI::App& command) {
  nlohmann::ordered_json options;
  for (const CLI::Option* option : command.get_options())
    if (!option->get_lnames().empty() && option->get_lnames()[0] != "help")
      options[option->get_lnames()[0]] = option->count() > 0 ? option->results().back() : option->get_default_str();
  return options;
}

// A line of /proc/self/status in MB; what the process holds (VmRSS), or held at most (VmHWM).
double memory_megabytes(const std::string& key) {
  std::ifstream file("/proc/self/status");
  for (std::string word; file >> word;)
    if (word == key + ':') return file >> word, std::stod(word) / 1024;
  return 0;
}

void measure(const std::string& name, Job job, const Measuring& measuring, nlohmann::ordered_json config) {
  const double held = memory_megabytes("VmRSS");
  for (int i = 0; i < measuring.warmup; ++i) job.run();
  std::vector<double> wall, processor, rates;
  for (int i = 0; i < measuring.repeats; ++i) {
    const auto start = std::chrono::steady_clock::now();
    const auto clock = std::clock();
    job.run();
    wall.push_back(milliseconds_since(start));
    processor.push_back(1e3 * double(std::clock() - clock) / CLOCKS_PER_SEC);
    rates.push_back(job.rate ? job.rate() : job.items / wall.back() * 1e3);
  }
  if (!job.card.empty()) config["card"] = job.card;
  config["median_ms"] = median(wall);
  config["min_ms"] = *std::min_element(wall.begin(), wall.end());
  config["cpu_ms"] = median(processor);
  config["min_cpu_ms"] = *std::min_element(processor.begin(), processor.end());
  config["cpu_seconds_per_1000"] = median(processor) / job.items;
  config["peak_megabytes"] = memory_megabytes("VmHWM") - held;  // beyond what was there before the first run
  const nlohmann::ordered_json line = {
      {"name", name}, {"metric", "throughput"}, {"unit", job.unit}, {"value", median(rates)}, {"config", config}};
  std::cout << line.dump() << std::endl;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Times one job of libzoo"};
  app.require_subcommand(1);
  zoo::nn::use_caching_cpu_allocator();
  Measuring measuring;
  for (const auto& benchmarks : {bit_benchmarks(), data_benchmarks(), echo_benchmarks(), io_benchmarks(), offline_rl_benchmarks(),
                                 rl_benchmarks(), simclr_benchmarks()}) {
    for (const Benchmark& benchmark : benchmarks) {
      CLI::App* command = app.add_subcommand(benchmark.name, benchmark.what);
      command->add_option("--threads", measuring.threads)->check(CLI::Range(1, 1024))->capture_default_str();
      command->add_option("--warmup", measuring.warmup, "runs before the clock starts")->check(CLI::Range(0, 1000))->capture_default_str();
      command->add_option("--repeats", measuring.repeats, "timed runs")->check(CLI::Range(1, 100000))->capture_default_str();
      command->final_callback([command, &measuring, name = benchmark.name, prepare = benchmark.declare(*command)] {
        at::set_num_threads(measuring.threads);
        measure(name, prepare(measuring.threads), measuring, options_of(*command));
      });
    }
  }
  try {
    app.parse(argc, argv);
    return 0;
  } catch (const CLI::ParseError& error) {
    return app.exit(error);
  } catch (const std::exception& error) {
    std::cerr << "error: " << error.what() << "\n";
    return 1;
  }
}
