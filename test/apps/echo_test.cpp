// zoo-echo: a small learning curve through the real program, and the whole one as it is documented.
#include "test/process.h"
#include <libzoo/core/json.h>

#include <csignal>

using namespace zoo::test;

namespace {

std::vector<std::string> comparison(const std::string& out, std::vector<std::string> more) {
  std::vector<std::string> words = {"compare",
                                    "--quiet",
                                    "--out",
                                    out,
                                    "config=bit/tiny_shapes",
                                    "calibration_steps=20",
                                    "metric=loss",
                                    "lower_is_better=true",
                                    "options=[train.per_class=20, test=null, batch_size=16, steps=40, --threads, '1']"};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

}  // namespace

TEST_CASE("The learning curve judges its bars, and its exit status says what they said", "[apps]") {
  const TemporaryFolder folder;
  const auto said = run("zoo-echo", {"learning_curve", "fresh_items=1280", "longer=1", "shuffle_buffer=128", "validation_items=200",
                                     "seeds=1", "rates=[0.05]", "--threads", "1", "--quiet", "--out", folder / "run"});
  INFO(said.err);
  const zoo::Json result = zoo::parse_json(read_text(folder / "run/result.json"), "result.json");
  REQUIRE(result.at("conditions").size() == 8);
  REQUIRE(result.at("conditions")[0].at("F") == 1.0);
  REQUIRE_THAT(said.out, Contains("before, K = 128, e = 4"));
  bool passes = true;
  for (const auto& bar : result.at("bars")) {
    passes = passes && bar.at("passes").get<bool>();
    if (!bar.at("passes").get<bool>()) REQUIRE_THAT(said.err, Contains(bar.at("bar").get<std::string>()));
  }
  REQUIRE(said.status == (passes ? 0 : 1));
}

TEST_CASE("Echoing before augmentation needs fewer fresh items, whole batches in order save least", "[apps][slow]") {
  // The bars of the experiment; measured are F = .63 (e = 2), .51 (e = 4), .49 (e = 8), batch .94.
  const TemporaryFolder folder;
  const auto said = run("zoo-echo", {"learning_curve", "--threads", "2", "--quiet", "--out", folder / "run"});
  INFO(said.out << said.err);
  REQUIRE(said.status == 0);
}

TEST_CASE("compare trains to the target with each factor, and tells what each took", "[apps]") {
  const TemporaryFolder folder;
  const auto said = run("zoo-echo", comparison(folder / "run", {"target=10", "runs=[{factor: 1}, {factor: 3, options: [rate=0.02]}]"}));
  INFO(said.err);
  REQUIRE(said.status == 0);
  const zoo::Json result = zoo::parse_json(read_text(folder / "run/result.json"), "result.json");
  REQUIRE(result.at("runs").size() == 2);
  REQUIRE(result.at("runs")[1].at("F").is_number());
  REQUIRE_THAT(read_text(folder / "run/factor_3/config.yaml"), Contains("factor: \"3\"") && Contains("rate: 0.02"));
  REQUIRE_THAT(read_text(folder / "run/curves.svg"), Contains("e = 3") && Contains("</svg>"));

  const auto never = run("zoo-echo", comparison(folder / "never", {"target=0", "runs=[{factor: 1}]", "rate_limit=1e6"}));
  REQUIRE(never.status == 0);
  REQUIRE_THAT(never.out, Contains("not reached"));
}

TEST_CASE("compare says what keeps a run from training", "[apps]") {
  const TemporaryFolder folder;
  const auto misspelt = run("zoo-echo", comparison(folder / "misspelt", {"options=[batchsize=3]"}));
  REQUIRE(misspelt.status == 2);
  REQUIRE_THAT(misspelt.err, Contains("calibration: ended with exit status 2") && Contains("calibration.log"));
  REQUIRE_THAT(read_text(folder / "misspelt/calibration.log"), Contains("batchsize"));
  const auto nobody = run("zoo-echo", comparison(folder / "nobody", {"program=zoo-nobody"}));
  REQUIRE(nobody.status == 2);
  REQUIRE_THAT(nobody.err, Contains("zoo-nobody can't be started"));
  const auto unmeasured = run("zoo-echo", comparison(folder / "unmeasured", {"metric=f1", "rate_limit=1e6"}));
  REQUIRE(unmeasured.status == 2);
  REQUIRE_THAT(unmeasured.err, Contains("writes no metric 'f1'"));
}

TEST_CASE("compare that is asked to stop ends its run too, and goes on when resumed", "[apps]") {
  const TemporaryFolder folder;
  const auto words = comparison(folder / "run", {"target=0", "runs=[{factor: 1}]", "rate_limit=20"});
  Process program(folder / "log", "zoo-echo", words);
  while (program.running() && !std::filesystem::exists(folder / "run/factor_1/metrics.jsonl"))
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  program.signal(SIGTERM);
  REQUIRE(program.wait() == 0);
  REQUIRE(!std::filesystem::exists(folder / "run/result.json"));

  auto again = comparison(folder / "run", {"target=0", "runs=[{factor: 1}]", "rate_limit=20", "--resume"});
  Process resumed(folder / "log", "zoo-echo", again);
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  INFO(resumed.err());
  REQUIRE(resumed.running());
  resumed.signal(SIGTERM);
  REQUIRE(resumed.wait() == 0);
}
