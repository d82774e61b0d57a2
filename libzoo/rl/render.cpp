#include <libzoo/rl/render.h>

#include <fmt/format.h>

#include <numeric>

namespace zoo::rl {
namespace {

// Looks over the shoulder of the environment that evaluate() plays.
class Recorded final : public Environment {
 public:
  Recorded(std::unique_ptr<Environment> inner, Recording& to) : inner_(std::move(inner)), to_(to) {}

  const EnvironmentSpec& spec() const override { return inner_->spec(); }
  void seed(uint64_t seed) override { inner_->seed(seed); }
  void reset() override {
    inner_->reset();
    look();
  }
  StepResult step(int64_t action) override { return seen(inner_->step(action)); }
  StepResult step(std::span<const float> action) override { return seen(inner_->step(action)); }
  void observe(void* to) const override { inner_->observe(to); }
  std::string text() const override { return inner_->text(); }
  io::Image picture() const override { return inner_->picture(); }
  State state() const override { return inner_->state(); }
  void restore(const State& state) override { inner_->restore(state); }

 private:
  StepResult seen(StepResult result) {
    look();
    to_.rewards.push_back(result.reward);
    return result;
  }
  void look() {
    to_.pictures.push_back(inner_->picture());
    to_.texts.push_back(inner_->text());
  }
  std::unique_ptr<Environment> inner_;
  Recording& to_;
};

}  // namespace

Recording record(const EnvironmentMaker& make, const Policy& policy, const RecordOptions& options) {
  Recording recording;
  const auto played = evaluate([&] { return std::make_unique<Recorded>(make(), recording); }, policy,
                               {.episodes = 1, .max_steps = options.max_steps, .epsilon = options.epsilon, .seed = options.seed});
  recording.episode = played.episodes.front();
  return recording;
}

std::string Recording::terminal_frame(size_t frame) const {
  const double total = std::accumulate(rewards.begin(), rewards.begin() + std::ptrdiff_t(frame), 0.0);
  return fmt::format("{}step {} of {}   return {:g}\n", texts.at(frame), frame, rewards.size(), total);
}

}  // namespace zoo::rl
