// Data echoing: what a stage that repeats nothing costs, and how close the steps per second come to min(factor, R) / R
// when the input takes R times as long as a step, with a fixed factor and with one that adapts.
//
//   zoo-bench echo_overhead --factor 0        # no stage;  --factor 1: with it
//   zoo-bench echo_steps --ratio 4 --factor 2 --warmup 1 --repeats 3      # --factor 0: auto
#include "test/bench/bench.h"

#include <libzoo/data/echo.h>
#include <libzoo/data/map.h>
#include <libzoo/data/prefetch.h>
#include <libzoo/data/stages.h>

#include <memory>
#include <thread>

namespace zoo::bench {
namespace {

using namespace zoo::data;
using Clock = std::chrono::steady_clock;

void spin(std::chrono::nanoseconds time) {
  for (const auto until = Clock::now() + time; Clock::now() < until;) {
  }
}

// Sleeps, and is on time: the last bit is spent awake.
void wait(double milliseconds) {
  const auto until = Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double, std::milli>(milliseconds));
  std::this_thread::sleep_until(until - std::chrono::microseconds(150));
  while (Clock::now() < until) std::this_thread::yield();
}

struct Overhead {
  double factor = 1;
  int64_t work_us = 20, items = 20'000, shuffle_buffer = 0;
};

Job overhead(const Overhead& o) {
  const auto work = [time = std::chrono::microseconds(o.work_us)](const Ticket& ticket) {
    spin(time);
    return ticket.index;
  };
  auto run = [o, work] {
    int64_t sum = 0;
    if (o.factor < 1) {
      auto stream = indices(o.items, {.epochs = 1}) | map(work) | batch(64);
      while (auto batch = stream.next()) sum += batch->front();
    } else {
      auto stream = indices(o.items, {.epochs = 1}) | echo({.factor = o.factor, .shuffle_buffer = o.shuffle_buffer}) |
                    map([work](const Echoed<Ticket>& e) { return work(e.item); }) | batch(64);
      while (auto batch = stream.next()) sum += batch->front();
    }
    if (sum < 0) std::abort();
  };
  return {run, double(o.items) * std::max(o.factor, 1.0), "items"};
}

struct Steps {
  double ratio = 4, factor = 1, down_ms = 2;
  int64_t steps = 500, shuffle_buffer = 64;
};

Job steps(const Steps& o) {
  auto control = o.factor < 1 ? std::make_shared<EchoControl>(EchoControlOptions{.window_steps = 10}) : nullptr;
  auto stream = std::make_shared<Stream<Echoed<int64_t>>>(
      indices(1000) | map([o](const Ticket& ticket) {
        wait(o.ratio * o.down_ms);
        return ticket.index;
      }) |
      echo({.factor = std::max(o.factor, 1.0), .shuffle_buffer = o.shuffle_buffer, .control = control}) | prefetch(16));
  auto run = [o, control, stream] {
    for (int64_t i = 0; i < o.steps; ++i) {
      stream->next();
      const auto begun = Clock::now();
      wait(o.down_ms);
      if (control) control->step(std::chrono::duration<double>(Clock::now() - begun).count());
    }
  };
  return {run, double(o.steps), "steps"};
}

}  // namespace

std::vector<Benchmark> echo_benchmarks() {
  return {{"echo_overhead", "a stream of small jobs, with or without an echo that repeats nothing",
           [](CLI::App& command) {
             auto o = std::make_shared<Overhead>();
             command.add_option("--factor", o->factor, "0: no echo")->capture_default_str();
             command.add_option("--work-us", o->work_us, "microseconds of work an item")->capture_default_str();
             command.add_option("--items", o->items)->capture_default_str();
             command.add_option("--shuffle-buffer", o->shuffle_buffer)->capture_default_str();
             return [o](int) { return overhead(*o); };
           }},
          {"echo_steps", "steps behind an echo whose input sleeps", [](CLI::App& command) {
             auto o = std::make_shared<Steps>();
             command.add_option("--ratio", o->ratio, "upstream over downstream time")->capture_default_str();
             command.add_option("--factor", o->factor, "0: auto")->capture_default_str();
             command.add_option("--down-ms", o->down_ms, "milliseconds of a step")->capture_default_str();
             command.add_option("--steps", o->steps)->capture_default_str();
             command.add_option("--shuffle-buffer", o->shuffle_buffer)->capture_default_str();
             return [o](int) { return steps(*o); };
           }}};
}

}  // namespace zoo::bench
