// What the tests of environments share.
#pragma once

#include <libzoo/core/random.h>
#include <libzoo/rl/catalogue.h>

#include <cstring>
#include <vector>

namespace zoo::test {

inline std::vector<std::byte> observation_of(const rl::Environment& environment) {
  std::vector<std::byte> bytes(environment.spec().observation.bytes());
  environment.observe(bytes.data());
  return bytes;
}

// A random action of either kind; resets where an episode ends.
inline rl::StepResult random_step(rl::Environment& environment, RandomStream& random) {
  const auto& action = environment.spec().action;
  rl::StepResult result;
  if (action.discrete()) {
    result = environment.step(int64_t(random.below(uint64_t(action.count))));
  } else {
    std::vector<float> values(static_cast<size_t>(action.size));
    for (float& value : values) value = float(random.uniform(action.low, action.high));
    result = environment.step(std::span<const float>(values));
  }
  if (result.done()) environment.reset();
  return result;
}

// Everything that `steps` random steps show: observations, rewards, ends.
inline std::vector<std::byte> history(rl::Environment& environment, int steps, uint64_t seed) {
  RandomStream random({.seed = seed});
  std::vector<std::byte> all;
  for (int i = 0; i < steps; ++i) {
    const auto result = random_step(environment, random);
    const auto observation = observation_of(environment);
    all.insert(all.end(), observation.begin(), observation.end());
    std::byte raw[sizeof result.reward];
    std::memcpy(raw, &result.reward, sizeof raw);
    all.insert(all.end(), raw, raw + sizeof raw);
    all.push_back(std::byte(result.terminal + 2 * result.truncated));
  }
  return all;
}

}  // namespace zoo::test
