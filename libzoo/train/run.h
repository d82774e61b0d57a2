// A run: its directory, checkpoints, resume, signals, metrics, progress and result. The training loop stays plain code:
//
//   train::Run run({.directory = "runs/demo", .seed = 1, .config = options_json});
//   run.track("model", *model);  run.track("optimizer", sgd);  run.track("data", batches);
//   for (int64_t step : run.steps(total)) {       // continues where the last run stopped; ends early, saved, on SIGTERM
//     …
//     run.log(step, {{"loss", loss}, {"learning_rate", rate}});   // tensors are read back only when a line is written
//   }
//   if (run.interrupted()) return;                // saved; --resume continues
//   run.save_model([&](auto& path) { io::save_weights(path, …); });
//   run.finish({{"top1", accuracy}});
//
// Directory: config.yaml manifest.json log.txt metrics.jsonl result.json model.safetensors tensorboard/ checkpoints/
// samples/. docs/checkpoints.md says what each holds and what survives a crash.
#pragma once

#include <libzoo/core/state.h>
#include <libzoo/train/run_options.h>
#include <libzoo/train/value.h>

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <initializer_list>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace torch::nn {
class Module;
}
namespace zoo::io {
struct Image;
}

namespace zoo::train {

class Run;

// Things that measure themselves while they work, as data::Loader does: numbers since they were asked last, and the few
// words of them that belong into the progress line.
struct Measurements {
  std::vector<std::pair<std::string, double>> values;
  std::string note;
};
template <class T>
concept Measured = requires(T& thing) {
  { thing.measurements() } -> std::convertible_to<std::vector<std::pair<std::string, double>>>;
  { thing.note() } -> std::convertible_to<std::string>;
};

// The steps that are left, as a range of int64_t. Leave the loop through its end; after a `break` or an exception the
// step in flight counts as not done.
class Steps {
 public:
  class Iterator {
   public:
    int64_t operator*() const { return step_; }
    Iterator& operator++();
    bool operator==(std::default_sentinel_t) const { return done_; }

   private:
    friend class Steps;
    Run* run_ = nullptr;
    int64_t step_ = 0;
    bool done_ = false;
  };
  Iterator begin();
  std::default_sentinel_t end() const { return {}; }

 private:
  friend class Run;
  explicit Steps(Run& run) : run_(&run) {}
  Run* run_;
};

// Tells the run that the loop waits for data while this lives.
class DataWait {
 public:
  explicit DataWait(Run& run);
  ~DataWait();
  DataWait(const DataWait&) = delete;
  DataWait& operator=(const DataWait&) = delete;

 private:
  Run& run_;
  int64_t started_;
};

class Run {
 public:
  // Makes and locks the directory, seeds LibTorch's generators, sets the thread count, takes over SIGINT and SIGTERM.
  // Throws UserError if the directory exists and neither resume nor overwrite was asked for, if another process holds
  // it, if it is resumed with another configuration (the differing keys are named), or if the device is not there.
  explicit Run(RunOptions options);
  ~Run();
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  // What checkpoints hold, by a name of letters, digits, '_', '-' and '.'. Before the first steps(); `thing` outlives
  // the loop. Parameters and buffers of a module are restored by name; every missing, unexpected or mis-shaped one is
  // reported. LibTorch's own random generators are tracked without being asked.
  template <Stateful T>
  void track(std::string name, T& thing) {
    if constexpr (Measured<T>) watch(name, [&thing] { return Measurements{thing.measurements(), thing.note()}; });
    track(std::move(name), [&thing] { return State(thing.state()); }, [&thing](const State& state) { thing.restore(state); });
  }
  void track(std::string name, torch::nn::Module& module);
  void track(std::string name, std::function<State()> save, std::function<void(const State&)> restore);
  // Every log_every steps its values become metrics of the step, named "<name>/…", and its note ends the progress line.
  void watch(std::string name, std::function<Measurements()> measure);

  // Steps first_step() … total-1. The first call restores the newest complete checkpoint if the run is resumed; one
  // that is damaged is put aside with a warning and the one before it taken. A later call continues where the earlier
  // ended. A checkpoint at step s means that the steps below s are done. One is written every checkpoint_every steps,
  // at the end, and when a signal asks to stop; then the range ends, and throws Error if that one can't be written.
  Steps steps(int64_t total);

  // Values of one step; several calls for a step make one line. A value that is not finite is reported once, loudly;
  // if its name contains "loss" the run ends with an Error naming the step (RunOptions::stop_on_nan).
  void log(int64_t step, std::initializer_list<std::pair<const char*, Value>> values);
  void log(int64_t step, const NamedValues& values);
  // The same for an evaluation. If `best` names one of the values, the checkpoint after the step with the best value so
  // far is kept. Returns whether this one is the best. Call it at the end of a step, or after the loop with step = total.
  bool evaluation(int64_t step, const NamedValues& values, const std::string& best = {}, bool higher_is_better = true);

  void save_image(const std::string& name, const io::Image& image);           // samples/<name>.png
  void image(int64_t step, const std::string& name, const io::Image& image);  // TensorBoard
  [[nodiscard]] DataWait waiting_for_data() { return DataWait(*this); }

  at::Device device() const;
  uint64_t seed(std::string_view name) const;   // derive_seed(options.seed, name)
  int64_t first_step() const;                   // where this session starts; 0 before steps()
  bool interrupted() const;                     // a signal has asked to stop
  const std::shared_ptr<const dist::Group>& group() const;  // the ranks that train together; null: this process alone
  bool writes() const;                          // rank 0, or alone: the directory is this one's
  bool dry_run() const;                         // steps() yields one step; nothing is left on disk
  bool finished() const;                        // resumed, and done already: steps() is empty, nothing is written
  const Json& result() const;                   // what finish() was given, here or in the run that is already done
  const std::filesystem::path& directory() const;

  void note_parameters(const std::string& name, int64_t count);  // for the manifest; tracked modules are counted anyway

  // Calls `write` with a temporary path and moves the file to model.safetensors. A failure is reported by finish().
  void save_model(const std::function<void(const std::filesystem::path&)>& write);

  // Writes result.json and marks the run as done. Throws Error if the last checkpoint, the model or the result could
  // not be written. After a signal the run stays resumable and nothing is written.
  void finish(const Json& result);

  // {parameters, tracked_bytes, peak_memory_bytes, steps, steps_per_second, device, threads}; once steps() has ended.
  Json dry_run_report() const;

 private:
  friend class Steps;
  friend class Steps::Iterator;
  friend class DataWait;
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace zoo::train
