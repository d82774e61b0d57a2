// zoo-offline-rl: agents from logs of play. Log, train, evaluate, compare, and tools for logs.
#include "apps/common/program.h"
#include "apps/offline_rl/compare.h"

#include <libzoo/core/error.h>
#include <libzoo/io/apng.h>
#include <libzoo/io/atomic_file.h>
#include <libzoo/offline_rl/fitted_q.h>
#include <libzoo/offline_rl/log.h>
#include <libzoo/offline_rl/log_tools.h>
#include <libzoo/offline_rl/train.h>
#include <libzoo/rl/render.h>
#include <libzoo/train/device.h>

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <thread>

namespace {

using namespace zoo;

struct EvaluateOptions {
  std::filesystem::path checkpoint;
  offline_rl::PlayOptions play;
  std::filesystem::path log;
  offline_rl::FittedQOptions fitted_q;
};

template <class Field>
void fields(Field& field, EvaluateOptions& o) {
  field("checkpoint", o.checkpoint, "model.safetensors of an agent", required(), existing_file());
  field("play", o.play, "how it is judged");
  field("log", o.log, "also: what it would earn, estimated by fitted Q evaluation from this log", existing_path());
  field("fitted_q", o.fitted_q, "how that is estimated");
}

struct PlayBackOptions {
  std::filesystem::path checkpoint;
  std::string random;
  double epsilon = 0.001;
  int64_t max_steps = 1000;
  std::filesystem::path picture;
  bool terminal = true;
  double frames_per_second = 12;
};

template <class Field>
void fields(Field& field, PlayBackOptions& o) {
  field("checkpoint", o.checkpoint, "model.safetensors of an agent", existing_file());
  field("random", o.random, "instead: the environment in which random actions are shown");
  field("epsilon", o.epsilon, "probability of a random action", between(0.0, 1.0));
  field("max_steps", o.max_steps, "after which the episode is cut", at_least(1));
  field("picture", o.picture, "file for an animated PNG of the episode; empty: none");
  field("terminal", o.terminal, "show it as text");
  field("frames_per_second", o.frames_per_second, "of both", between(0.5, 60.0));
}

inline void check(const PlayBackOptions& o, Problems& problems) {
  if (o.checkpoint.empty() == o.random.empty()) problems.add("checkpoint", "either checkpoint or random must be given");
}

struct ConvertOptions {
  std::optional<int64_t> stack;
  int64_t actions = 0;
  std::string environment;
};

template <class Field>
void fields(Field& field, ConvertOptions& o) {
  field("stack", o.stack, "frames of a state; unset: as about.json beside the shards says, else 4", at_least(1));
  field("actions", o.actions, "of the game; 0: as about.json says, else one more than the largest", non_negative());
  field("environment", o.environment, "in which agents are evaluated: atari/pong …");
}

struct NoOptions {};
template <class Field>
void fields(Field&, NoOptions&) {}

Json evaluate_agent(const EvaluateOptions& o, const apps::Context& context) {
  const auto agent = offline_rl::load_agent(o.checkpoint, train::resolve_device(context.device));
  const auto played = offline_rl::play_episodes(agent, o.play, context.seed, std::max(1, context.threads));
  Json result = {{"agent", agent.kind()},   {"environment", agent.environment.name}, {"episodes", int64_t(played.episodes.size())},
                 {"steps", played.steps()}, {"return", played.mean_return()},        {"standard error", played.standard_error()}};
  if (o.log.empty()) return result;
  if (!agent.values) throw UserError("fitted Q evaluation is there for agents that value discrete actions");
  const auto fitted =
      offline_rl::fitted_q_evaluation(offline_rl::ReplayLog(offline_rl::open_log(o.log)), *agent.values, o.fitted_q, context.seed);
  result["fitted value"] = fitted.value;
  result["log's value"] = fitted.log_value;
  return result;
}

Json play_back(const PlayBackOptions& o, const apps::Context& context) {
  offline_rl::Agent agent;
  rl::RecordOptions record{.seed = context.seed, .max_steps = o.max_steps, .epsilon = o.epsilon};
  if (o.checkpoint.empty()) {
    agent.environment.name = o.random;
    record.epsilon = 1;
  } else {
    agent = offline_rl::load_agent(o.checkpoint, train::resolve_device(context.device));
  }
  rl::Policy policy;
  if (agent.values || agent.actor) policy = agent.policy();
  const auto shown = rl::record(offline_rl::maker_of(agent.environment), policy, record);
  if (o.terminal && !context.quiet && !context.json) {
    const bool live = isatty(STDOUT_FILENO);
    for (size_t i = 0; i < shown.texts.size(); ++i) {
      std::printf("%s%s\n", live ? "\033[H\033[2J" : "", shown.terminal_frame(i).c_str());
      std::fflush(stdout);
      if (live) std::this_thread::sleep_for(std::chrono::duration<double>(1 / o.frames_per_second));
    }
  }
  Json result = {{"environment", agent.environment.name}, {"steps", shown.episode.steps}, {"return", shown.episode.total}};
  if (!o.picture.empty()) {
    io::write_file(o.picture,
                   std::span<const uint8_t>(io::encode_apng(shown.pictures, {.frame_milliseconds = int(1000 / o.frames_per_second)})));
    result["picture"] = o.picture.string();
  }
  return result;
}

Json inspect(const NoOptions&, const apps::Context& context) { return offline_rl::inspect_log(context.arguments.at(0)); }

Json verify(const NoOptions&, const apps::Context& context) {
  const Json result = offline_rl::verify_log(context.arguments.at(0));
  if (result.at("problems").empty()) return result;
  std::string all;
  for (const Json& problem : result.at("problems")) all += "\n  " + problem.get<std::string>();
  throw UserError(fmt::format("{} of {} parts are damaged:{}", result.at("problems").size(), result.at("checked").get<int64_t>(), all),
                  "get those files again");
}

// Folders of shards, or files of RL Unplugged episodes, and last the folder to make.
Json convert(const ConvertOptions& o, const apps::Context& context) {
  const auto& words = context.arguments;
  if (words.size() < 2) throw UserError("what is to be converted, and to where?", context.program + " replay_logs/ OUT, or run_1-* OUT");
  const std::filesystem::path first = words.front(), to = words.back();
  if (std::filesystem::exists(to)) throw UserError(to.string() + ": is there already", "name a new folder");
  const bool shards = std::filesystem::is_directory(first);
  if (shards && words.size() != 2) throw UserError("one folder of shards at a time", context.program + " replay_logs/ OUT");
  auto options = shards ? offline_rl::about_shards(first) : offline_rl::ConvertOptions{};
  options.stack = o.stack.value_or(options.stack);
  if (o.actions > 0) options.actions = o.actions;
  if (!o.environment.empty()) {
    offline_rl::EnvironmentChoice choice;
    choice.name = o.environment;
    choice.stack = options.stack > 1 ? options.stack : 0;
    options.environment = offline_rl::environment_text(choice);
  }
  if (shards)
    offline_rl::convert_shards(first, to, options);
  else
    offline_rl::convert_unplugged({words.begin(), words.end() - 1}, to, options);
  return offline_rl::inspect_log(to);
}

}  // namespace

