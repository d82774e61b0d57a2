// What a benchmark of zoo-bench is given and gives back: one job, run again and again.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace zoo::bench {

struct Settings {
  int64_t size = 64;   // pixels, square
  int64_t batch = 32;
};

struct Job {
  std::function<void()> run;
  double items = 1;   // done in one run
  std::string unit;   // of items per second
};

struct Benchmark {
  std::string name;
  std::string what;
  std::function<Job(const Settings&)> prepare;
};

std::vector<Benchmark> bit_benchmarks();

}  // namespace zoo::bench
