// zoo-data: pictures through every container and back, and what is said of damaged ones.
#include "test/process.h"

#include <libzoo/core/json.h>

#include <algorithm>

using namespace zoo::test;

namespace {

std::string set_of(const std::string& type, const std::string& key, const std::filesystem::path& path) {
  return "set={type: " + type + ", " + key + ": " + path.string() + "}";
}

}  // namespace

TEST_CASE("Pictures go from one container to the next and stay the same bytes", "[apps]") {
  TemporaryFolder folder;
  const auto convert = [&](const std::string& set, const std::string& to, const std::string& out, std::vector<std::string> more = {}) {
    std::vector<std::string> arguments = {"convert", set, "to=" + to, "out=" + (folder / out).string(), "per_shard=4", "--json", "--quiet"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const auto said = run("zoo-data", arguments);
    INFO(said.err);
    REQUIRE(said.status == 0);
    return zoo::parse_json(said.out, "result");
  };
  convert("set={type: shapes, preset: downstream, per_class: 1}", "image_folder", "a");
  REQUIRE(convert(set_of("image_folder", "path", folder / "a"), "tar", "b").at("shards") == 3);
  const std::string shards = "set={type: tar, shards: ['" + (folder / "b").string() +
                             "/data-{000000..000002}.tar'], class_names: " + (folder / "b/classes.txt").string() + "}";
  convert(shards, "tfrecord", "c");
  const std::string records = "set={type: tfrecord, files: ['" + (folder / "c").string() +
                              "/data-{00000..00002}-of-00003.tfrecord'], class_names: " + (folder / "c/classes.txt").string() + "}";
  const auto back = convert(records, "image_folder", "d");
  REQUIRE(back.at("pictures") == 10);
  const auto only_file = [](const std::filesystem::path& of) { return read_text(std::filesystem::directory_iterator(of)->path()); };
  int classes = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder / "a")) {
    if (!entry.is_directory()) continue;
    const std::string name = entry.path().filename().string();  // files are numbered anew in the order of the classes' names
    INFO(name);
    const bool same = only_file(entry.path()) == only_file(folder / "d" / name);
    REQUIRE(same);
    ++classes;
  }
  REQUIRE(classes == 10);

  // Going on: a shard that is missing is written again, the others are kept.
  const std::string second = read_text(folder / "b/data-000001.tar");
  std::filesystem::remove(folder / "b/data-000001.tar");
  REQUIRE(convert(set_of("image_folder", "path", folder / "a"), "tar", "b").at("were there") == 2);
  const bool same = read_text(folder / "b/data-000001.tar") == second;
  REQUIRE(same);
  const auto other = run("zoo-data", {"convert", records, "to=tar", "out=" + (folder / "b").string()});
  REQUIRE(other.status == 2);
  REQUIRE_THAT(other.err, Contains("convert.json") && Contains("another conversion"));

  const auto described = run("zoo-data", {"describe", "train=" + shards.substr(4), "resolution=32", "--json"});
  INFO(described.err);
  REQUIRE(described.status == 0);
  REQUIRE_THAT(described.out, Contains("10 pictures, 10 classes") && Contains("batch(64"));
  const auto timed = run("zoo-data", {"bench", "train=" + records.substr(4), "resolution=32", "batch_size=5", "seconds=0.2",
                                      "step_seconds=0.001", "data.echo.factor=2", "--json"});
  INFO(timed.err);
  REQUIRE(timed.status == 0);
  const zoo::Json result = zoo::parse_json(timed.out, "result");
  REQUIRE(result.at("pictures/s").get<double>() > 0);
  REQUIRE(result.at("fresh pictures/s").get<double>() < result.at("pictures/s").get<double>());
  REQUIRE(result.contains("suggested echo factor"));
}

TEST_CASE("verify names each picture that can't be read, and ends with 1", "[apps]") {
  TemporaryFolder folder;
  REQUIRE(run("zoo-data", {"convert", "set={type: shapes, preset: downstream, per_class: 2}", "to=image_folder",
                           "out=" + (folder / "set").string(), "--quiet"})
              .status == 0);
  const auto set = set_of("image_folder", "path", folder / "set");
  REQUIRE(run("zoo-data", {"verify", set, "--quiet"}).status == 0);
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder / "set"))
    if (entry.path().extension() == ".png") files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  write_text(files[3], "garbage");
  write_text(files[7], read_text(files[7]).substr(0, 90));
  for (const char* workers : {"workers=0", "workers=3"}) {
    const auto said = run("zoo-data", {"verify", set, workers, "--quiet"});
    INFO(said.out << said.err);
    REQUIRE(said.status == 1);
    REQUIRE(std::count(said.out.begin(), said.out.end(), '\n') == 2);
    REQUIRE_THAT(said.out, Contains(files[3].string()) && Contains(files[7].string()));
    REQUIRE_THAT(said.err, Contains("2 of 20 pictures can't be read"));
  }
}