int main(int argc, char** argv) {
  using namespace zoo::apps;
  const std::vector<FlagKey> checkpoint = {{"--checkpoint", "checkpoint"}};
  const auto checkpoints = [](const auto& options, train::RunOptions& run) {
    run.checkpoint_every = options.checkpoint_every;
    run.log_every = 100;
  };
  return main_program(
      "zoo-offline-rl", "Agents from logs of play, without touching the game: REM and its rivals.",
      {run_verb<offline_rl::LogOptions>("log", "plays, learning or not, and writes it all as shards", offline_rl::log_play,
                                        {.run_options = checkpoints, .may_change = {"checkpoint_every"}}),
       run_verb<offline_rl::TrainOptions>("train", "an agent from a log alone", offline_rl::train_offline,
                                          {.run_options = checkpoints, .may_change = {"checkpoint_every"}}),
       plain_verb<EvaluateOptions>("evaluate", "what an agent earns", evaluate_agent, {.flags = checkpoint}),
       run_verb<CompareOptions>("compare", "agents and seeds over one log: a table with intervals, and curves", compare),
       plain_verb<NoOptions>("inspect", "what is in a log", inspect, {.arguments = "PATH"}),
       plain_verb<NoOptions>("verify", "reads all of a log and tells what is damaged", verify, {.arguments = "PATH"}),
       plain_verb<ConvertOptions>("convert", "shards or TFRecords to mapped files", convert, {.arguments = "IN…"}),
       plain_verb<PlayBackOptions>("play", "an episode in the terminal, and as an animated picture", play_back, {.flags = checkpoint}),
       run_verb<CompareOptions>("demo", "logs a game, then learns it anew from the log with three agents", compare,
                                {.recipe = "offline_rl/demo"})},
      argc, argv);
}
