// What a benchmark of zoo-bench is given and gives back: one job, run again and again.
#pragma once

#include <CLI/CLI.hpp>

#include <functional>
#include <string>
#include <vector>

namespace zoo::bench {

struct Job {
  std::function<void()> run;
  double items = 1;   // done in one run
  std::string unit;   // of items per second
  std::string card = {};  // the GPU's name, if it runs on one
  std::function<double()> rate = {};  // of the last run, in units, where it is not items per second
};

struct Benchmark {
  std::string name;
  std::string what;
  // Adds options of its own to the command and returns what makes the job after they are read. `threads` is what --threads says.
  std::function<std::function<Job(int threads)>(CLI::App& command)> declare;
};

std::vector<Benchmark> bit_benchmarks();
std::vector<Benchmark> data_benchmarks();
std::vector<Benchmark> echo_benchmarks();
std::vector<Benchmark> io_benchmarks();
std::vector<Benchmark> offline_rl_benchmarks();
std::vector<Benchmark> rl_benchmarks();
std::vector<Benchmark> simclr_benchmarks();

}  // namespace zoo::bench
