#include <libzoo/core/error.h>
#include <libzoo/core/suggest.h>
#include <libzoo/rl/ale.h>
#include <libzoo/rl/catalogue.h>
#include <libzoo/rl/minatar.h>
#include <libzoo/rl/pendulum.h>
#include <libzoo/rl/wrappers.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace zoo::rl {
namespace {

constexpr std::string_view kMinAtar = "minatar/", kAtari = "atari/";

void require(bool good, const std::string& name, const char* option, const char* why) {
  if (!good) throw UserError(fmt::format("{}: {}", option, why), fmt::format("leave {} out for {}", option, name));
}

std::unique_ptr<Environment> minatar_of(const std::string& name, const EnvironmentOptions& o) {
  auto game = make_minatar(name.substr(kMinAtar.size()),
                           {.sticky_action_prob = o.sticky_action_prob.value_or(0.1), .difficulty_ramping = o.difficulty_ramping});
  if (o.screen) return with_screen(std::move(game));
  return game;
}

std::unique_ptr<Environment> atari_of(const std::string& name, const EnvironmentOptions& o) {
  if (o.ale_plugin.empty() || o.roms.empty())
    throw UserError(fmt::format("{} needs an emulator and a ROM, which do not come with libzoo", name),
                    "set ale_plugin to a plug-in as libzoo/rl/ale_plugin.h describes, and roms to the folder of your ROMs");
  AtariOptions options;
  options.repeat_action_probability = o.sticky_action_prob.value_or(options.repeat_action_probability);
  return make_atari(open_ale(o.ale_plugin, o.roms / (name.substr(kAtari.size()) + ".bin")), options);
}

std::unique_ptr<Environment> base(const std::string& name, const EnvironmentOptions& o) {
  if (name.starts_with(kMinAtar)) return minatar_of(name, o);
  require(!o.screen, name, "screen", "only MinAtar has planes to make pictures of");
  if (name.starts_with(kAtari)) return atari_of(name, o);
  require(!o.sticky_action_prob, name, "sticky_action_prob", "only MinAtar and Atari have sticky actions");
  if (name == "pendulum") return make_pendulum();
  throw UserError(fmt::format("there is no environment `{}`{}", name, did_you_mean(name, environment_names())),
                  fmt::format("one of {}, or atari/… with a plug-in", fmt::join(environment_names(), ", ")));
}

}  // namespace

std::vector<std::string> environment_names() {
  std::vector<std::string> names;
  for (const auto& game : minatar_games()) names.push_back(std::string(kMinAtar) + game);
  names.push_back("pendulum");
  return names;
}

std::unique_ptr<Environment> make_environment(const std::string& name, const EnvironmentOptions& options) {
  auto environment = base(name, options);
  if (options.minimal_actions) environment = with_minimal_actions(std::move(environment));
  if (options.stack > 0) environment = with_stack(std::move(environment), options.stack);
  if (options.time_limit > 0) environment = with_time_limit(std::move(environment), options.time_limit);
  return environment;
}

}  // namespace zoo::rl
