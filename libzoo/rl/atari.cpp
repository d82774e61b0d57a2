#include <libzoo/core/error.h>
#include <libzoo/core/random.h>
#include <libzoo/rl/atari.h>
#include <libzoo/rl/fields.h>
#include <libzoo/rl/wrappers.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace zoo::rl {

void grayscale(std::span<const uint8_t> rgb, std::span<uint8_t> grey) {
  if (rgb.size() != 3 * grey.size()) throw Error(fmt::format("{} bytes of RGB do not make {} of grey", rgb.size(), grey.size()));
  for (size_t i = 0; i < grey.size(); ++i)
    grey[i] = uint8_t(std::lround(0.2989 * rgb[3 * i] + 0.5870 * rgb[3 * i + 1] + 0.1140 * rgb[3 * i + 2]));
}

std::vector<AreaResize::Span> AreaResize::spans(int64_t from, int64_t to) {
  if (from < 1 || to < 1) throw Error(fmt::format("a side of {} pixels cannot become {}", from, to));
  std::vector<Span> all;
  const double scale = double(from) / double(to);
  for (int64_t i = 0; i < to; ++i) {
    const double begin = double(i) * scale, end = std::min(double(i + 1) * scale, double(from));
    Span span{int64_t(begin), {}};
    for (int64_t j = span.first; double(j) < end; ++j)
      span.weights.push_back(float((std::min(end, double(j + 1)) - std::max(begin, double(j))) / (end - begin)));
    all.push_back(std::move(span));
  }
  return all;
}

AreaResize::AreaResize(int64_t height, int64_t width, int64_t new_height, int64_t new_width)
    : width_(width), rows_(spans(height, new_height)), columns_(spans(width, new_width)) {}

void AreaResize::operator()(const uint8_t* from, uint8_t* to) const {
  std::vector<float> row(static_cast<size_t>(width_));
  for (const Span& span : rows_) {
    std::fill(row.begin(), row.end(), 0.f);
    for (size_t i = 0; i < span.weights.size(); ++i) {
      const uint8_t* line = from + (span.first + int64_t(i)) * width_;
      for (int64_t x = 0; x < width_; ++x) row[size_t(x)] += span.weights[i] * float(line[x]);
    }
    for (const Span& across : columns_) {
      float sum = 0;
      for (size_t i = 0; i < across.weights.size(); ++i) sum += across.weights[i] * row[size_t(across.first) + i];
      *to++ = uint8_t(std::clamp(std::lround(sum), 0l, 255l));
    }
  }
}

ScreenPool::ScreenPool(int64_t height, int64_t width, int64_t frame_skip, int64_t size)
    : frame_skip_(frame_skip), screen_(static_cast<size_t>(height * width)), resize_(height, width, size, size), buffers_(2 * screen_) {
  if (frame_skip < 2) throw Error(fmt::format("frame_skip must be at least 2 to pool two frames, is {}", frame_skip));
}

void ScreenPool::reset(std::span<const uint8_t> screen) {
  std::copy(screen.begin(), screen.end(), buffers_.begin());
  std::fill(buffers_.begin() + std::ptrdiff_t(screen_), buffers_.end(), uint8_t(0));
}

void ScreenPool::capture(int64_t frame, std::span<const uint8_t> screen) {
  if (screen.size() != screen_) throw Error(fmt::format("a screen of {} pixels was expected, got {}", screen_, screen.size()));
  std::copy(screen.begin(), screen.end(), buffers_.begin() + (frame == frame_skip_ ? std::ptrdiff_t(screen_) : 0));
}

void ScreenPool::pool() {
  for (size_t i = 0; i < screen_; ++i) buffers_[i] = std::max(buffers_[i], buffers_[screen_ + i]);
}

namespace {

class Atari final : public Environment {
 public:
  Atari(std::unique_ptr<Console> console, const AtariOptions& options)
      : options_(options),
        console_(std::move(console)),
        actions_(console_->minimal_actions()),
        rgb_(static_cast<size_t>(console_->height() * console_->width() * 3)),
        grey_(rgb_.size() / 3),
        pool_(console_->height(), console_->width(), options.frame_skip, options.screen_size),
        sticky_(options.repeat_action_probability) {
    if (actions_.empty()) throw Error(fmt::format("{} offers no actions", console_->name()));
    spec_ = {.name = "atari/" + console_->name(),
             .observation = {.type = DType::u8, .shape = {options.screen_size, options.screen_size, 1}},
             .action = {.count = int64_t(actions_.size())},
             .time_limit = options.time_limit};
    for (int64_t i = 0; i < spec_.action.count; ++i) spec_.action.minimal.push_back(i);
    reset();
  }

