// The environments that come with the library, by name: minatar/asterix, minatar/breakout, minatar/freeway, minatar/seaquest,
// minatar/space_invaders, pendulum; and atari/<rom> through a plug-in of the user's (rl/ale.h).
#pragma once

#include <libzoo/core/checks.h>
#include <libzoo/rl/environment.h>

#include <filesystem>
#include <optional>

namespace zoo::rl {

struct EnvironmentOptions {
  std::optional<double> sticky_action_prob;
  bool difficulty_ramping = true;
  bool minimal_actions = false;
  bool screen = false;
  int64_t stack = 0;
  int64_t time_limit = 0;
  std::filesystem::path ale_plugin;
  std::filesystem::path roms;
};

template <class Field>
void fields(Field& field, EnvironmentOptions& o) {
  field("sticky_action_prob", o.sticky_action_prob,
        "probability that the last action is repeated; per step in MinAtar (0.1 if not given), per frame in Atari (0.25)",
        between(0.0, 1.0));
  field("difficulty_ramping", o.difficulty_ramping, "let Asterix, Seaquest and Space Invaders of MinAtar grow harder");
  field("minimal_actions", o.minimal_actions, "offer only the actions that do something in this game");
  field("screen", o.screen, "MinAtar as grey pictures of 84x84 pixels instead of planes");
  field("stack", o.stack, "the last so many grey pictures as the channels of an observation, oldest first; 0: no stack", between(0, 16));
  field("time_limit", o.time_limit, "steps after which an episode is truncated; 0: the environment's own, if it has one", non_negative());
  field("ale_plugin", o.ale_plugin, "shared library that gives access to the Arcade Learning Environment, for atari/…");
  field("roms", o.roms, "folder of the Atari ROMs, <name>.bin");
}

std::vector<std::string> environment_names();  // those that need no plug-in

// Throws UserError for a name that is none, naming the nearest, and for options that do not go with it.
std::unique_ptr<Environment> make_environment(const std::string& name, const EnvironmentOptions& options = {});

}  // namespace zoo::rl
