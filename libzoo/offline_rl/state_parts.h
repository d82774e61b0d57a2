// States inside of a state: what an agent that consists of several things saves. For this room only.
#pragma once

#include <libzoo/core/state.h>

#include <string>

namespace zoo::offline_rl {

inline void put_part(State& state, const std::string& name, State part) {
  for (auto& [key, array] : part.arrays) state.arrays.insert_or_assign(name + '/' + key, std::move(array));
  state.values[name] = std::move(part.values);
}

inline State part_of(const State& state, const std::string& name) {
  State part;
  part.values = state.values.value(name, Json::object());
  const std::string prefix = name + '/';
  for (const auto& [key, array] : state.arrays)
    if (key.starts_with(prefix)) part.arrays.emplace(key.substr(prefix.size()), array);
  return part;
}

}  // namespace zoo::offline_rl
