// zoo-simclr through the files it leaves: every verb after the other, resumption, several processes, the death of one.
#include "test/process.h"
#include <libzoo/core/json.h>
#include <libzoo/io/safetensors.h>

#include <csignal>
#include <memory>

using namespace zoo::test;

namespace {

using zoo::Json;

std::vector<std::string> joined(std::vector<std::string> words, const std::vector<std::string>& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

std::vector<std::string> pretrain(const std::string& out, const std::vector<std::string>& more = {}) {
  return joined({"pretrain",
                 "--out",
                 out,
                 "--seed",
                 "3",
                 "--threads",
                 "1",
                 "--quiet",
                 "model=small",
                 "resolution=32",
                 "head.layers=2",
                 "head.outputs=16",
                 "train.type=textures",
                 "train.per_class=8",
                 "views.blur=false",
                 "views.color_strength=0.5",
                 "batch_size=16",
                 "steps=6",
                 "warmup_epochs=0.4",
                 "rate=1",
                 "loss.temperature=0.2"},
                more);
}

const std::vector<std::string> kSets = {"train.type=textures", "train.per_class=6", "test.type=textures", "test.per_class=4",
                                        "test.split=test"};

Json result_of(const std::string& program, const std::vector<std::string>& words) {
  const auto said = run(program, joined(words, {"--json"}));
  INFO(said.err);
  REQUIRE(said.status == 0);
  return zoo::parse_json(said.out, "result");
}

// As torchrun starts them; the port is new for each group.
class Ranks {
 public:
  Ranks(int count, const std::vector<std::string>& words, int timeout_seconds = 60) {
    static int port = 20000 + getpid() % 20000;
    ++port;
    for (int rank = 0; rank < count; ++rank) {
      processes_.push_back(std::make_unique<Process>(
          folder_ / ("rank" + std::to_string(rank)), "zoo-simclr", words,
          std::vector<std::string>{"RANK=" + std::to_string(rank), "WORLD_SIZE=" + std::to_string(count),
                                   "LOCAL_RANK=" + std::to_string(rank), "MASTER_ADDR=127.0.0.1", "MASTER_PORT=" + std::to_string(port),
                                   "ZOO_DIST_TIMEOUT=" + std::to_string(timeout_seconds)}));
    }
  }
  Process& operator[](size_t rank) { return *processes_[rank]; }
  std::vector<int> wait() {
    std::vector<int> statuses;
    for (auto& process : processes_) statuses.push_back(process->wait());
    return statuses;
  }
  std::string err() const {
    std::string all;
    for (const auto& process : processes_) all += process->err();
    return all;
  }

 private:
  TemporaryFolder folder_;
  std::vector<std::unique_ptr<Process>> processes_;
};

// The largest distance between two files' values, relative to the largest value of each tensor.
double distance(const std::filesystem::path& a, const std::filesystem::path& b) {
  const auto first = zoo::io::read_safetensors(zoo::io::map_file(a), "a").tensors,
             second = zoo::io::read_safetensors(zoo::io::map_file(b), "b").tensors;
  REQUIRE(first.size() == second.size());
  double worst = 0;
  for (const auto& [name, array] : first) {
    if (array.dtype() != zoo::DType::f32) continue;
    const auto x = array.span<float>(), y = second.at(name).span<float>();
    double largest = 1e-6, difference = 0;
    for (size_t i = 0; i < x.size(); ++i) {
      largest = std::max(largest, std::abs(double(x[i])));
      difference = std::max(difference, std::abs(double(x[i]) - double(y[i])));
    }
    worst = std::max(worst, difference / largest);
  }
  return worst;
}

}  // namespace

TEST_CASE("An encoder is pre-trained, measured, fine-tuned, distilled, converted and asked for features", "[apps]") {
  TemporaryFolder folder;
  const Json trained = result_of(
      "zoo-simclr",
      pretrain(folder / "up", joined({"probe=true", "memory.size=40"}, {"test.type=textures", "test.per_class=3", "test.split=test"})));
  for (const char* name : {"loss", "contrast accuracy", "knn", "ridge"}) REQUIRE(trained.contains(name));
  for (const char* name : {"model.safetensors", "samples/views.png", "samples/neighbours.png", "checkpoints"}) {
    INFO(name);
    REQUIRE(std::filesystem::exists(folder / ("up/" + std::string(name))));
  }
  const std::string checkpoint = folder / "up/model.safetensors";
  const Json linear = result_of("zoo-simclr", joined({"linear-eval", "--checkpoint", checkpoint, "--out", folder / "linear", "--quiet",
                                                      "epochs=5", "batch_size=20", "rates=[0.1,1]", "copies=2", "logistic=0.1"},
                                                     kSets));
  REQUIRE(linear.at("rates").size() == 2);
  REQUIRE(linear.at("images") == 40);
  REQUIRE(linear.at("logistic").at("converged") == true);
  const Json nearest = result_of("zoo-simclr", joined({"knn", "--checkpoint", folder / "linear/model.safetensors", "k=5"}, kSets));
  REQUIRE(nearest.at("images") == 40);
  const Json tuned =
      result_of("zoo-simclr", joined({"finetune", "--checkpoint", checkpoint, "--out", folder / "tuned", "--quiet", "selector=1",
                                      "percent=50", "steps=3", "batch_size=10", "freeze_after=1", "views.resize=tf2_bilinear"},
                                     kSets));
  REQUIRE(tuned.at("examples") == 30);
  const Json distilled =
      result_of("zoo-simclr", joined({"distill", "teacher=" + (folder / "tuned/model.safetensors").string(), "--out", folder / "student",
                                      "--quiet", "model=small", "resolution=32", "steps=3", "warmup_epochs=0", "batch_size=10"},
                                     kSets));
  REQUIRE(distilled.at("teacher top1") == tuned.at("top1"));
  REQUIRE(run("zoo-simclr", {"convert", checkpoint, folder / "copy.npz"}).status == 0);
  const auto official = run("zoo-simclr", {"convert", checkpoint, folder / "official.npz", "names=official"});
  REQUIRE(official.status == 2);
  REQUIRE_THAT(official.err, Contains("the small encoder has no official names"));
  const Json features =
      result_of("zoo-simclr", {"features", "--checkpoint", folder / "tuned/model.safetensors", folder / "up/samples/views.png",
                               "out=" + (folder / "f.safetensors").string(), "resolution=48"});
  REQUIRE(features.at("width") == 128);
  const Json demo = result_of("zoo-simclr", {"demo", "--out", folder / "demo", "--quiet", "pretrain.train.per_class=32",
                                             "pretrain.batch_size=32", "pretrain.steps=2", "pretrain.warmup_epochs=0.1",
                                             "sets.textures.train.per_class=4", "sets.textures.test.per_class=2"});
  REQUIRE(demo.at("top-1 %").size() == 4);
}

TEST_CASE("A pre-training that was stopped goes on to the same bits", "[apps]") {
  TemporaryFolder folder;
  REQUIRE(run("zoo-simclr", pretrain(folder / "whole", {"memory.size=40"})).status == 0);
  REQUIRE(run("zoo-simclr", pretrain(folder / "parts", {"memory.size=40", "checkpoint_every=2"})).status == 0);
  // Back to after step 4: the marks of a finished run go, and the newest checkpoint.
  for (const char* name : {"model.safetensors", "result.json", "checkpoints/step-00000006"})
    std::filesystem::remove_all(folder / ("parts/" + std::string(name)));
  auto manifest = zoo::parse_json(read_text(folder / "parts/manifest.json"), "manifest");
  manifest["state"] = "interrupted";
  write_text(folder / "parts/manifest.json", manifest.dump());
  const auto again = run("zoo-simclr", pretrain(folder / "parts", {"memory.size=40", "checkpoint_every=2", "data.workers=3", "--resume"}));
  INFO(again.err);
  REQUIRE(again.status == 0);
  REQUIRE(read_text(folder / "parts/model.safetensors") == read_text(folder / "whole/model.safetensors"));
}

TEST_CASE("Two processes train the network that one does, and either goes on where the other stopped", "[apps]") {
  TemporaryFolder folder;
  REQUIRE(run("zoo-simclr", pretrain(folder / "one", {"checkpoint_every=3"})).status == 0);
  Ranks two(2, pretrain(folder / "two", {"checkpoint_every=3"}));
  const auto statuses = two.wait();
  INFO(two.err());
  REQUIRE(statuses == std::vector<int>{0, 0});
  REQUIRE(distance(folder / "one/model.safetensors", folder / "two/model.safetensors") < 1e-4);
  const auto one = zoo::parse_json(read_text(folder / "one/result.json"), "one"),
             both = zoo::parse_json(read_text(folder / "two/result.json"), "two");
  REQUIRE(both.at("steps") == one.at("steps"));

  // What two ranks have begun, one finishes.
  std::filesystem::remove_all(folder / "two/checkpoints/step-00000006");
  std::filesystem::remove(folder / "two/result.json");
  auto manifest = zoo::parse_json(read_text(folder / "two/manifest.json"), "manifest");
  manifest["state"] = "interrupted";
  write_text(folder / "two/manifest.json", manifest.dump());
  REQUIRE(run("zoo-simclr", pretrain(folder / "two", {"checkpoint_every=3", "--resume"})).status == 0);
  REQUIRE(distance(folder / "one/model.safetensors", folder / "two/model.safetensors") < 1e-4);
}

TEST_CASE("When a rank is killed the other says so, and the last checkpoint goes on", "[apps]") {
  TemporaryFolder folder;
  const std::vector<std::string> more = {"steps=100000", "checkpoint_every=2"};
  Ranks ranks(2, pretrain(folder / "run", more), 20);
  const auto newest = [&] { return std::filesystem::exists(folder / "run/checkpoints/step-00000002"); };
  while (ranks[0].running() && ranks[1].running() && !newest()) std::this_thread::sleep_for(std::chrono::milliseconds(50));
  const auto killed = std::chrono::steady_clock::now();
  ranks[1].signal(SIGKILL);
  REQUIRE(ranks[0].wait() == 1);
  REQUIRE(std::chrono::steady_clock::now() - killed < std::chrono::seconds(30));
  REQUIRE_THAT(ranks[0].err(), Contains("rank 0 of 2: another rank is gone") && Contains("hint: ") && Contains("--resume"));
  const auto resumed = run("zoo-simclr", pretrain(folder / "run", joined(more, {"--resume", "--dry-run"})));
  REQUIRE(resumed.status == 0);
  // One signal to one rank stops both at the same step, saved.
  Ranks again(2, pretrain(folder / "run", joined(more, {"--resume"})), 20);
  const auto lines = [&] { return read_text(folder / "run/metrics.jsonl").size(); };
  const size_t before = lines();
  while (again[0].running() && again[1].running() && lines() <= before + 200) std::this_thread::sleep_for(std::chrono::milliseconds(50));
  again[1].signal(SIGTERM);
  const auto statuses = again.wait();
  INFO(again.err());
  REQUIRE(statuses == std::vector<int>{0, 0});
}

TEST_CASE("Settings that can't work are refused before anything is made", "[apps]") {
  TemporaryFolder folder;
  const auto refused = [&](const std::vector<std::string>& more) {
    const auto said = run("zoo-simclr", pretrain(folder / "run", joined(more, {"--overwrite"})));
    REQUIRE(said.status == 2);
    return said.err;
  };
  REQUIRE_THAT(refused({"loss.temperature=0"}), Contains("loss.temperature"));
  REQUIRE_THAT(refused({"loss.temperature=-1"}), Contains("loss.temperature"));
  REQUIRE_THAT(refused({"model=r51_1x"}), Contains("depth 51"));
  REQUIRE_THAT(refused({"model=resnet"}), Contains("no encoder is called 'resnet'"));
  REQUIRE_THAT(refused({"model=r18_1x_sk1"}), Contains("selective kernels need bottleneck blocks"));
  REQUIRE_THAT(refused({"batch_size=81"}), Contains("batch_size 81 is more than the 80 pictures"));
  REQUIRE_THAT(refused({"warmup_epochs=10"}), Contains("the warm-up"));
  const auto alone =
      Process(folder / "log", "zoo-simclr", joined({"linear-eval", "--checkpoint", "none"}, kSets), {"RANK=0", "WORLD_SIZE=2"}).wait();
  REQUIRE(alone == 2);
}
