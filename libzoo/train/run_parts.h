// What a Run is made of. run.cpp opens and closes it, run_loop.cpp moves it from step to step.
#pragma once

#include <libzoo/core/log.h>
#include <libzoo/dist/group.h>
#include <libzoo/io/tfevents.h>
#include <libzoo/train/checkpoints.h>
#include <libzoo/train/manifest.h>
#include <libzoo/train/metrics_log.h>
#include <libzoo/train/progress.h>
#include <libzoo/train/run.h>
#include <libzoo/train/run_directory.h>
#include <libzoo/train/signals.h>

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace zoo::train {

struct Run::Parts {
  explicit Parts(RunOptions given);
  ~Parts();

  void begin(int64_t total);             // restores if that is due
  bool end_step(int64_t step);           // everything between two steps; false: no further step
  bool checkpoint();                     // false, after a warning, if it could not be written
  void look_at_watched(int64_t step);
  void settle();                         // metrics to their file and TensorBoard. Throws Error for a loss that is not finite
  void settled(const MetricsLog::Row& row, const MetricsLog::Numbers& numbers);
  void restore();
  std::optional<Checkpoint> newest_checkpoint();  // the same on all ranks
  bool agreed(bool of_first) const { return options.group ? options.group->from_first(of_first) != 0 : of_first; }
  // The number of a signal that any rank has received, or 0: all ranks stop at the same step.
  int signal_anywhere() const {
    const int own = SignalGuard::received();
    return options.group ? int(options.group->largest(own)) : own;
  }
  void to_tensorboard(const std::function<void(io::EventWriter&)>& write);
  void flush_log();
  void warn_once(const std::string& about, const std::string& reason);
  void write_manifest();

  SignalGuard signals;
  RunOptions options;
  const bool follower;                   // rank 0 writes for this one
  at::Device device;
  RunDirectory directory;
  Manifest manifest;
  const bool finished;                   // before this session
  std::mutex log_mutex;                  // log_file: any thread may log
  std::optional<LineFile> log_file;
  std::optional<log::Sink> log_sink;
  std::optional<MetricsLog> metrics;
  std::optional<io::EventWriter> events;
  Checkpoints checkpoints;
  Progress progress;
  std::map<std::string, bool> warned;    // subjects that were warned about

  struct Tracked {
    CheckpointPart part;
    std::function<void(const State&)> restore;
  };
  std::vector<Tracked> tracked;
  std::vector<std::pair<std::string, std::function<Measurements()>>> watched;
  int64_t parameters = 0, tracked_bytes = 0;

  bool started = false;                  // steps() was called
  bool in_step = false;
  bool stopped_early = false;            // by a signal
  bool closed = false;                   // finish() was reached
  int64_t first = 0, position = 0;       // steps below `position` are done
  int64_t saved = 0;                     // `position` of the last checkpoint, or of the start
  std::string checkpoint_failure, model_failure;
  Json result;

  struct Best {
    std::string name;
    double value = 0;
    int64_t step = 0;
  };
  std::optional<Best> best, saved_best;  // step: of the checkpoint; saved_best: as of the last checkpoint
  bool best_is_new = false;
  std::string bad_loss;                  // the first loss that was not finite, in words
};

}  // namespace zoo::train
