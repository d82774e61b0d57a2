#include <libzoo/core/error.h>
#include <libzoo/rl/fields.h>
#include <libzoo/rl/wrappers.h>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace zoo::rl {
namespace {

// Passes everything on.
class Wrapper : public Environment {
 public:
  explicit Wrapper(std::unique_ptr<Environment> inner) : inner_(std::move(inner)), spec_(inner_->spec()) {}

  const EnvironmentSpec& spec() const override { return spec_; }
  void seed(uint64_t seed) override { inner_->seed(seed); }
  void reset() override { inner_->reset(); }
  StepResult step(int64_t action) override { return inner_->step(action); }
  StepResult step(std::span<const float> action) override { return inner_->step(action); }
  void observe(void* to) const override { inner_->observe(to); }
  std::string text() const override { return inner_->text(); }
  io::Image picture() const override { return inner_->picture(); }
  State state() const override { return inner_->state(); }
  void restore(const State& state) override { inner_->restore(state); }

 protected:
  std::unique_ptr<Environment> inner_;
  EnvironmentSpec spec_;
};

class MinimalActions final : public Wrapper {
 public:
  explicit MinimalActions(std::unique_ptr<Environment> inner) : Wrapper(std::move(inner)), actions_(spec_.action.minimal) {
    if (!spec_.action.discrete()) throw UserError(fmt::format("{} has continuous actions: there is no minimal set of them", spec_.name));
    spec_.action.count = int64_t(actions_.size());
    for (int64_t i = 0; i < spec_.action.count; ++i) spec_.action.minimal[size_t(i)] = i;
  }
  using Wrapper::step;
  StepResult step(int64_t action) override {
    check_action(action, spec_);
    return inner_->step(actions_[size_t(action)]);
  }

 private:
  std::vector<int64_t> actions_;
};

class TimeLimit final : public Wrapper {
 public:
  TimeLimit(std::unique_ptr<Environment> inner, int64_t steps) : Wrapper(std::move(inner)) {
    if (steps < 1) throw UserError(fmt::format("{}: a time limit must be at least one step, is {}", spec_.name, steps));
    spec_.time_limit = spec_.time_limit > 0 ? std::min(steps, spec_.time_limit) : steps;
  }
  void reset() override {
    steps_ = 0;
    inner_->reset();
  }
  StepResult step(int64_t action) override { return limited(inner_->step(action)); }
  StepResult step(std::span<const float> action) override { return limited(inner_->step(action)); }

  State state() const override {
    State state = inner_->state();
    state.values["steps_of_episode"] = steps_;
    return state;
  }
  void restore(const State& state) override {
    const int64_t steps = integer_field(state.values, "steps_of_episode", 0, spec_.time_limit);
    inner_->restore(state);
    steps_ = steps;
  }

 private:
  StepResult limited(StepResult result) {
    if (++steps_ >= spec_.time_limit && !result.terminal) result.truncated = true;
    return result;
  }
  int64_t steps_ = 0;
};

class Screen final : public Wrapper {
 public:
  explicit Screen(std::unique_ptr<MinAtar> inner)
      : Wrapper(std::move(inner)), channels_(size_t(spec_.observation.shape[2])), planes_(spec_.observation.bytes()) {
    spec_.observation = {.type = DType::u8, .shape = {kScreenSide, kScreenSide, 1}};
  }
  void observe(void* to) const override {
    inner_->observe(planes_.data());
    uint8_t* out = static_cast<uint8_t*>(to);
    std::array<uint8_t, kSide> cells;
    int64_t drawn = -1;  // the row of cells in `out` last
    for (int64_t y = 0; y < kScreenSide; ++y, out += kScreenSide) {
      if (const int64_t row = y * kSide / kScreenSide; row == drawn) {
        std::copy_n(out - kScreenSide, kScreenSide, out);
      } else {
        for (int64_t x = 0; x < kSide; ++x) cells[size_t(x)] = grey(planes_.data() + size_t(row * kSide + x) * channels_);
        for (int64_t x = 0; x < kScreenSide; ++x) out[x] = cells[size_t(x * kSide / kScreenSide)];
        drawn = row;
      }
    }
  }

