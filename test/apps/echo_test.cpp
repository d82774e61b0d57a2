// zoo-echo: a small learning curve through the real program, and the whole one as it is documented.
#include "test/process.h"
#include <libzoo/core/json.h>

using namespace zoo::test;

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
