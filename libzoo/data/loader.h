// The training data of a recipe: batches of pictures as the key `data` asks for them, echoed, measured, and resumable.
//
//   data::Loader loader(train, {.height = 32, .width = 32, .apply = augment}, options.data, {.batch_size = 64, .seed = run.seed("data")});
//   run.track("data", loader);
//   while (auto batch = loader.next()) …
//
// With `echo: {factor: auto}` it compares the time that reading takes with the time between two calls of next() and sets the
// factor by the adaptive rule. The factors used are in echo_changes(); given back as `echo.schedule` they repeat the run.
#pragma once

#include <libzoo/core/json_fwd.h>
#include <libzoo/data/image_batches.h>
#include <libzoo/data/loader_options.h>

namespace zoo::data {

struct LoaderPlan {
  int64_t batch_size = 64;
  uint64_t seed = 0;          // of order, augmentation and echoing
  bool drop_last = false;     // an epoch's short last batch; without echoing
  bool replacement = false;   // independent draws
  std::optional<Shard> shard = {};
  BatchPart part = {};        // of every batch of batch_size
};

class Loader {
 public:
  // Endless. Throws UserError if the options don't fit each other or the set.
  Loader(DatasetPointer dataset, ImageTransform transform, const LoaderOptions& options, const LoaderPlan& plan);

  std::optional<ImageBatch> next();

  State state() const;
  void restore(const State& state);  // throws Error as Stream::restore does, and then leaves this as it was
  std::string describe() const { return stream_.describe(); }
  std::vector<StageReport> reports() const { return stream_.reports(); }
  double echo_factor() const { return control_ ? control_->factor() : factor_; }
  std::vector<EchoChange> echo_changes() const;  // from which item on each factor was used
  int64_t fresh() const { return fresh_; }                // pictures delivered so far, each counted once however often it is echoed
  Json echo_summary() const;                     // {factor, schedule: [{fresh, factor}]}; null without auto and schedule

  // Since they were asked last: items a second and items held of every stage, and the share of the time that next() waited.
  std::vector<std::pair<std::string, double>> measurements();
  std::string note() const { return note_; }  // the most telling of them

 private:
  void measure();

  std::shared_ptr<EchoControl> control_;
  double factor_;
  EchoPlacement placement_;
  int64_t batch_size_;
  Stream<ImageBatch> stream_;
  int64_t fresh_ = 0;
  // The window that is being measured.
  std::optional<Meter::Clock::time_point> handed_over_;
  double outside_seconds_ = 0;  // between two calls of next()
  int64_t steps_ = 0;
  std::vector<StageReport> window_start_;
  // Since measurements() was called.
  Meter::Clock::time_point asked_ = Meter::Clock::now();
  double waited_seconds_ = 0;
  std::vector<StageReport> reported_;
  std::string note_;
};

}  // namespace zoo::data