  const EnvironmentSpec& spec() const override { return spec_; }

  void seed(uint64_t seed) override { seed_ = seed, random_ = RandomStream({.seed = seed}); }

  void reset() override {
    console_->reset();
    sticky_.reset();
    steps_ = 0;
    fetch();
    pool_.reset(grey_);
    pool_.pool();
  }

  using Environment::step;
  StepResult step(int64_t action) override {
    check_action(action, spec_);
    StepResult result;
    for (int64_t frame = 1; frame <= options_.frame_skip; ++frame) {
      result.reward += console_->act(actions_[size_t(sticky_.execute(action, random_.uniform64()))]);
      if (console_->game_over()) {
        result.terminal = true;
        break;
      }
      if (pool_.wants(frame)) {
        fetch();
        pool_.capture(frame, grey_);
      }
    }
    pool_.pool();
    ++steps_;
    result.truncated = !result.terminal && options_.time_limit > 0 && steps_ >= options_.time_limit;
    return result;
  }

  void observe(void* to) const override { pool_.write(static_cast<uint8_t*>(to)); }

  std::string text() const override {
    std::vector<uint8_t> pixels(spec_.observation.bytes());
    pool_.write(pixels.data());
    return grey_text(pixels, options_.screen_size);
  }

  io::Image picture() const override {
    io::Image image{console_->height(), console_->width(), 3, std::vector<uint8_t>(rgb_.size())};
    console_->screen(image.pixels);
    return image;
  }

  State state() const override {
    State state;
    const auto console = console_->save();
    const auto buffers = pool_.buffers();
    state.arrays["console"] = Array::of<uint8_t>({int64_t(console.size())}, console);
    state.arrays["screens"] = Array::of<uint8_t>({int64_t(buffers.size())}, buffers);
    state.values = {{"name", spec_.name}, {"seed", seed_}, {"position", random_.position()}, {"steps", steps_}, {"last", sticky_.last()}};
    return state;
  }

  void restore(const State& state) override {
    check_state_name(state, spec_.name);
    const auto console = state.arrays.find("console"), screens = state.arrays.find("screens");
    if (console == state.arrays.end() || screens == state.arrays.end() || screens->second.bytes() != pool_.buffers().size())
      throw Error(fmt::format("the state of {} has no machine and screens", spec_.name));
    constexpr int64_t kMax = int64_t(1) << 60;
    const auto seed = field_of(state.values, "seed");
    const int64_t position = integer_field(state.values, "position", 0, kMax);
    const int64_t steps = integer_field(state.values, "steps", 0, kMax);
    const int64_t last = integer_field(state.values, "last", 0, spec_.action.count - 1);
    if (!seed.is_number_unsigned()) throw Error(fmt::format("the state of {} has no seed", spec_.name));
    const auto pixels = screens->second.span<uint8_t>();
    console_->load(console->second.span<uint8_t>());
    this->seed(seed.get<uint64_t>());
    random_.seek(uint64_t(position));
    std::copy(pixels.begin(), pixels.end(), pool_.buffers().begin());
    steps_ = steps;
    sticky_.set_last(last);
  }

 private:
  void fetch() {
    console_->screen(rgb_);
    grayscale(rgb_, grey_);
  }

  AtariOptions options_;
  EnvironmentSpec spec_;
  std::unique_ptr<Console> console_;
  std::vector<int64_t> actions_;
  std::vector<uint8_t> rgb_, grey_;
  ScreenPool pool_;
  StickyActions sticky_;
  uint64_t seed_ = 0;
  RandomStream random_{RandomKey{}};
  int64_t steps_ = 0;
};

}  // namespace

std::unique_ptr<Environment> make_atari(std::unique_ptr<Console> console, const AtariOptions& options) {
  return std::make_unique<Atari>(std::move(console), options);
}

}  // namespace zoo::rl
