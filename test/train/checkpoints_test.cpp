#include "test/catch.h"
#include "test/process.h"

#include <libzoo/core/error.h>
#include <libzoo/core/log.h>
#include <libzoo/train/checkpoints.h>

#include <sys/mount.h>

using namespace zoo::test;

namespace fs = std::filesystem;
using zoo::Array;
using zoo::State;
using zoo::train::CheckpointPart;
using zoo::train::Checkpoints;

namespace {

std::vector<CheckpointPart> parts(float value, int64_t size = 4) {
  return {{"model",
           [=] {
             State state;
             state.arrays.emplace("w", Array::of<float>({size}, std::vector<float>(size_t(size), value)));
             return state;
           }},
          {"data", [=] { return State{{}, {{"position", value}}}; }}};
}

float value_of(const zoo::train::Checkpoint& checkpoint) { return checkpoint.states.at("model").arrays.at("w").span<float>()[0]; }

std::vector<int64_t> steps(std::initializer_list<int64_t> values) { return values; }

// The warnings that are given while this lives.
struct Warnings {
  std::string text;
  zoo::log::Sink sink{[this](zoo::log::Level level, std::string_view message) {
    if (level == zoo::log::Level::warning) text += std::string(message) + "\n";
  }};
};

}  // namespace

TEST_CASE("A checkpoint gives back what was written", "[train]") {
  TemporaryFolder folder;
  Checkpoints checkpoints(folder.path() / "c", {});
  REQUIRE_FALSE(checkpoints.newest());
  checkpoints.write(400, parts(0.25f), {{"metrics_bytes", 12}});
  const auto found = checkpoints.newest();
  REQUIRE(found);
  REQUIRE(found->step == 400);
  REQUIRE(found->facts["metrics_bytes"] == 12);
  REQUIRE(value_of(*found) == 0.25f);
  REQUIRE(found->states.at("data").values["position"] == 0.25);
  REQUIRE(fs::exists(folder.path() / "c" / "step-00000400" / "COMPLETE"));
}

TEST_CASE("The last checkpoints, every n-th and the best are kept", "[train]") {
  TemporaryFolder folder;
  Checkpoints checkpoints(folder.path(), {.last = 2, .every = 40});
  for (int64_t step = 10; step <= 100; step += 10) checkpoints.write(step, parts(float(step)), zoo::Json::object(), 30);
  REQUIRE(checkpoints.steps() == steps({30, 40, 80, 90, 100}));
  checkpoints.write(100, parts(1.0f), zoo::Json::object(), 30);  // again
  REQUIRE(value_of(*checkpoints.newest()) == 1.0f);
}

TEST_CASE("Incomplete checkpoints are skipped and removed", "[train]") {
  TemporaryFolder folder;
  Checkpoints checkpoints(folder.path(), {});
  checkpoints.write(10, parts(1), zoo::Json::object());
  fs::create_directory(folder.path() / ".step-00000020.partial");
  fs::copy(checkpoints.path(10), checkpoints.path(30));
  fs::remove(checkpoints.path(30) / "COMPLETE");
  REQUIRE(checkpoints.steps() == steps({10}));
  REQUIRE(checkpoints.newest()->step == 10);
  REQUIRE_FALSE(fs::exists(folder.path() / ".step-00000020.partial"));
  REQUIRE_FALSE(fs::exists(checkpoints.path(30)));
}

TEST_CASE("A damaged checkpoint is put aside with a warning, and the one before it used", "[train]") {
  TemporaryFolder folder;
  Checkpoints checkpoints(folder.path(), {});
  checkpoints.write(10, parts(1), zoo::Json::object());
  checkpoints.write(20, parts(2), zoo::Json::object());
  const fs::path model = checkpoints.path(20) / "model.safetensors";
  std::string reason;
  SECTION("shorter") {
    fs::resize_file(model, fs::file_size(model) - 1);
    reason = "bytes";
  }
  SECTION("one bit flipped") {
    std::string bytes = read_text(model);
    bytes.back() = char(bytes.back() ^ 1);
    std::ofstream(model, std::ios::binary) << bytes;
    reason = "checksum";
  }
  SECTION("missing") {
    fs::remove(model);
    reason = "No such file";
  }
  SECTION("without a readable run.json") {
    std::ofstream(checkpoints.path(20) / "run.json") << "{\"step\": 20";
    reason = "run.json";
  }
  Warnings warnings;
  REQUIRE(checkpoints.newest()->step == 10);
  REQUIRE_THAT(warnings.text, Contains("damaged-step-00000020") && Contains(reason));
  REQUIRE(fs::exists(folder.path() / "damaged-step-00000020"));
  fs::remove(checkpoints.path(10) / "model.safetensors");
  REQUIRE_THROWS_WITH(checkpoints.newest(), Contains("every checkpoint is damaged"));
}

TEST_CASE("What can't tell its state leaves no checkpoint", "[train]") {
  TemporaryFolder folder;
  Checkpoints checkpoints(folder.path(), {});
  auto broken = parts(1);
  broken[1].save = []() -> State { throw std::logic_error("a defect"); };
  REQUIRE_THROWS_WITH(checkpoints.write(10, broken, zoo::Json::object()), Contains("a defect"));
  REQUIRE(fs::is_empty(folder.path()));
}

TEST_CASE("On a full disk the new checkpoint is removed and the old one stays", "[train]") {
  TemporaryFolder folder;
  if (mount("tmpfs", folder.path().c_str(), "tmpfs", 0, "size=300k") != 0) {
    WARN("SKIP: a tmpfs can't be mounted here (it takes root)");
    return;
  }
  {
    Checkpoints checkpoints(folder.path(), {.last = 1});
    checkpoints.write(10, parts(1, 40000), zoo::Json::object());
    try {
      checkpoints.write(20, parts(2, 40000), zoo::Json::object());
      FAIL("160 kB twice do not fit 300 kB");
    } catch (const zoo::train::NotWritten& failure) {
      REQUIRE_THAT(failure.what(), Contains("No space left on device") && Contains("model.safetensors"));
    }
    REQUIRE(checkpoints.steps() == steps({10}));
    REQUIRE(value_of(*checkpoints.newest()) == 1.0f);
    REQUIRE(std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator()) == 1);
  }
  umount(folder.path().c_str());
}
