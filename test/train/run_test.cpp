#include "test/catch.h"
#include "test/process.h"
#include "test/train/toy.h"

#include <libzoo/core/error.h>
#include <libzoo/core/log.h>
#include <libzoo/core/random.h>
#include <libzoo/io/image.h>
#include <libzoo/train/progress.h>
#include <libzoo/train/run.h>

#include <cmath>
#include <limits>

using namespace zoo::test;

namespace fs = std::filesystem;
using zoo::Json;
using zoo::train::Run;
using zoo::train::RunOptions;

namespace {

std::vector<Json> lines(const fs::path& path) {
  std::ifstream file(path);
  std::vector<Json> found;
  for (std::string line; std::getline(file, line);) found.push_back(Json::parse(line));
  return found;
}

RunOptions options_in(const TemporaryFolder& folder) {
  return {.directory = folder.path() / "run",
          .seed = 3,
          .device = "cpu",
          .quiet = true,
          .program = "toy",
          .config_yaml = "a: 1\n",
          .config = {{"a", 1}, {"b", 2}},
          .may_change = {"b"}};
}

// The toy job up to `stop`, as a run that is closed without finish().
void train_until(RunOptions options, int64_t stop) {
  Run run(std::move(options));
  toy::Job job;
  job.track(run);
  for (int64_t step : run.steps(stop)) run.log(step, {{"loss", job.step()}});
}

}  // namespace

TEST_CASE("A run writes what the documentation lists", "[train]") {
  TemporaryFolder folder;
  {
    Run run(options_in(folder));
    toy::Job job;
    job.track(run);
    int64_t expected = 0;
    for (int64_t step : run.steps(5)) {
      REQUIRE(step == expected++);
      run.log(step, {{"loss", job.step()}, {"rate", 0.5}});
      run.log(step, {{"images", 64}});
    }
    REQUIRE(expected == 5);
    run.save_image("figure", {.height = 1, .width = 1, .channels = 3, .pixels = {1, 2, 3}});
    run.save_model([](const fs::path& path) { std::ofstream(path) << "weights"; });
    run.finish({{"top1", 0.5}});
  }
  const fs::path run = folder.path() / "run";
  REQUIRE(read_text(run / "config.yaml") == "a: 1\n");
  REQUIRE(Json::parse(read_text(run / "result.json")) == Json{{"top1", 0.5}});
  REQUIRE(read_text(run / "model.safetensors") == "weights");
  REQUIRE(fs::exists(run / "samples" / "figure.png"));
  REQUIRE_FALSE(fs::is_empty(run / "tensorboard"));
  REQUIRE(fs::exists(run / "checkpoints" / "step-00000005" / "COMPLETE"));

  const auto metrics = lines(run / "metrics.jsonl");
  REQUIRE(metrics.size() == 5);
  REQUIRE(metrics[2]["step"] == 2);
  REQUIRE(metrics[2]["rate"] == 0.5);
  REQUIRE(metrics[2]["images"] == 64);
  REQUIRE(metrics[2]["time"] > 1.5e9);

  const Json manifest = Json::parse(read_text(run / "manifest.json"));
  REQUIRE(manifest["state"] == "done");
  REQUIRE(manifest["program"] == "toy");
  REQUIRE(manifest["seed"] == 3);
  REQUIRE(manifest["parameters"] == Json{{"model", 8}});
  REQUIRE(manifest["sessions"].size() == 1);
  for (const char* key : {"version", "libtorch", "build", "processor", "threads", "device", "started", "ended"}) {
    REQUIRE_FALSE(manifest[key].is_null());
  }
}

