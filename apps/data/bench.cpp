// zoo data describe and zoo data bench: a recipe's stream without the training.
#include "apps/data/verbs.h"
#include <libzoo/core/error.h>
#include <libzoo/data/echo_model.h>
#include <libzoo/data/loader.h>

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <ctime>

namespace zoo::apps {
namespace {

data::Loader open_loader(const data::DatasetPointer& set, const BenchDataOptions& o, uint64_t seed) {
  data::TrainTransform transform{.mode = data::TrainMode::inception, .precrop = o.resolution, .crop = o.resolution};
  transform.scaled_decode = o.data.scaled_decode;
  return data::Loader(set, data::image_transform(transform), o.data,
                      {.batch_size = o.batch_size, .seed = seed, .replacement = o.batch_size > set->size()});
}

double rounded(double value) { return value == 0 ? 0 : std::round(value * 1000) / 1000; }

// Work and deliveries of each stage between two reports; seconds and shares of `wall` seconds.
Json stage_rows(const std::vector<data::StageReport>& before, const std::vector<data::StageReport>& after, double wall) {
  Json rows = Json::array();
  for (size_t i = 0; i < after.size(); ++i) {
    const data::StageReport &b = before[i], &a = after[i];
    rows.push_back({{"stage", a.name},
                    {"items/s", rounded(double(a.items - b.items) / wall)},
                    {"threads", a.threads},
                    {"busy %", std::round(1000 * (a.work_seconds - b.work_seconds) / (wall * a.threads)) / 10},
                    {"waited %", std::round(1000 * (a.wait_seconds - b.wait_seconds) / wall) / 10},
                    {"held", rounded(a.occupancy)},
                    {"room for", a.capacity}});
  }
  return rows;
}

}  // namespace

Json describe_data(const BenchDataOptions& options, const Context& context) {
  const auto set = data::open_dataset(options.train);
  const auto size = set->typical_size();
  Json names = Json::array();
  for (int64_t label = 0; label < std::min<int64_t>(set->num_classes(), 10); ++label) names.push_back(set->class_name(label));
  if (set->num_classes() > 10) names.push_back("…");
  return {{"set", set->describe()},
          {"pictures", set->size()},
          {"classes", set->num_classes()},
          {"names", names},
          {"typical size", fmt::format("{}x{}", size.height, size.width)},
          {"stream", open_loader(set, options, context.seed).describe()}};
}

Json bench_data(const BenchDataOptions& options, const Context& context) {
  using Clock = std::chrono::steady_clock;
  const auto set = data::open_dataset(options.train);
  auto loader = open_loader(set, options, context.seed);
  const auto begun = Clock::now();
  loader.next();
  const double first_batch = std::chrono::duration<double>(Clock::now() - begun).count();

  const auto before = loader.reports();
  const auto start = Clock::now();
  const std::clock_t processor = std::clock();
  int64_t batches = 0, pictures = 0;
  double wall = 0;
  while (wall < options.seconds) {
    pictures += loader.next()->images.size(0);
    ++batches;
    wall = std::chrono::duration<double>(Clock::now() - start).count();
  }
  const auto after = loader.reports();
  int64_t fresh = 0;
  for (size_t i = 0; i < after.size(); ++i)
    if (after[i].name == data::kReadStage) fresh = after[i].items - before[i].items;
  const double upstream = wall * double(options.batch_size) / double(std::max<int64_t>(fresh, 1));
  Json result = {{"set", set->describe()},
                 {"pictures/s", rounded(double(pictures) / wall)},
                 {"fresh pictures/s", rounded(double(fresh) / wall)},
                 {"processor seconds per 1000", rounded(1000 * double(std::clock() - processor) / CLOCKS_PER_SEC / double(pictures))},
                 {"first batch s", rounded(first_batch)},
                 {"seconds per fresh batch", rounded(upstream)},
                 {"stages", stage_rows(before, after, wall)}};
  if (options.step_seconds > 0) {
    const std::vector<data::UpstreamStage> stages = {{upstream, 1}};
    const data::ThroughputOptions times{.downstream_seconds = options.step_seconds, .max_factor = options.data.echo.max_factor};
    const double factor = data::throughput_model(stages, times, std::vector<double>{1}).recommended_factor;
    const auto model = data::throughput_model(stages, times, std::vector<double>{factor});
    result["R"] = rounded(model.ratio);
    result["suggested echo factor"] = factor;
    result["steps come so many times as fast"] = rounded(model.gain.at(0));
  }
  return result;
}

}  // namespace zoo::apps
