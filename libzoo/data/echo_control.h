// The echo factor of a running stream, shared by the echo stage and the training loop: it measures both sides, follows
// the adaptive rule, says each change in the log, and remembers from which item on each factor was used.
//
//   auto control = std::make_shared<EchoControl>(EchoControlOptions{.batch_size = 64});
//   auto stream = tickets | echo({.shuffle_buffer = 4096, .control = control}) | …;
//   run.track("echo", *control);
//   for (…) { … control->step(seconds_of_this_step_without_waiting_for_data); }
//
// The factor depends on timing. changes() of one run, given to another as `frozen`, repeats it exactly.
#pragma once

#include <libzoo/core/state.h>
#include <libzoo/data/adaptive_echo.h>
#include <libzoo/data/meter.h>

#include <mutex>
#include <vector>

namespace zoo::data {

struct EchoChange {
  int64_t fresh = 0;  // running number of the first item with this factor
  double factor = 1;
  bool operator==(const EchoChange&) const = default;
};

struct EchoWindow {
  double upstream_seconds = 0;    // per fresh batch
  double downstream_seconds = 0;  // per step
  double ratio = 0;               // of their averages
  double factor = 1;              // from then on
  bool operator==(const EchoWindow&) const = default;
};

struct EchoControlOptions {
  AdaptiveEchoOptions rule = {};
  int64_t batch_size = 1;               // items of the echo stage in a step; 1 around whole batches
  int64_t window_steps = 20;            // steps between two looks at the measured times
  std::vector<EchoChange> frozen = {};  // not empty: these factors, whatever is measured
};

class EchoControl {
 public:
  // Throws Error if an option is out of range, or if `frozen` does not begin with item 0 and rise.
  explicit EchoControl(EchoControlOptions options = {});

  double factor() const;  // from the next fresh item on
  std::vector<EchoChange> changes() const;
  std::vector<EchoWindow> windows() const;

  // The training loop: what one step took, without waiting for data. Closes a window now and then.
  void step(double seconds);
  // A window with these measurements, instead of step() and pulled().
  void measure(double upstream_seconds, double downstream_seconds);

  // The echo stage: the factor of its item number `fresh`, the same each time it is asked for; what a fresh batch took; and
  // what a restored stream knows: items from `fresh` on had that factor.
  double factor_for(int64_t fresh);
  void pulled(double seconds_per_batch);
  void resume(int64_t fresh, double factor);
  int64_t batch_size() const { return options_.batch_size; }
  bool measures() const { return options_.frozen.empty(); }

  State state() const;
  void restore(const State& state);  // throws Error if the state is not that of an echo control

 private:
  void close_window(double upstream_seconds, double downstream_seconds);

  EchoControlOptions options_;
  mutable std::mutex mutex_;
  AdaptiveEcho rule_;
  double factor_ = 1;
  std::vector<EchoChange> changes_;
  int64_t planned_ = 0;  // items that have their factor
  std::vector<EchoWindow> windows_;
  double up_sum_ = 0, down_sum_ = 0;
  int64_t up_count_ = 0, down_count_ = 0;
};

// The echo stage's stop-watch. A fresh batch takes as long as the stage waits for its items, or as the busiest stage before
// it works for them, whichever is more: a stage with threads works while nobody waits.
class EchoProbe {
 public:
  explicit EchoProbe(EchoControl* control) : control_(control && control->measures() ? control : nullptr) {}

  Meter::Clock::time_point time() const { return control_ ? Meter::Clock::now() : Meter::Clock::time_point(); }
  template <class Upstream>
  void pulled(Meter::Clock::time_point asked, const Upstream& upstream) {
    if (!control_) return;
    waited_ += std::chrono::duration<double>(Meter::Clock::now() - asked).count();
    if (++items_ < control_->batch_size()) return;
    std::vector<StageReport> reports;
    upstream.report(reports);
    close(reports);
  }

 private:
  void close(const std::vector<StageReport>& reports);

  EchoControl* control_;
  int64_t items_ = 0;
  double waited_ = 0;
  std::vector<double> worked_;  // seconds of each stage when the last batch was complete
};

}  // namespace zoo::data
