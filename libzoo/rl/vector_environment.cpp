#include <libzoo/core/error.h>
#include <libzoo/core/random.h>
#include <libzoo/rl/parallel.h>
#include <libzoo/rl/vector_environment.h>

#include <fmt/format.h>

namespace zoo::rl {
namespace {

void check_size(const char* name, size_t got, size_t wanted) {
  if (got != wanted) throw Error(fmt::format("{} of a batch of environments needs {} items, got {}", name, wanted, got));
}

std::string lane_prefix(size_t lane) { return fmt::format("lanes.{}.", lane); }

}  // namespace

uint64_t numbered_seed(uint64_t seed, int64_t number) {
  const auto words = philox4x32({uint32_t(number), uint32_t(uint64_t(number) >> 32), 0, 0}, {uint32_t(seed), uint32_t(seed >> 32)});
  return uint64_t(words[1]) << 32 | words[0];
}

VectorEnvironment::VectorEnvironment(const EnvironmentMaker& make, int64_t lanes, uint64_t seed, int threads) {
  if (lanes < 1 || threads < 1)
    throw Error(fmt::format("environments need at least one lane and one thread, got {} and {}", lanes, threads));
  for (int64_t i = 0; i < lanes; ++i) {
    lanes_.push_back(make());
    lanes_.back()->seed(numbered_seed(seed, i));
  }
  if (threads > 1) pool_ = std::make_unique<ThreadPool>(threads - 1);  // the caller is one of them
}

void VectorEnvironment::reset(std::span<std::byte> observation) {
  const size_t bytes = spec().observation.bytes();
  check_size("observation", observation.size(), bytes * lanes_.size());
  in_parts(pool_.get(), lanes_.size(), [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) {
      lanes_[i]->reset();
      lanes_[i]->observe(observation.data() + i * bytes);
    }
  });
}

void VectorEnvironment::check(const StepBatch& to) const {
  const size_t lanes = lanes_.size(), bytes = spec().observation.bytes() * lanes;
  check_size("observation", to.observation.size(), bytes);
  check_size("reward", to.reward.size(), lanes);
  check_size("terminal", to.terminal.size(), lanes);
  check_size("truncated", to.truncated.size(), lanes);
  if (!to.final_observation.empty()) check_size("final_observation", to.final_observation.size(), bytes);
}

template <class ActionOf>
void VectorEnvironment::step_all(ActionOf action_of, const StepBatch& to) {
  check(to);
  const size_t bytes = spec().observation.bytes();
  in_parts(pool_.get(), lanes_.size(), [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) {
      Environment& lane = *lanes_[i];
      const StepResult result = lane.step(action_of(i));
      to.reward[i] = float(result.reward);
      to.terminal[i] = result.terminal;
      to.truncated[i] = result.truncated;
      if (result.done()) {
        if (!to.final_observation.empty()) lane.observe(to.final_observation.data() + i * bytes);
        lane.reset();
      }
      lane.observe(to.observation.data() + i * bytes);
    }
  });
}

void VectorEnvironment::step(std::span<const int64_t> actions, const StepBatch& to) {
  check_size("actions", actions.size(), lanes_.size());
  step_all([&](size_t i) { return actions[i]; }, to);
}

void VectorEnvironment::step(std::span<const float> actions, const StepBatch& to) {
  const size_t size = size_t(spec().action.size);
  check_size("actions", actions.size(), lanes_.size() * size);
  step_all([&](size_t i) { return actions.subspan(i * size, size); }, to);
}

State VectorEnvironment::state() const {
  State all;
  Json values = Json::array();
  for (size_t i = 0; i < lanes_.size(); ++i) {
    State one = lanes_[i]->state();
    for (auto& [name, array] : one.arrays) all.arrays[lane_prefix(i) + name] = std::move(array);
    values.push_back(std::move(one.values));
  }
  all.values["lanes"] = std::move(values);
  return all;
}

void VectorEnvironment::restore(const State& state) {
  if (!state.values.is_object() || !state.values.contains("lanes") || !state.values["lanes"].is_array() ||
      state.values["lanes"].size() != lanes_.size())
    throw Error(fmt::format("the state is not one of {} lanes of {}", lanes_.size(), spec().name));
  const State before = this->state();
  const auto restore_all = [&](const State& from) {
    for (size_t i = 0; i < lanes_.size(); ++i) {
      State one;
      one.values = from.values["lanes"][i];
      const std::string prefix = lane_prefix(i);
      for (auto entry = from.arrays.lower_bound(prefix); entry != from.arrays.end() && entry->first.starts_with(prefix); ++entry)
        one.arrays[entry->first.substr(prefix.size())] = entry->second;
      lanes_[i]->restore(one);
    }
  };
  try {
    restore_all(state);
  } catch (...) {
    restore_all(before);
    throw;
  }
}

}  // namespace zoo::rl