 private:
  static constexpr int64_t kSide = 10;

  // 255 for the first channel, in equal steps down to 255 / channels for the last; 0 for an empty cell.
  uint8_t grey(const uint8_t* cell) const {
    for (size_t c = 0; c < channels_; ++c)
      if (cell[c]) return uint8_t(255 * (channels_ - c) / channels_);
    return 0;
  }

  size_t channels_;
  mutable std::vector<uint8_t> planes_;
};

class FrameStack final : public Wrapper {
 public:
  FrameStack(std::unique_ptr<Environment> inner, int64_t frames) : Wrapper(std::move(inner)), frames_(size_t(frames)) {
    const auto& shape = spec_.observation.shape;
    if (frames < 1 || spec_.observation.type != DType::u8 || shape.size() != 3 || shape[2] != 1)
      throw UserError(fmt::format("{}: only grey pictures are stacked, one or more of them", spec_.name),
                      "MinAtar has such pictures with screen: true; its planes need no stack");
    pixels_ = spec_.observation.bytes();
    spec_.observation.shape[2] = frames;
    stack_.resize(pixels_ * frames_);
    frame_.resize(pixels_);
    push();
  }
  void reset() override {
    inner_->reset();
    std::fill(stack_.begin(), stack_.end(), uint8_t(0));
    push();
  }
  StepResult step(int64_t action) override { return pushed(inner_->step(action)); }
  StepResult step(std::span<const float> action) override { return pushed(inner_->step(action)); }
  void observe(void* to) const override { std::copy(stack_.begin(), stack_.end(), static_cast<uint8_t*>(to)); }

  State state() const override {
    State state = inner_->state();
    state.arrays["stack"] = Array::of<uint8_t>({int64_t(stack_.size())}, stack_);
    return state;
  }
  void restore(const State& state) override {
    const auto stack = state.arrays.find("stack");
    if (stack == state.arrays.end() || stack->second.bytes() != stack_.size())
      throw Error(fmt::format("the state of {} has no stack of {} frames", spec_.name, frames_));
    const auto pixels = stack->second.span<uint8_t>();
    inner_->restore(state);
    std::copy(pixels.begin(), pixels.end(), stack_.begin());
  }

 private:
  StepResult pushed(StepResult result) {
    push();
    return result;
  }
  // Every pixel's values move one place towards the oldest.
  void push() {
    inner_->observe(frame_.data());
    for (size_t i = 0; i < pixels_; ++i) {
      uint8_t* pixel = stack_.data() + i * frames_;
      for (size_t k = 0; k + 1 < frames_; ++k) pixel[k] = pixel[k + 1];
      pixel[frames_ - 1] = frame_[i];
    }
  }

  size_t frames_, pixels_ = 0;
  std::vector<uint8_t> stack_, frame_;
};

}  // namespace

std::unique_ptr<Environment> with_minimal_actions(std::unique_ptr<Environment> inner) {
  return std::make_unique<MinimalActions>(std::move(inner));
}
std::unique_ptr<Environment> with_time_limit(std::unique_ptr<Environment> inner, int64_t steps) {
  return std::make_unique<TimeLimit>(std::move(inner), steps);
}
std::unique_ptr<Environment> with_screen(std::unique_ptr<MinAtar> inner) { return std::make_unique<Screen>(std::move(inner)); }
std::unique_ptr<Environment> with_stack(std::unique_ptr<Environment> inner, int64_t frames) {
  return std::make_unique<FrameStack>(std::move(inner), frames);
}

std::string grey_text(std::span<const uint8_t> pixels, int64_t side) {
  constexpr std::string_view kDensity = " .:-=+*#%@";
  std::string text;
  for (int64_t y = 0; y + 4 <= side; y += 4) {
    for (int64_t x = 0; x + 2 <= side; x += 2) {
      int64_t sum = 0;
      for (int64_t i = 0; i < 8; ++i) sum += pixels[size_t((y + i / 2) * side + x + i % 2)];
      text += kDensity[size_t(sum * int64_t(kDensity.size() - 1) / (8 * 255))];
    }
    text += '\n';
  }
  return text;
}

}  // namespace zoo::rl
