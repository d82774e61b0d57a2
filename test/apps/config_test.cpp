// What a person who mistypes sees.
#include "test/process.h"

using namespace zoo::test;

namespace {

int occurrences(const std::string& text, const std::string& part) {
  int n = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size())) ++n;
  return n;
}

}  // namespace

TEST_CASE("Five mistakes in one file are told in five lines with their places, and nothing is created", "[apps]") {
  TemporaryFolder folder;
  write_text(folder / "five.yaml", "data:\n  <<: {prefetch: 1}\n  wokers: 2\nsteps: many\nmomentum: 7\nbatch_size: 8\nbatch_size: 16\n");
  const auto said = run("zoo-bit", {"pretrain", "--config", folder / "five.yaml", "--out", folder / "run"});
  INFO(said.err);
  REQUIRE(said.status == 2);
  REQUIRE(said.out.empty());
  REQUIRE(std::count(said.err.begin(), said.err.end(), '\n') == 5);
  for (const char* place :
       {"five.yaml:2:3: ", "five.yaml:3:3: data.wokers", "five.yaml:4:8: steps", "five.yaml:5:11: momentum", "five.yaml:7:1: batch_size"}) {
    REQUIRE_THAT(said.err, Contains(place));
  }
  REQUIRE(occurrences(said.err, "did you mean") == 1);
  REQUIRE_THAT(said.err, Contains("did you mean 'workers'?"));
  REQUIRE(!std::filesystem::exists(folder / "run"));
}

TEST_CASE("A dumped configuration reads back to the same dump, origins included", "[apps]") {
  TemporaryFolder folder;
  const auto first = run("zoo-bit", {"pretrain", "--config", "bit/tiny_shapes", "steps=7", "data.workers=3", "--dump-config"});
  REQUIRE(first.status == 0);
  REQUIRE_THAT(first.out, Contains("steps: 7") && Contains("command line"));
  write_text(folder / "dump.yaml", first.out);
  const auto second = run("zoo-bit", {"pretrain", "--config", folder / "dump.yaml", "--dump-config"});
  REQUIRE(second.status == 0);
  REQUIRE(second.out == first.out);
}

TEST_CASE("Every verb explains itself, and a mistyped one is corrected", "[apps]") {
  for (const char* verb : {"pretrain", "finetune", "evaluate", "predict", "demo"}) {
    const auto said = run("zoo-bit", {verb, "--help"});
    INFO(verb);
    REQUIRE(said.status == 0);
    REQUIRE_THAT(said.out, Contains("--config") && Contains("batch_size"));
  }
  const auto said = run("zoo-bit", {"finetun"});
  REQUIRE(said.status == 2);
  REQUIRE_THAT(said.err, Contains("finetune"));
}