TEST_CASE("A finished run that is resumed does nothing and keeps its result", "[train]") {
  TemporaryFolder folder;
  {
    Run run(options_in(folder));
    for (int64_t step : run.steps(2)) run.log(step, {{"loss", 1.0}});
    run.finish({{"top1", 0.5}});
  }
  const std::string metrics = read_text(folder.path() / "run" / "metrics.jsonl"),
                    manifest = read_text(folder.path() / "run" / "manifest.json");
  auto options = options_in(folder);
  options.resume = true;
  {
    Run run(options);
    toy::Job job;
    job.track(run);
    REQUIRE(run.finished());
    REQUIRE(run.result() == Json{{"top1", 0.5}});
    for ([[maybe_unused]] int64_t step : run.steps(2)) FAIL("no step is left");
    run.log(2, {{"loss", 2.0}});
    run.save_model([](const fs::path&) { FAIL("the model is there"); });
    run.finish({{"top1", 0.0}});
  }
  REQUIRE(read_text(folder.path() / "run" / "metrics.jsonl") == metrics);
  REQUIRE(read_text(folder.path() / "run" / "manifest.json") == manifest);
  REQUIRE(Json::parse(read_text(folder.path() / "run" / "result.json")) == Json{{"top1", 0.5}});
}

TEST_CASE("A run with other options is not resumed, and the keys are named", "[train]") {
  TemporaryFolder folder;
  train_until(options_in(folder), 2);
  auto options = options_in(folder);
  options.resume = true;
  options.config["a"] = 2;
  options.seed = 4;
  REQUIRE_THROWS_WITH(Run(options), Contains("a: it was started with 1, now it is 2") && Contains("seed: it was started with 3"));
  REQUIRE_THROWS_AS(Run(options), zoo::UserError);
  options = options_in(folder);
  options.resume = true;
  options.config["b"] = 7;  // may change
  Run run(options);
  REQUIRE(Json::parse(read_text(folder.path() / "run" / "manifest.json"))["resumes"] == 1);
}

TEST_CASE("A resumed run continues bit for bit, random numbers included", "[train]") {
  TemporaryFolder whole_folder, parts_folder;
  const auto final_weights = [](RunOptions options) {
    options.resume = true;
    Run run(std::move(options));
    toy::Job job;
    job.track(run);
    for (int64_t step : run.steps(30)) run.log(step, {{"loss", job.step()}});
    REQUIRE(job.net.count.item<int64_t>() == 30);
    run.finish(Json::object());
    return job.net.weight.clone();
  };
  for (int64_t stop : {7, 8, 20}) {
    auto options = options_in(parts_folder);
    options.resume = true;
    train_until(options, stop);
    at::rand({3});  // what else draws numbers in between does not matter
  }
  const at::Tensor parts = final_weights(options_in(parts_folder)), whole = final_weights(options_in(whole_folder));
  REQUIRE(at::equal(parts, whole));
  const auto a = lines(parts_folder.path() / "run" / "metrics.jsonl"), b = lines(whole_folder.path() / "run" / "metrics.jsonl");
  REQUIRE(a.size() == 30);
  for (size_t i = 0; i < a.size(); ++i) {
    REQUIRE(a[i]["step"] == i);
    REQUIRE(a[i]["loss"] == b[i]["loss"]);
  }
}

TEST_CASE("Everything that does not fit a checkpoint is listed", "[train]") {
  TemporaryFolder folder;
  train_until(options_in(folder), 2);
  auto options = options_in(folder);
  options.resume = true;

  SECTION("tensors of a module") {
    struct Other : torch::nn::Module {
      at::Tensor weight = register_parameter("weight", at::ones({3, 2}));
      at::Tensor bias = register_parameter("bias", at::ones({3}));
    } other;
    toy::Job job;
    Run run(options);
    run.track("model", other);
    run.track("optimizer", job.optimizer);
    run.track("data", job.data);
    REQUIRE_THROWS_WITH(run.steps(4), Contains("missing: bias") && Contains("shape: weight is [8], the module has [3, 2]") &&
                                          Contains("unexpected: count"));
    REQUIRE(at::equal(other.weight, at::ones({3, 2})));
  }
  SECTION("things that are tracked") {
    toy::Job job;
    Run run(options);
    run.track("model", job.net);
    run.track("data", job.data);
    run.track("echo", job.data);
    REQUIRE_THROWS_WITH(run.steps(4), Contains("'echo' is not in it") && Contains("'optimizer' is in it"));
  }
}

