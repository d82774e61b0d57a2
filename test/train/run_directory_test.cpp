#include "test/catch.h"
#include "test/process.h"

#include <libzoo/core/error.h>
#include <libzoo/train/run_directory.h>

using namespace zoo::test;

namespace fs = std::filesystem;
using zoo::Json;
using zoo::train::RunDirectory;
using zoo::train::RunOptions;

namespace {

void make_run(const fs::path& folder) {
  fs::create_directories(folder / "checkpoints" / "step-00000001");
  std::ofstream(folder / "manifest.json") << R"({"zoo_run": 1, "state": "running"})";
  std::ofstream(folder / "extra.txt") << "a program's own";
}

}  // namespace

TEST_CASE("A new run makes its directory and those above it", "[train]") {
  TemporaryFolder folder;
  RunDirectory run({.directory = folder.path() / "a" / "b"});
  REQUIRE(fs::is_directory(folder.path() / "a" / "b"));
  REQUIRE_FALSE(run.resumed());
}

TEST_CASE("An existing run is refused, resumed or replaced, as asked", "[train]") {
  TemporaryFolder folder;
  const fs::path path = folder.path() / "run";
  make_run(path);
  REQUIRE_THROWS_WITH(RunDirectory({.directory = path}), Contains("exists already"));
  REQUIRE(fs::exists(path / "checkpoints"));
  {
    RunDirectory run({.directory = path, .resume = true});
    REQUIRE(run.resumed());
    REQUIRE(run.manifest()["state"] == "running");
    REQUIRE(fs::exists(path / "checkpoints"));
  }
  RunDirectory run({.directory = path, .overwrite = true});
  REQUIRE_FALSE(run.resumed());
  REQUIRE_FALSE(fs::exists(path / "checkpoints"));
  REQUIRE_FALSE(fs::exists(path / "extra.txt"));
  REQUIRE_THROWS_WITH(RunDirectory({.directory = folder.path() / "x", .resume = true, .overwrite = true}), Contains("exclude each other"));
}

TEST_CASE("To resume what is not there starts a run", "[train]") {
  TemporaryFolder folder;
  REQUIRE_FALSE(RunDirectory({.directory = folder.path() / "new", .resume = true}).resumed());
  // Killed before the first manifest was in place.
  fs::create_directories(folder.path() / "early");
  std::ofstream(folder.path() / "early" / ".manifest.json.tmp-12-0") << "{";
  REQUIRE_FALSE(RunDirectory({.directory = folder.path() / "early", .resume = true}).resumed());
  REQUIRE_FALSE(fs::exists(folder.path() / "early" / ".manifest.json.tmp-12-0"));
}

TEST_CASE("A folder that is no run is never touched", "[train]") {
  TemporaryFolder folder;
  std::ofstream(folder.path() / "thesis.tex") << "years of work";
  SECTION("without a manifest") {}
  SECTION("with somebody else's manifest") { std::ofstream(folder.path() / "manifest.json") << R"({"name": "browser extension"})"; }
  SECTION("with a broken manifest") { std::ofstream(folder.path() / "manifest.json") << "{"; }
  for (bool overwrite : {true, false}) {
    REQUIRE_THROWS_WITH(RunDirectory({.directory = folder.path(), .resume = !overwrite, .overwrite = overwrite}),
                        Contains("is not the directory of a run"));
  }
  REQUIRE(fs::exists(folder.path() / "thesis.tex"));
  REQUIRE_FALSE(fs::exists(folder.path() / ".lock"));
}

TEST_CASE("What an interrupted removal left can be overwritten, not resumed", "[train]") {
  TemporaryFolder folder;
  fs::create_directories(folder.path() / "run" / "checkpoints");
  REQUIRE_THROWS_WITH(RunDirectory({.directory = folder.path() / "run", .resume = true}), Contains("nothing to resume"));
  RunDirectory({.directory = folder.path() / "run", .overwrite = true});
  REQUIRE_FALSE(fs::exists(folder.path() / "run" / "checkpoints"));
}

TEST_CASE("Overwriting refuses links, the root, homes and the current directory", "[train]") {
  TemporaryFolder folder;
  make_run(folder.path() / "run");
  fs::create_directory_symlink(folder.path() / "run", folder.path() / "link");
  REQUIRE_THROWS_WITH(RunDirectory({.directory = folder.path() / "link", .overwrite = true}), Contains("a symbolic link"));
  REQUIRE_THROWS_WITH(RunDirectory({.directory = folder.path() / "link" / "", .overwrite = true}), Contains("a symbolic link"));
  REQUIRE_THROWS_WITH(RunDirectory({.directory = "/", .overwrite = true}), Contains("root"));
  REQUIRE_THROWS_WITH(RunDirectory({.directory = ".", .overwrite = true}), Contains("current directory"));
  const std::string home = std::getenv("HOME") ? std::getenv("HOME") : "";
  setenv("HOME", (folder.path() / "run").c_str(), 1);
  REQUIRE_THROWS_WITH(RunDirectory({.directory = folder.path() / "run" / ".." / "run", .overwrite = true}), Contains("home directory"));
  setenv("HOME", home.c_str(), 1);
  REQUIRE(fs::exists(folder.path() / "run" / "checkpoints"));
}

TEST_CASE("A run directory in use is refused, and free again afterwards", "[train]") {
  TemporaryFolder folder;
  const fs::path path = folder.path() / "run";
  {
    RunDirectory run({.directory = path});
    const std::string holder = "in use by process " + std::to_string(getpid());
    REQUIRE_THROWS_WITH(RunDirectory({.directory = path}), Contains(holder));
    REQUIRE_THROWS_WITH(RunDirectory({.directory = path, .resume = true}), Contains(holder));
    REQUIRE_THROWS_WITH(RunDirectory({.directory = path, .overwrite = true}), Contains(holder));
  }
  RunDirectory again({.directory = path});
}

TEST_CASE("A dry run leaves nothing behind and needs no directory", "[train]") {
  fs::path path;
  {
    RunDirectory run({.dry_run = true});
    path = run.path();
    std::ofstream(path / "config.yaml") << "x";
    REQUIRE(fs::exists(path));
  }
  REQUIRE_FALSE(fs::exists(path));
}

TEST_CASE("Differing keys are named as dotted paths, except those that may change", "[train]") {
  const Json before = {{"a", 1}, {"data", {{"workers", 1}, {"path", "x"}}}, {"list", {1, 2}}, {"gone", true}};
  const Json now = {{"data", {{"path", "y"}, {"workers", 4}}}, {"a", 1.0}, {"list", {1, 3}}, {"new", nullptr}};
  const auto found = zoo::train::differences(before, now, {"data.workers"});
  std::string keys;
  for (const auto& d : found) keys += d.key + ":" + d.before + ">" + d.now + " ";
  REQUIRE(keys == R"(data.path:"x">"y" list:[1,2]>[1,3] new:nothing>null gone:true>nothing )");
  REQUIRE(zoo::train::differences(before, before, {}).empty());
  REQUIRE(zoo::train::differences({{"database", 1}}, {{"database", 2}}, {"data"}).size() == 1);
}
