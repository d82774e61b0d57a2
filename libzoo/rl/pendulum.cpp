#include <libzoo/core/error.h>
#include <libzoo/core/random.h>
#include <libzoo/rl/fields.h>
#include <libzoo/rl/pendulum.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace zoo::rl {
namespace {

constexpr double kPi = std::numbers::pi, kTimeStep = 0.05, kMaxTorque = 2, kMaxVelocity = 8;
constexpr int64_t kSteps = 200;

double wrap(double angle) {  // to [-π, π)
  const double turned = std::fmod(angle + kPi, 2 * kPi);
  return (turned < 0 ? turned + 2 * kPi : turned) - kPi;
}

double number(const Json& values, const char* name) {
  const Json& value = field_of(values, name);
  if (!value.is_number() || !std::isfinite(value.get<double>())) throw Error(fmt::format("`{}` in the saved state is no number", name));
  return value.get<double>();
}

class Pendulum final : public Environment {
 public:
  Pendulum() { reset(); }

  const EnvironmentSpec& spec() const override { return spec_; }
  void seed(uint64_t seed) override { random_ = RandomStream({.seed = seed_ = seed}); }

  void reset() override {
    state_.angle = random_.uniform(-kPi, kPi);
    state_.velocity = random_.uniform(-1, 1);
    steps_ = 0;
  }

  using Environment::step;
  StepResult step(std::span<const float> action) override {
    if (action.size() != 1) throw Error(fmt::format("pendulum takes one number as its action, got {}", action.size()));
    const double reward = pendulum_step(state_, action[0]);
    return {.reward = reward, .truncated = ++steps_ >= kSteps};
  }

  void observe(void* to) const override {
    const auto observation = state_.observation();
    std::copy(observation.begin(), observation.end(), static_cast<float*>(to));
  }

  std::string text() const override {
    constexpr int kWidth = 21, kHeight = 11;
    std::string text;
    for (int y = 0; y < kHeight; ++y) text += std::string(kWidth, '.') + '\n';
    for (int i = 0; i <= 10; ++i) {
      const double length = 0.1 * i;
      const int x = int(std::lround(10 + 10 * length * std::sin(state_.angle)));
      const int y = int(std::lround(5 - 5 * length * std::cos(state_.angle)));
      text[size_t(y * (kWidth + 1) + x)] = i == 0 ? 'o' : i == 10 ? '@' : '#';
    }
    return text;
  }

  io::Image picture() const override {
    constexpr int kSize = 160, kLength = 60;  // pixels
    io::Image image{kSize, kSize, 3, std::vector<uint8_t>(size_t(kSize * kSize * 3), 250)};
    const double along_x = std::sin(state_.angle), along_y = -std::cos(state_.angle);
    for (int y = 0; y < kSize; ++y)
      for (int x = 0; x < kSize; ++x) {
        const double dx = x + 0.5 - kSize / 2., dy = y + 0.5 - kSize / 2.;
        const double along = std::clamp(dx * along_x + dy * along_y, 0., double(kLength));
        const double off_rod = std::hypot(dx - along * along_x, dy - along * along_y), off_axis = std::hypot(dx, dy);
        constexpr uint8_t kRod[3] = {204, 77, 77}, kAxis[3] = {20, 20, 20};
        if (off_axis < 3)
          std::copy_n(kAxis, 3, image.row(y) + 3 * x);
        else if (off_rod < 8)
          std::copy_n(kRod, 3, image.row(y) + 3 * x);
      }
    return image;
  }

  State state() const override {
    State state;
    state.values = {{"name", spec_.name}, {"angle", state_.angle}, {"velocity", state_.velocity},
                    {"steps", steps_},    {"seed", seed_},         {"position", random_.position()}};
    return state;
  }

  void restore(const State& state) override {
    check_state_name(state, spec_.name);
    const PendulumState next{number(state.values, "angle"), number(state.values, "velocity")};
    const int64_t steps = integer_field(state.values, "steps", 0, kSteps);
    const int64_t position = integer_field(state.values, "position", 0, int64_t(1) << 34);
    const Json& seed = field_of(state.values, "seed");
    if (!seed.is_number_unsigned()) throw Error("`seed` in the saved state of pendulum is no seed");
    this->seed(seed.get<uint64_t>());
    random_.seek(uint64_t(position));
    state_ = next;
    steps_ = steps;
  }

 private:
  EnvironmentSpec spec_{.name = "pendulum",
                        .observation = {.type = DType::f32, .shape = {3}},
                        .action = {.size = 1, .low = -kMaxTorque, .high = kMaxTorque},
                        .time_limit = kSteps};
  PendulumState state_;
  uint64_t seed_ = 0;
  RandomStream random_{RandomKey{}};
  int64_t steps_ = 0;
};

}  // namespace

std::array<double, 3> PendulumState::observation() const { return {std::cos(angle), std::sin(angle), velocity}; }

double pendulum_step(PendulumState& state, double torque) {
  const double u = std::clamp(torque, -kMaxTorque, kMaxTorque), angle = wrap(state.angle);
  const double cost = angle * angle + 0.1 * state.velocity * state.velocity + 0.001 * u * u;
  state.velocity = std::clamp(state.velocity + (15 * std::sin(state.angle) + 3 * u) * kTimeStep, -kMaxVelocity, kMaxVelocity);
  state.angle += state.velocity * kTimeStep;
  return -cost;
}

std::unique_ptr<Environment> make_pendulum() { return std::make_unique<Pendulum>(); }

}  // namespace zoo::rl
