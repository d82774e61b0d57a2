// Runs as processes of their own, killed, stopped and starved of disk space.
#include "test/catch.h"
#include "test/process.h"

#include <libzoo/core/json.h>

#include <sys/mount.h>

#include <algorithm>
#include <random>

using namespace zoo::test;

namespace fs = std::filesystem;
using zoo::Json;

namespace {

// The losses of a metrics file that has each step from 0 on exactly once, in order.
std::vector<double> losses(const fs::path& path) {
  std::ifstream file(path);
  std::vector<double> found;
  for (std::string line; std::getline(file, line);) {
    const Json row = Json::parse(line);
    REQUIRE(row["step"] == found.size());
    found.push_back(row["loss"]);
  }
  return found;
}

// Exit status, once it has ended.
int run(const fs::path& log, std::vector<std::string> arguments, std::string* err = nullptr) {
  Process victim(log, "test-run-victim", std::move(arguments));
  const int status = victim.wait();
  if (err) *err = victim.err();
  return status;
}

}  // namespace

TEST_CASE("Killed at any moment and resumed, a run ends with the same bits and a whole metrics file", "[train][slow]") {
  TemporaryFolder folder;
  const std::string whole = folder.path() / "whole", parts = folder.path() / "parts";
  REQUIRE(run(folder.path() / "log", {whole, "300", "--every", "5"}) == 0);

  std::mt19937 random(20240501);  // moments differ from run to run anyway: the processes are not in step
  int kills = 0;
  for (int i = 0; i < 12; ++i) {
    Process victim(folder.path() / "log", "test-run-victim", {parts, "300", "--every", "5", "--resume", "--sleep-us", "2000"});
    if (i > 0 && i % 4 != 0) victim.wait_for("steps ");  // some die before their first step
    std::this_thread::sleep_for(std::chrono::milliseconds(random() % 90));
    victim.signal(SIGKILL);
    const int status = victim.wait();
    INFO(victim.err());
    REQUIRE((status == 0 || status == 128 + SIGKILL));
    kills += status != 0;
  }
  REQUIRE(kills >= 8);
  REQUIRE(run(folder.path() / "log", {parts, "300", "--every", "5", "--resume"}) == 0);
  REQUIRE(read_text(fs::path(parts) / "model.safetensors") == read_text(fs::path(whole) / "model.safetensors"));
  REQUIRE(read_text(fs::path(parts) / "result.json") == read_text(fs::path(whole) / "result.json"));
  const auto expected = losses(fs::path(whole) / "metrics.jsonl");
  REQUIRE(expected.size() == 300);
  REQUIRE(losses(fs::path(parts) / "metrics.jsonl") == expected);
}

TEST_CASE("SIGTERM ends a run within one step, saved, with status 0", "[train]") {
  TemporaryFolder folder;
  const std::string path = folder.path() / "run";
  Process victim(folder.path() / "log", "test-run-victim", {path, "100000", "--sleep-us", "50000", "--say"});
  REQUIRE(victim.wait_for("step 2\n"));
  const auto before = losses(fs::path(path) / "metrics.jsonl").size();
  victim.signal(SIGTERM);
  REQUIRE(victim.wait() == 0);
  REQUIRE_THAT(victim.out(), Contains("interrupted"));
  const auto after = losses(fs::path(path) / "metrics.jsonl").size();
  REQUIRE(after <= before + 2);  // the one in flight, and one that ended while we looked
  const Json manifest = Json::parse(read_text(fs::path(path) / "manifest.json"));
  REQUIRE(manifest["state"] == "interrupted");
  REQUIRE(manifest["sessions"][0]["last_step"] == after);
  REQUIRE_FALSE(fs::exists(fs::path(path) / "model.safetensors"));

  Process resumed(folder.path() / "log", "test-run-victim", {path, "100000", "--resume", "--sleep-us", "50000"});
  REQUIRE(resumed.wait_for("steps " + std::to_string(after) + "\n"));
}

TEST_CASE("A second signal ends a run at once", "[train]") {
  TemporaryFolder folder;
  Process victim(folder.path() / "log", "test-run-victim", {folder.path() / "run", "10", "--sleep-us", "60000000"});
  REQUIRE(victim.wait_for("steps 0\n"));  // the first step takes a minute
  victim.signal(SIGINT);
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  REQUIRE_FALSE(victim.running() == false);
  victim.signal(SIGTERM);
  REQUIRE(victim.wait() == 128 + SIGTERM);
}

