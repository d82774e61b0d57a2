// A detector from training to boxes in a picture, through the files it leaves.
#include "test/process.h"
#include <libzoo/core/json.h>
#include <libzoo/data/detection_dataset.h>
#include <libzoo/io/image_file.h>
#include <libzoo/io/png.h>

#include <algorithm>
#include <csignal>
#include <thread>

using namespace zoo::test;

namespace {

using zoo::Json;

std::vector<std::string> detect_run(const std::string& out, std::vector<std::string> more = {}) {
  std::vector<std::string> arguments = {"detect",
                                        "--config",
                                        "bit/detect_scenes",
                                        "model=tiny",
                                        "resolution=64",
                                        "steps=4",
                                        "batch_size=4",
                                        "warmup_steps=0",
                                        "train.pictures=6",
                                        "test.pictures=5",
                                        "--threads",
                                        "1",
                                        "--quiet",
                                        "--json",
                                        "--seed",
                                        "3",
                                        "evaluate_every=2",
                                        "--out",
                                        out};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

Json said(const std::vector<std::string>& words) {
  const auto result = run("zoo-bit", words);
  INFO(result.err);
  REQUIRE(result.status == 0);
  return zoo::parse_json(result.out, "result");
}

// The test scenes as COCO has them.
void write_coco(const TemporaryFolder& folder) {
  const auto scenes = zoo::data::open_scenes({.pictures = 5, .split = zoo::data::Split::test});
  Json json = {{"images", Json::array()}, {"annotations", Json::array()}, {"categories", Json::array()}};
  for (int64_t c = 0; c < scenes->num_classes(); ++c) json["categories"].push_back({{"id", 10 + c}, {"name", scenes->class_name(c)}});
  for (int64_t i = 0; i < scenes->size(); ++i) {
    const auto image = scenes->image(i);
    const auto png = zoo::io::encode_png(image);
    write_text(folder / "coco" / (std::to_string(i) + ".png"), std::string(png.begin(), png.end()));
    json["images"].push_back({{"id", i}, {"file_name", std::to_string(i) + ".png"}, {"height", image.height}, {"width", image.width}});
    for (const auto& [box, label, area, crowd] : scenes->boxes(i))
      json["annotations"].push_back({{"id", json["annotations"].size()},
                                     {"image_id", i},
                                     {"category_id", 10 + label},
                                     {"bbox", {box.left, box.top, box.width, box.height}},
                                     {"area", area},
                                     {"iscrowd", 0}});
  }
  write_text(folder / "boxes.json", json.dump());
}

}  // namespace

TEST_CASE("A detector is trained, saved, measured on COCO's files and asked about pictures", "[apps]") {
  TemporaryFolder folder;
  const Json result = said(detect_run(folder / "run"));
  REQUIRE(result.at("steps") == 4);
  for (const char* key : {"ap", "ap50", "recall_100"}) REQUIRE(result.at(key).is_number());
  REQUIRE(std::filesystem::exists(folder / "run/samples/detections.png"));
  const std::string detector = folder / "run/model.safetensors";

  write_coco(folder);
  const std::string coco =
      "test={type: coco, images: " + (folder / "coco").string() + ", annotations: " + (folder / "boxes.json").string() + "}";
  const Json measured = said({"detect-evaluate", "--checkpoint", detector, coco, "--json", "--threads", "1"});
  REQUIRE(measured.at("pictures") == 5);
  REQUIRE(measured.at("of_class").size() == 5);
  // The same pictures as those drawn: batches of other sizes may differ in the last bits.
  REQUIRE(measured.at("ap").get<double>() == Approx(result.at("ap").get<double>()).margin(1e-4));
  REQUIRE(measured.at("recall_100").get<double>() == Approx(result.at("recall_100").get<double>()).margin(1e-4));

  const auto predicted = run("zoo-bit", {"detect-predict", "--checkpoint", detector, folder / "coco", "--json", "select.least_score=0",
                                         "select.most=7", "pictures=" + (folder / "drawn").string()});
  INFO(predicted.err);
  REQUIRE(predicted.status == 0);
  REQUIRE(std::count(predicted.out.begin(), predicted.out.end(), '\n') == 5);
  const Json line = zoo::parse_json(predicted.out.substr(0, predicted.out.find('\n')), "line 1");
  REQUIRE(line.at("file") == (folder / "coco/0.png").string());
  REQUIRE(line.at("objects").size() <= 7);
  REQUIRE(line.at("objects").size() >= 1);
  const Json& box = line.at("objects")[0].at("box");
  REQUIRE(box.size() == 4);
  REQUIRE(box[0].get<double>() >= 0);
  REQUIRE(box[0].get<double>() + box[2].get<double>() <= 96 + 1e-6);
  REQUIRE(zoo::io::read_image(folder / "drawn/0000-0.png").width == 96);

  const auto wrong = run("zoo-bit", {"evaluate", "--checkpoint", detector, "test={type: shapes, per_class: 1}"});
  REQUIRE(wrong.status == 2);
  REQUIRE_THAT(wrong.err, Contains("a detector, not a network for whole pictures"));
  Json other = zoo::parse_json(read_text(folder / "boxes.json"), "boxes.json");
  other["categories"][0]["name"] = "cat";
  write_text(folder / "boxes.json", other.dump());
  const auto classes = run("zoo-bit", {"detect-evaluate", "--checkpoint", detector, coco});
  REQUIRE(classes.status == 2);
  REQUIRE_THAT(classes.err, Contains("those of the test set 5 ('cat'"));
}

TEST_CASE("A detector's training that was stopped and resumed ends with the bits of one that was left alone", "[apps]") {
  TemporaryFolder folder;
  const std::vector<std::string> sizes = {"steps=24", "test=null", "evaluate_every=0", "checkpoint_every=4"};
  said(detect_run(folder / "whole", sizes));
  auto arguments = detect_run(folder / "stopped", sizes);
  {
    Process program(folder / "log", "zoo-bit", arguments);
    const auto checkpoints = folder / "stopped/checkpoints";
    for (int i = 0; i < 1000 && program.running() && (!std::filesystem::exists(checkpoints) || std::filesystem::is_empty(checkpoints)); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    program.signal(SIGTERM);
    REQUIRE(program.wait() == 0);
  }
  REQUIRE(!std::filesystem::exists(folder / "stopped/model.safetensors"));
  arguments.insert(arguments.end(), {"--resume", "data.workers=3"});
  said(arguments);
  const std::string expected = read_text(folder / "whole/model.safetensors");
  REQUIRE(!expected.empty());
  REQUIRE(read_text(folder / "stopped/model.safetensors") == expected);
}
