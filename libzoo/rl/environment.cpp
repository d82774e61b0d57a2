#include <libzoo/core/error.h>
#include <libzoo/rl/environment.h>

#include <fmt/format.h>

namespace zoo::rl {

StepResult Environment::step(int64_t) {
  throw Error(fmt::format("{} takes actions of {} numbers, not discrete ones", spec().name, spec().action.size));
}

StepResult Environment::step(std::span<const float>) {
  throw Error(fmt::format("{} takes discrete actions 0 … {}, not continuous ones", spec().name, spec().action.count - 1));
}

void check_action(int64_t action, const EnvironmentSpec& spec) {
  if (action < 0 || action >= spec.action.count)
    throw Error(fmt::format("{} has the actions 0 … {}, got {}", spec.name, spec.action.count - 1, action));
}

}  // namespace zoo::rl