TEST_CASE("A second process on the same directory is refused with the first one's number", "[train]") {
  TemporaryFolder folder;
  const std::string path = folder.path() / "run";
  Process first(folder.path() / "log", "test-run-victim", {path, "100000", "--sleep-us", "10000", "--say"});
  REQUIRE(first.wait_for("step 0\n"));
  for (const char* how : {"--resume", "--overwrite", "--say"}) {
    std::string err;
    REQUIRE(run(folder.path() / "second", {path, "10", how}, &err) == 2);
    REQUIRE_THAT(err, Contains("in use by process " + std::to_string(first.pid())));
  }
  first.signal(SIGKILL);
  first.wait();
  REQUIRE(run(folder.path() / "second", {path, "10", "--overwrite"}) == 0);  // a lock does not outlive its process
}

TEST_CASE("A full disk does not end training; only a last checkpoint that can't be written does", "[train]") {
  TemporaryFolder folder;
  const fs::path disk = folder.path() / "disk";
  fs::create_directory(disk);
  if (mount("tmpfs", disk.c_str(), "tmpfs", 0, "size=2m") != 0) {
    WARN("SKIP: a tmpfs can't be mounted here (it takes root)");
    return;
  }
  struct Unmount {
    const fs::path& path;
    ~Unmount() { umount(path.c_str()); }
  } unmount{disk};
  const std::string path = disk / "run", filler = disk / "filler";
  const std::vector<std::string> job{path, "40", "--every", "5", "--size", "50000"};  // 400 kB a checkpoint
  auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), job.begin(), job.end());
    return more;
  };
  REQUIRE(run(folder.path() / "log", {folder.path() / "reference", "40", "--every", "5", "--size", "50000"}) == 0);
  const auto expected = losses(folder.path() / "reference" / "metrics.jsonl");
  std::string err;

  SECTION("when there is room again before the end") {
    REQUIRE(run(folder.path() / "log", with({"--fill-at", "12", filler, "--free-at", "33"}), &err) == 0);
    REQUIRE_THAT(err, Contains("THE CHECKPOINT AT STEP 15 COULD NOT BE WRITTEN") && Contains("No space left on device") &&
                          Contains("the last good checkpoint is " + path + "/checkpoints/step-00000010"));
    REQUIRE(losses(fs::path(path) / "metrics.jsonl") == expected);
    REQUIRE(read_text(fs::path(path) / "model.safetensors") == read_text(folder.path() / "reference" / "model.safetensors"));
  }
  SECTION("when it stays full") {
    REQUIRE(run(folder.path() / "log", with({"--fill-at", "12", filler}), &err) == 1);
    REQUIRE_THAT(err, Contains("the run could not be saved") && Contains("No space left on device"));
    REQUIRE(fs::exists(fs::path(path) / "checkpoints" / "step-00000010" / "COMPLETE"));
    losses(fs::path(path) / "metrics.jsonl");  // whole lines only
    fs::remove(filler);
    REQUIRE(run(folder.path() / "log", with({"--resume"}), &err) == 0);
    REQUIRE_THAT(err, Contains("resumed at step 10"));
    REQUIRE(losses(fs::path(path) / "metrics.jsonl") == expected);
    REQUIRE(read_text(fs::path(path) / "model.safetensors") == read_text(folder.path() / "reference" / "model.safetensors"));
  }
}

TEST_CASE("Progress is plain lines where there is no terminal, and nothing if it is not wanted", "[train]") {
  TemporaryFolder folder;
  std::string err;
  REQUIRE(run(folder.path() / "log", {folder.path() / "a", "40", "--progress"}, &err) == 0);
  REQUIRE_THAT(err, Contains("step 1/40  loss ") && Contains("step 40/40  loss ") && !Contains("\033") && !Contains("\r"));
  REQUIRE(std::count(err.begin(), err.end(), '\n') <= 10);  // the job is done in a moment, so most steps go unsaid
  REQUIRE_THAT(read_text(folder.path() / "a" / "log.txt"), Contains("Z step 40/40  loss "));
  REQUIRE(run(folder.path() / "log", {folder.path() / "b", "40"}, &err) == 0);
  REQUIRE(err.empty());
}