TEST_CASE("Names that can't be files, come twice or too late are refused", "[train]") {
  TemporaryFolder folder;
  Run run(options_in(folder));
  toy::Stream stream;
  for (const char* name : {"", "a/b", "../x", ".hidden", "a b"}) {
    REQUIRE_THROWS_WITH(run.track(name, stream), Contains("can't name a file"));
  }
  run.track("data", stream);
  REQUIRE_THROWS_WITH(run.track("data", stream), Contains("tracked twice"));
  run.steps(1);
  REQUIRE_THROWS_WITH(run.track("more", stream), Contains("too late"));
}

TEST_CASE("A loss that is not finite ends the run at its step and is not saved", "[train]") {
  TemporaryFolder folder;
  auto options = options_in(folder);
  options.checkpoint_every = 1;
  const auto diverge = [](Run& run) {
    for (int64_t step : run.steps(6)) {
      run.log(step, {{"train_loss", step < 3 ? at::ones({}) : at::full({}, std::numeric_limits<double>::quiet_NaN())}});
    }
  };
  SECTION("by default") {
    {
      Run run(options);
      REQUIRE_THROWS_WITH(diverge(run), Contains("train_loss is nan at step 3"));
    }
    const auto metrics = lines(folder.path() / "run" / "metrics.jsonl");
    REQUIRE(metrics.size() == 4);
    REQUIRE(metrics[3]["train_loss"].is_null());
    REQUIRE(fs::exists(folder.path() / "run" / "checkpoints" / "step-00000003"));
    REQUIRE_FALSE(fs::exists(folder.path() / "run" / "checkpoints" / "step-00000004"));
  }
  SECTION("unless asked to go on, when it is said once") {
    options.stop_on_nan = false;
    int said = 0;
    zoo::log::Sink sink([&](zoo::log::Level level, std::string_view text) {
      said += level == zoo::log::Level::error && text.find("nan at step 3") != text.npos;
    });
    Run run(options);
    diverge(run);
    REQUIRE(said == 1);
    REQUIRE(lines(folder.path() / "run" / "metrics.jsonl").size() == 6);
  }
}

TEST_CASE("Values that are no scalars are refused", "[train]") {
  TemporaryFolder folder;
  Run run(options_in(folder));
  REQUIRE_THROWS_WITH(run.log(0, {{"loss", at::ones({2})}}), Contains("2 elements"));
  REQUIRE_THROWS_WITH(run.log(0, {{"step", 1}}), Contains("every line has one"));
}

TEST_CASE("The checkpoint of the best evaluation is kept, across a resumption", "[train]") {
  TemporaryFolder folder;
  const double top1[] = {0.1, 0.7, 0.3, 0.2, 0.6, 0.5, 0.4, 0.65};
  const auto train = [&](int64_t total) {
    auto options = options_in(folder);
    options.resume = true;
    options.checkpoint_every = 1;
    options.keep_last = 2;
    Run run(options);
    for (int64_t step : run.steps(total)) {
      const bool best = run.evaluation(step, {{"top1", top1[step]}}, "top1");
      REQUIRE(best == (step <= 1));
    }
  };
  train(4);
  train(8);
  const fs::path checkpoints = folder.path() / "run" / "checkpoints";
  REQUIRE(fs::read_symlink(checkpoints / "best") == "step-00000002");
  for (const char* kept : {"step-00000002", "step-00000007", "step-00000008"}) REQUIRE(fs::exists(checkpoints / kept));
  REQUIRE_FALSE(fs::exists(checkpoints / "step-00000006"));
  REQUIRE(lines(folder.path() / "run" / "metrics.jsonl").size() == 8);
}

