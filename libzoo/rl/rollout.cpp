#include <libzoo/core/error.h>
#include <libzoo/core/random.h>
#include <libzoo/rl/parallel.h>
#include <libzoo/rl/rollout.h>

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <optional>
#include <string>

namespace zoo::rl {
namespace {

void check(const EvaluationOptions& o, const Policy& policy) {
  const auto refuse = [](const std::string& what) { throw UserError("evaluation: " + what); };
  if (o.min_steps <= 0 && o.episodes < 1) refuse(fmt::format("episodes must be at least 1, is {}", o.episodes));
  if (o.max_steps < 1) refuse(fmt::format("max_steps must be at least 1, is {}", o.max_steps));
  if (!(o.epsilon >= 0 && o.epsilon <= 1)) refuse(fmt::format("epsilon must lie in [0, 1], is {}", o.epsilon));
  if (o.lanes < 1 || o.groups < 1 || o.threads < 1)
    refuse(fmt::format("lanes, groups and threads must be at least 1, are {}, {} and {}", o.lanes, o.groups, o.threads));
  if (!policy && o.epsilon < 1) refuse("there is no policy");
}

// An episode being played.
struct Lane {
  int64_t number;
  std::unique_ptr<Environment> game;
  RandomStream exploration;
  Episode result = {};
};

class Group {
 public:
  Group(const EnvironmentMaker& make, const Policy& policy, const EvaluationOptions& options, std::span<Episode> results, int64_t first,
        int64_t number)
      : make_(make), policy_(policy), options_(options), results_(results), first_(first), next_(number) {}

  void play() {
    while (true) {
      while (int64_t(lanes_.size()) < options_.lanes && next_ < int64_t(results_.size())) start();
      if (lanes_.empty()) return;
      choose();
      step();
    }
  }

 private:
  void start() {
    const int64_t number = first_ + next_;
    const uint64_t seed = numbered_seed(options_.seed, number);
    lanes_.push_back({number, make_(), RandomStream({.seed = derive_seed(seed, "exploration")})});
    Environment& game = *lanes_.back().game;
    game.seed(seed);
    game.reset();
    next_ += options_.groups;
  }

  // Fills actions_ or values_.
  void choose() {
    const EnvironmentSpec& spec = lanes_.front().game->spec();
    const size_t rows = lanes_.size(), bytes = spec.observation.bytes();
    episodes_.resize(rows);
    steps_.resize(rows);
    actions_.resize(spec.action.discrete() ? rows : 0);
    values_.resize(rows * size_t(spec.action.size));
    for (size_t i = 0; i < rows; ++i) {
      episodes_[i] = lanes_[i].number;
      steps_[i] = lanes_[i].result.steps;
    }
    if (!spec.action.discrete() || options_.epsilon < 1) {
      observations_.resize(rows * bytes);
      for (size_t i = 0; i < rows; ++i) lanes_[i].game->observe(observations_.data() + i * bytes);
      policy_({observations_, episodes_, steps_, actions_, values_});
    }
    if (options_.epsilon > 0 && spec.action.discrete())
      for (size_t i = 0; i < rows; ++i) {
        RandomStream& random = lanes_[i].exploration;
        const bool explore = random.uniform64() <= options_.epsilon;
        const auto action = int64_t(random.below(uint64_t(spec.action.count)));
        if (explore) actions_[i] = action;
      }
  }

  void step() {
    const size_t size = size_t(lanes_.front().game->spec().action.size);
    size_t kept = 0;
    for (size_t i = 0; i < lanes_.size(); ++i) {
      Lane& lane = lanes_[i];
      const StepResult result =
          size ? lane.game->step(std::span<const float>(values_).subspan(i * size, size)) : lane.game->step(actions_[i]);
      lane.result.total += result.reward;
      ++lane.result.steps;
      if (result.done() || lane.result.steps >= options_.max_steps) {
        lane.result.terminal = result.terminal;
        results_[size_t(lane.number - first_)] = lane.result;
      } else {
        if (kept != i) lanes_[kept] = std::move(lane);
        ++kept;
      }
    }
    lanes_.erase(lanes_.begin() + std::ptrdiff_t(kept), lanes_.end());
  }

  const EnvironmentMaker& make_;
  const Policy& policy_;
  const EvaluationOptions& options_;
  std::span<Episode> results_;  // of episodes first_, first_ + 1, …
  int64_t first_, next_;        // next_: counted from first_
  std::vector<Lane> lanes_;
  std::vector<std::byte> observations_;
  std::vector<int64_t> episodes_, steps_, actions_;
  std::vector<float> values_;
};

// Episodes first … first + results.size() - 1.
void play(const EnvironmentMaker& make, const Policy& policy, const EvaluationOptions& options, std::span<Episode> results, int64_t first,
          ThreadPool* pool) {
  std::atomic<int64_t> next = 0;
  in_parts(pool, size_t(options.threads), [&](size_t, size_t) {
    for (int64_t number; (number = next++) < options.groups;) Group(make, policy, options, results, first, number).play();
  });
}

}  // namespace

Evaluation evaluate(const EnvironmentMaker& make, const Policy& policy, const EvaluationOptions& options) {
  check(options, policy);
  std::optional<ThreadPool> threads;
  if (options.threads > 1) threads.emplace(options.threads - 1);
  ThreadPool* pool = threads ? &*threads : nullptr;
  Evaluation all;
  if (options.min_steps <= 0) {
    all.episodes.resize(size_t(options.episodes));
    play(make, policy, options, all.episodes, 0, pool);
    return all;
  }
  for (int64_t steps = 0; steps < options.min_steps;) {
    std::vector<Episode> more(size_t(options.groups * options.lanes));
    play(make, policy, options, more, int64_t(all.episodes.size()), pool);
    for (size_t i = 0; i < more.size() && steps < options.min_steps; ++i) {
      all.episodes.push_back(more[i]);
      steps += more[i].steps;
    }
  }
  return all;
}

int64_t Evaluation::steps() const {
  int64_t sum = 0;
  for (const Episode& episode : episodes) sum += episode.steps;
  return sum;
}

double Evaluation::mean_return() const {
  double sum = 0;
  for (const Episode& episode : episodes) sum += episode.total;
  return episodes.empty() ? std::numeric_limits<double>::quiet_NaN() : sum / double(episodes.size());
}

double Evaluation::standard_error() const {
  const double mean = mean_return(), n = double(episodes.size());
  double squares = 0;
  for (const Episode& episode : episodes) squares += (episode.total - mean) * (episode.total - mean);
  return std::sqrt(squares / std::max(n - 1, 1.0) / n);
}

}  // namespace zoo::rl
