// zoo-offline-rl through the files it leaves: logs, runs that are stopped and go on, a comparison, tools, and what it refuses.
#include "test/process.h"
#include <libzoo/core/json.h>
#include <libzoo/io/safetensors.h>
#include <libzoo/offline_rl/replay_shard.h>

#include <csignal>

using namespace zoo::test;

namespace {

using zoo::Json;

std::vector<std::string> joined(std::vector<std::string> words, const std::vector<std::string>& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

std::vector<std::string> log_words(const std::string& out, const std::vector<std::string>& more = {}) {
  return joined({"log", "--out", out, "--seed", "3", "--threads", "1", "--quiet", "--config", "offline_rl/minatar_log", "steps=600",
                 "online.warmup_steps=100", "online.epsilon_decay_steps=100", "shard_rows=250"},
                more);
}

std::vector<std::string> train_words(const std::string& out, const std::string& log, const std::vector<std::string>& more = {}) {
  return joined({"train", "--out", out, "--seed", "4", "--threads", "1", "--quiet", "--config", "offline_rl/minatar_small", "log=" + log,
                 "updates=60", "evaluate_every=30", "evaluation.episodes=6"},
                more);
}

Json result_of(const std::vector<std::string>& words) {
  const auto said = run("zoo-offline-rl", joined(words, {"--json"}));
  INFO(said.err);
  REQUIRE(said.status == 0);
  return zoo::parse_json(said.out, "result");
}

std::string complaint(const std::vector<std::string>& words) {
  const auto said = run("zoo-offline-rl", words);
  CHECK(said.status == 2);
  CHECK_THAT(said.err, Contains("error:"));
  return said.err;
}

void same_model(const std::filesystem::path& a, const std::filesystem::path& b) {
  const auto one = zoo::io::read_safetensors(zoo::io::map_file(a / "model.safetensors"), "a"),
             two = zoo::io::read_safetensors(zoo::io::map_file(b / "model.safetensors"), "b");
  REQUIRE(one.tensors.size() == two.tensors.size());
  for (const auto& [name, array] : one.tensors) {
    INFO(name);
    CHECK(std::equal(array.data(), array.data() + array.bytes(), two.tensors.at(name).data()));
  }
}

// Stops the program once its log has something to say of `steps` steps, and goes on.
void stop_and_resume(const TemporaryFolder& folder, std::vector<std::string> words, const std::string& out,
                     const std::string& metric_line) {
  Process program(folder / "stopped", "zoo-offline-rl", words);
  for (int i = 0; i < 3000 && read_text(folder / out / "metrics.jsonl").find(metric_line) == std::string::npos; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  program.signal(SIGTERM);
  REQUIRE(program.wait() == 0);
  CHECK_FALSE(std::filesystem::exists(folder / out / "result.json"));
  result_of(joined(words, {"--resume"}));
}

}  // namespace

TEST_CASE("a game is logged, inspected, learnt from, compared and shown", "[apps]") {
  const TemporaryFolder folder;
  const auto path = [&](const char* name) { return (folder / name).string(); };
  const Json logged = result_of(log_words(path("log")));
  CHECK(logged["steps"] == 600);
  CHECK(logged["shards"] == 3);
  const std::string log = path("log") + "/replay_logs";
  CHECK(result_of({"inspect", log})["shards"].size() == 3);
  CHECK(result_of({"verify", log})["problems"].empty());

  const Json trained = result_of(train_words(path("rem"), log));
  CHECK(trained["curve"].size() == 2);
  CHECK(trained["log return"].get<double>() == Approx(logged["mean return"].get<double>()).margin(0.2));
  const Json judged =
      result_of({"evaluate", "--checkpoint", path("rem") + "/model.safetensors", "play.episodes=4", "log=" + log, "fitted_q.updates=20"});
  CHECK(judged["environment"] == "minatar/breakout");
  CHECK(judged.contains("fitted value"));
  const Json shown =
      result_of({"play", "--checkpoint", path("rem") + "/model.safetensors", "max_steps=5", "picture=" + path("episode.png")});
  CHECK(shown["steps"].get<int>() <= 5);
  CHECK(read_text(folder / "episode.png").substr(1, 3) == "PNG");

  const Json converted = result_of({"convert", log, path("raw")});
  CHECK(converted["rows"] == 600);
  const Json compared = result_of({"compare", "--out", path("compare"), "--quiet", "log=" + path("raw"), "config=offline_rl/minatar_small",
                                   "seeds=2", "options=[updates=20, evaluate_every=10, evaluation.episodes=4]",
                                   "runs=[{name: dqn, options: [agent.kind=dqn_adam], at_least: 1000}, {name: rem}]"});
  REQUIRE(compared["agents"].size() == 2);
  CHECK(compared["agents"][1]["low"] <= compared["agents"][1]["high"]);
  CHECK(compared["bars missed"].size() == 2);  // nobody earns 1000
  CHECK_THAT(read_text(folder / "compare" / "curves.svg"), Contains("rem") && Contains("polyline"));

  std::filesystem::resize_file(log + "/$store$_reward_ckpt.1.gz", 40);
  CHECK_THAT(complaint({"verify", log}), Contains("1 of 3 parts are damaged") && Contains("$store$_reward_ckpt.1.gz"));
  CHECK_THAT(complaint(train_words(path("other"), path("raw"), {"environment.name=minatar/seaquest"})), Contains("minatar/seaquest"));
  CHECK_THAT(complaint(train_words(path("other"), path("nowhere"))), Contains("nowhere"));
  CHECK_THAT(complaint(train_words(path("other"), path("raw"), {"agent={type: actor_critic}"})), Contains("agent.type=values"));
}

TEST_CASE("logging and training go on after SIGTERM bit for bit", "[apps]") {
  const TemporaryFolder folder;
  const auto path = [&](const char* name) { return (folder / name).string(); };
  result_of(log_words(path("whole"), {"steps=1500"}));
  stop_and_resume(folder, log_words(path("broken"), {"steps=1500"}), "broken", "return");
  same_model(folder / "whole", folder / "broken");
  for (int64_t suffix : {0, 3, 6}) {
    const auto name = "replay_logs/" + zoo::offline_rl::shard_file_name(zoo::offline_rl::ShardArray::observation, suffix);
    CHECK(read_text(folder / "whole" / name) == read_text(folder / "broken" / name));
  }
  const std::string log = path("whole") + "/replay_logs";
  result_of(train_words(path("trained"), log, {"updates=1000", "evaluate_every=500"}));
  stop_and_resume(folder, train_words(path("stopped"), log, {"updates=1000", "evaluate_every=500"}), "stopped", "\"loss\"");
  same_model(folder / "trained", folder / "stopped");
}

TEST_CASE("a killed log loses its unfinished shard and no other", "[apps]") {
  const TemporaryFolder folder;
  {
    Process program(folder / "log", "zoo-offline-rl",
                    log_words((folder / "run").string(), {"steps=100000", "shard_rows=200", "online.update_every=50"}));
    const auto third = folder / "run" / "replay_logs" / "$store$_observation_ckpt.2.gz";
    for (int i = 0; i < 15000 && !std::filesystem::exists(third); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(2));
    program.signal(SIGKILL);
    program.wait();
  }
  const std::string log = (folder / "run" / "replay_logs").string();
  const Json inspected = result_of({"inspect", log});
  CHECK(inspected["shards"].size() >= 3);
  for (const Json& shard : inspected["shards"]) CHECK(shard["rows"] == 200);
  result_of(train_words((folder / "trained").string(), log, {"updates=4", "evaluate_every=0"}));
}

TEST_CASE("a pendulum is logged and swung up from the log, by the same verbs", "[apps]") {
  const TemporaryFolder folder;
  const auto path = [&](const char* name) { return (folder / name).string(); };
  const std::vector<std::string> common = {"--seed", "1", "--threads", "1", "--quiet"};
  const auto logged = result_of(
      joined({"log", "--out", path("log"), "--config", "offline_rl/pendulum_log", "steps=450", "online.warmup_steps=300", "shard_rows=200"},
             common));
  CHECK(logged["episodes"] == 2);
  const std::string log = path("log") + "/replay_logs";
  CHECK(result_of({"inspect", log})["transitions"] == 450);
  for (const char* agent : {"td3", "rem_td3", "td3_bc"}) {
    const auto trained =
        result_of(joined({"train", "--out", path(agent), "--config", "offline_rl/pendulum_td3", "log=" + log, "updates=20",
                          "evaluate_every=10", "evaluation.episodes=2", "normalize_states=true", "agent.kind=" + std::string(agent)},
                         common));
    CHECK(trained["best return"].get<double>() < 0);
  }
  const auto judged = result_of({"evaluate", "--checkpoint", path("td3_bc") + "/model.safetensors", "play.episodes=2"});
  CHECK(judged["agent"] == "td3_bc");
  CHECK_THAT(complaint({"train", "--out", path("x"), "log=" + log}), Contains("agent.type=actor_critic"));
}