TEST_CASE("An evaluation after the loop has a line of its own and may choose the last checkpoint", "[train]") {
  TemporaryFolder folder;
  Run run(options_in(folder));
  for (int64_t step : run.steps(3)) run.log(step, {{"loss", 1.0}});
  REQUIRE(run.evaluation(3, {{"error", 0.1}}, "error", /*higher_is_better=*/false));
  run.finish(Json::object());
  REQUIRE(fs::read_symlink(folder.path() / "run" / "checkpoints" / "best") == "step-00000003");
  REQUIRE(lines(folder.path() / "run" / "metrics.jsonl")[3].value("error", 0.0) == 0.1);
}

TEST_CASE("Phases of one run share its steps", "[train]") {
  TemporaryFolder folder;
  const auto phases = [&](bool resume) {
    auto options = options_in(folder);
    options.resume = resume;
    Run run(options);
    std::vector<int64_t> seen;
    for (int64_t step : run.steps(2)) seen.push_back(step);
    seen.push_back(-1);
    for (int64_t step : run.steps(resume ? 5 : 4)) seen.push_back(step);
    return seen;
  };
  REQUIRE(phases(false) == std::vector<int64_t>{0, 1, -1, 2, 3});
  REQUIRE(phases(true) == std::vector<int64_t>{-1, 4});
}

TEST_CASE("A dry run does one step, reports its size and leaves nothing", "[train]") {
  TemporaryFolder folder;
  auto options = options_in(folder);
  options.dry_run = true;
  fs::path path;
  {
    Run run(options);
    path = run.directory();
    toy::Job job;
    job.track(run);
    int steps = 0;
    for (int64_t step : run.steps(1000)) {
      run.log(step, {{"loss", job.step()}});
      ++steps;
    }
    REQUIRE(steps == 1);
    REQUIRE_FALSE(run.interrupted());
    run.finish(Json::object());
    const Json report = run.dry_run_report();
    REQUIRE(report["parameters"] == 8);
    REQUIRE(report["steps"] == 1000);
    REQUIRE(report["tracked_bytes"] >= 8 * 4 + 8 + 8 * 4);  // weight, count, velocity
    REQUIRE(report["peak_memory_bytes"] > 1 << 20);
    REQUIRE(report["steps_per_second"] > 0);
  }
  REQUIRE_FALSE(fs::exists(path));
  REQUIRE_FALSE(fs::exists(folder.path() / "run"));
}

TEST_CASE("A device that is unknown or not there is refused before anything is made", "[train]") {
  TemporaryFolder folder;
  auto options = options_in(folder);
  for (const char* name : {"gpu", "cuda:", "cuda:x", "cuda:-1", ""}) {
    options.device = name;
    REQUIRE_THROWS_WITH(Run(options), Contains("is unknown"));
  }
  if (!at::hasCUDA()) {
    options.device = "cuda";
    REQUIRE_THROWS_AS(Run(options), zoo::UserError);
  }
  REQUIRE_FALSE(fs::exists(folder.path() / "run"));
  options.device = "auto";
  REQUIRE(Run(options).device().type() == (at::hasCUDA() ? at::kCUDA : at::kCPU));
}

TEST_CASE("Seeds have names", "[train]") {
  TemporaryFolder folder;
  Run run(options_in(folder));
  REQUIRE(run.seed("subset") == zoo::derive_seed(3, "subset"));
}

TEST_CASE("Times are shown as clocks show them", "[train]") {
  REQUIRE(zoo::train::clock_text(49.4) == "0:49");
  REQUIRE(zoo::train::clock_text(3723) == "1:02:03");
  REQUIRE(zoo::train::clock_text(2 * 86400 + 3600) == "2 d 1:00:00");
  REQUIRE(zoo::train::clock_text(std::numeric_limits<double>::infinity()) == "0:00");
}
