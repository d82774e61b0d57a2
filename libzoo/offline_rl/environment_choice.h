// An environment by name, with its options, as recipes, logs and models name it.
#pragma once

#include <libzoo/core/error.h>
#include <libzoo/core/json.h>
#include <libzoo/core/options.h>
#include <libzoo/rl/catalogue.h>
#include <libzoo/rl/vector_environment.h>

#include <string>

namespace zoo::offline_rl {

struct EnvironmentChoice : rl::EnvironmentOptions {
  std::string name;
};

template <class Field>
void fields(Field& field, EnvironmentChoice& o) {
  field("name", o.name, "minatar/breakout, minatar/asterix, minatar/freeway, minatar/seaquest, minatar/space_invaders, pendulum, atari/…");
  fields(field, static_cast<rl::EnvironmentOptions&>(o));
}

// Emulators are opened when they are played, everything else is tried before a run begins.
inline void check(const EnvironmentChoice& o, Problems& problems) {
  if (o.name.empty() || o.name.starts_with("atari/")) return;
  try {
    rl::make_environment(o.name, o);
  } catch (const UserError& error) {
    problems.add("name", error.what() + (error.hint().empty() ? "" : "; " + error.hint()));
  }
}

inline rl::EnvironmentMaker maker_of(const EnvironmentChoice& choice) {
  return [choice] { return rl::make_environment(choice.name, choice); };
}

inline std::string environment_text(const EnvironmentChoice& choice) { return options_json(choice).dump(); }
// Throws UserError, `where` in its message, for what environment_text() does not write.
inline EnvironmentChoice environment_of(const std::string& text, const std::string& where) {
  EnvironmentChoice choice;
  if (!text.empty()) load_options(choice, {ConfigLayer::from_text(where, text)});
  return choice;
}

}  // namespace zoo::offline_rl
