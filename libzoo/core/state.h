// What a thing needs to continue exactly where it was: named arrays and JSON values. Everything a Run tracks
// implements the pair of members below; checkpoints hold nothing else.
//
//   zoo::State state = stream.state();   …   other.restore(state);
#pragma once

#include <libzoo/core/array.h>
#include <libzoo/core/json.h>

#include <concepts>

namespace zoo {

struct State {
  Arrays arrays;
  Json values = Json::object();
};

// restore throws Error if the state is not one of this kind of thing, and then leaves it as it was.
template <class T>
concept Stateful = requires(T& thing, const T& constant, const State& state) {
  { constant.state() } -> std::convertible_to<State>;
  thing.restore(state);
};

}  // namespace zoo
