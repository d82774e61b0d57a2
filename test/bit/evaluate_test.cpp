#include "test/bit/models.h"
#include "test/catch.h"

#include <libzoo/bit/class_map.h>
#include <libzoo/bit/evaluate.h>
#include <libzoo/bit/inputs.h>
#include <libzoo/bit/protocols.h>
#include <libzoo/bit/report.h>
#include <libzoo/bit/training.h>
#include <libzoo/core/error.h>
#include <libzoo/io/image_file.h>

using namespace zoo;
using namespace zoo::bit;
using namespace zoo::test;

namespace {

const data::ShapesOptions kTest{.preset = data::ShapesPreset::downstream, .per_class = 4, .image_size = 16};

// A network of random weights for `classes`, in a file.
nn::ResNetV2 saved_model(const std::filesystem::path& path, int64_t classes, std::vector<std::string> names = {}) {
  const auto model = random_model({.units = {1}, .width = 0.5, .num_classes = classes});
  save_checkpoint(path, model, {.classes = std::move(names), .preprocessing = {.size = 16}});
  return model;
}

}  // namespace

TEST_CASE("A class map names outputs by number or by name, and its mistakes are told", "[bit]") {
  TemporaryFolder folder;
  const std::vector<std::string> data{"Cup", "Mug", "Chair"}, network{"cup", "stool", "chair"};
  const auto read = [&](const std::string& json) {
    write_text(folder / "map.json", json);
    return read_class_map(folder / "map.json", data, network, 3);
  };
  const auto map = read(R"({"Chair": [1, "chair"], "Cup": [0]})");
  REQUIRE(map.class_of_output.equal(at::tensor({0, 2, 2}, at::kLong)));
  REQUIRE(map.labels(at::tensor({0, 1, 2}, at::kLong)).equal(at::tensor({0, -1, 2}, at::kLong)));
  REQUIRE_THROWS_WITH(read(R"({"Chiar": [1]})"), Contains("map.json: 'Chiar': the data has no such class (did you mean 'Chair'?)"));
  REQUIRE_THROWS_WITH(read(R"({"Chair": [3]})"), Contains("3 is no output of the network"));
  REQUIRE_THROWS_WITH(read(R"({"Chair": ["chain"]})"), Contains("no class 'chain' (did you mean 'chair'?)"));
  REQUIRE_THROWS_WITH(read(R"({"Chair": [1], "Cup": [1]})"), Contains("output 1 is given twice"));
  REQUIRE_THROWS_WITH(read(R"({"Chair": 1})"), Contains("not a list"));
  REQUIRE_THROWS_WITH(read("[]"), Contains("not an object"));
  REQUIRE_THROWS_WITH(read("{}"), Contains("maps no class"));
}

TEST_CASE("Accuracy through a class map is that of the score over the whole set, in batches of any size", "[bit]") {
  TemporaryFolder folder;
  auto model = saved_model(folder / "m.safetensors", 12);
  const auto set = data::open_dataset(kTest);
  Json json = Json::object();
  auto class_of = at::full({12}, -1, at::kLong);
  for (int64_t output = 0; output < 9; ++output) {
    const int64_t label = output % 6;  // classes 6 to 9 are not mapped
    json[set->class_name(label)].push_back(output);
    class_of[output] = label;
  }
  write_text(folder / "map.json", json.dump());
  EvaluateOptions options{{.checkpoint = folder / "m.safetensors", .batch_size = 7}, kTest, folder / "map.json"};
  const Json result = evaluate(options, at::kCPU);

  at::NoGradGuard no_grad;
  const auto batch = evaluation_batches(set, {.size = 16}, set->size(), {}).next();
  const auto labels = at::where(batch->labels < 6, batch->labels, at::full_like(batch->labels, -1));
  const auto score = objectnet_score(model->forward(batch->images), class_of, labels);
  REQUIRE(result.at("images") == 24);
  REQUIRE(result.at("left out") == 16);
  REQUIRE(result.at("top1").get<double>() == Approx(score.top1_full));
  REQUIRE(result.at("top5").get<double>() == Approx(score.top5_full));
  REQUIRE(result.at("restricted top1").get<double>() == Approx(score.top1_restricted));
  REQUIRE(result.at("restricted top5").get<double>() == Approx(score.top5_restricted));

  options.class_map.clear();
  REQUIRE_THROWS_WITH(evaluate(options, at::kCPU), Contains("m.safetensors: the network has 12 classes, the test set 10"));
  // A head of ImageNet-21k on other data.
  saved_model(folder / "large.safetensors", 21'843);
  options.checkpoint = folder / "large.safetensors";
  REQUIRE_THROWS_WITH(evaluate(options, at::kCPU), Contains("the network has 21843 classes, the test set 10"));
  REQUIRE_FALSE(load_checkpoint(options.checkpoint, {.num_classes = 10}).head_loaded);
  saved_model(folder / "headless.safetensors", 0);
  options.checkpoint = folder / "headless.safetensors";
  REQUIRE_THROWS_WITH(evaluate(options, at::kCPU), Contains("the network has no head"));
}

TEST_CASE("The table of classes begins with the worst and says what they are taken for", "[bit]") {
  const auto confusion = at::tensor({3, 1, 0, 0, 0, 0, 2, 0, 2}, at::kLong).view({3, 3});
  const Json table = class_table(confusion, {"a", "b", "c"});
  REQUIRE(table[0] == Json{{"class", "c"}, {"images", 4}, {"top1", 0.5}, {"taken for", "a"}});
  REQUIRE(table[1] == Json{{"class", "a"}, {"images", 4}, {"top1", 0.75}, {"taken for", "b"}});
  REQUIRE(table[2] == Json{{"class", "b"}, {"images", 0}});
  const auto picture = confusion_picture(confusion, {"a", "b", "c"});
  REQUIRE(picture.height == 3 * 16);
  const int64_t left = picture.width - 3 * 16;
  const auto pixel = [&](int64_t row, int64_t column) { return picture.row(row * 16 + 1) + 3 * (left + column * 16 + 1); };
  REQUIRE(pixel(0, 0)[0] < pixel(0, 0)[1]);  // right: green
  REQUIRE(pixel(2, 0)[0] > pixel(2, 0)[1]);  // wrong: red
  REQUIRE(int(pixel(1, 1)[0]) == 255);       // no pictures: white
  REQUIRE(int(pixel(0, 1)[1]) > int(pixel(2, 0)[1]));  // a quarter is paler than a half
  REQUIRE_THROWS_AS(confusion_picture(at::zeros({5000, 5000}, at::kByte), std::vector<std::string>(5000)), UserError);
}

TEST_CASE("A report agrees with the evaluation and shows the mistakes", "[bit]") {
  TemporaryFolder folder;
  saved_model(folder / "m.safetensors", 10);
  const Json measured = evaluate({{.checkpoint = folder / "m.safetensors"}, kTest}, at::kCPU);
  const Json made = report({{.checkpoint = folder / "m.safetensors", .batch_size = 7}, kTest, folder / "out/report"}, at::kCPU);
  REQUIRE(made.at("top1") == measured.at("top1"));
  const Json table = parse_json(read_text(folder / "out/report/classes.json"), "classes.json");
  REQUIRE(table.size() == 10);
  double right = 0;
  for (const auto& row : table) right += row.at("top1").get<double>() * row.at("images").get<double>();
  REQUIRE(right == Approx(measured.at("top1").get<double>() * 40));
  REQUIRE(io::read_image(folder / "out/report/confusion.png").height == 160);
  REQUIRE(io::read_image(folder / "out/report/mistakes.png").channels == 3);
}
