// Pictures as people have them, through a network: lists, odd pixels, damaged files; and features for other programs.
#include "test/bit/models.h"
#include "test/catch.h"

#include <libzoo/bit/checkpoint.h>
#include <libzoo/bit/predict.h>
#include <libzoo/core/error.h>
#include <libzoo/data/picture_files.h>
#include <libzoo/io/image_file.h>
#include <libzoo/io/npy.h>
#include <libzoo/io/tensor.h>
#include <libzoo/io/weights.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <unistd.h>

using namespace zoo;
using namespace zoo::bit;
using namespace zoo::test;

namespace {

io::Image picture(int64_t height, int64_t width, int64_t channels) {
  io::Image image{height, width, channels, std::vector<uint8_t>(size_t(height * width * channels))};
  for (size_t i = 0; i < image.pixels.size(); ++i) image.pixels[i] = uint8_t(i * 37 % 251);
  return image;
}

void save(const std::filesystem::path& path, const io::Image& image) {
  const auto png = io::encode_png(image);
  write_text(path, std::string(png.begin(), png.end()));
}

struct Asked {
  TemporaryFolder folder;
  nn::ResNetV2 model = random_model({.units = {1}, .width = 0.5, .num_classes = 4});
  Asked() { save_checkpoint(folder / "m.safetensors", model, {.classes = {"a", "b", "c", "d"}, .preprocessing = {.size = 24}}); }

  std::vector<Prediction> ask(const std::vector<std::filesystem::path>& paths, PredictOptions options = {}) {
    options.checkpoint = folder / "m.safetensors";
    std::vector<Prediction> all;
    predict(options, data::list_pictures(paths), at::kCPU, [&](const Prediction& prediction) { all.push_back(prediction); });
    return all;
  }
};

}  // namespace

TEST_CASE("Files, folders and lists of pictures are one list, and no link leads in a circle", "[bit]") {
  TemporaryFolder folder;
  for (const char* name : {"b.png", "photos/2.png", "photos/1.png", "photos/deep/3.png"}) save(folder / name, picture(4, 4, 3));
  write_text(folder / "photos/notes.md", "no picture");
  std::filesystem::create_directory_symlink("..", folder / "photos/deep/up");
  write_text(folder / "list.txt", "# chosen\nb.png\r\n\nphotos\n");
  std::vector<std::string> names;
  for (const auto& path : data::list_pictures({folder / "list.txt"})) names.push_back(path.lexically_relative(folder.path()).string());
  REQUIRE(names == std::vector<std::string>{"b.png", "photos/1.png", "photos/2.png", "photos/deep/3.png"});
  write_text(folder / "empty.txt", "\n");
  REQUIRE_THROWS_WITH(data::list_pictures({folder / "empty.txt"}), Contains("empty.txt: lists no picture"));
  write_text(folder / "wrong.txt", "gone.png\n");
  REQUIRE_THROWS_WITH(data::list_pictures({folder / "wrong.txt"}),
                      Contains("wrong.txt:1: ") && Contains("gone.png: no such file or folder"));
  std::filesystem::create_directory(folder / "bare");
  REQUIRE_THROWS_WITH(data::list_pictures({folder / "bare"}), Contains("bare: no JPEG or PNG picture"));
}

TEST_CASE("Grey pictures and those with alpha are predicted as their RGB", "[bit]") {
  Asked asked;
  const auto grey = picture(20, 30, 1);
  io::Image rgb{20, 30, 3, {}}, rgba{20, 30, 4, {}};
  for (uint8_t value : grey.pixels) {
    rgb.pixels.insert(rgb.pixels.end(), 3, value);
    rgba.pixels.insert(rgba.pixels.end(), {value, value, value, uint8_t(value / 2)});
  }
  save(asked.folder / "grey.png", grey);
  save(asked.folder / "rgb.png", rgb);
  save(asked.folder / "rgba.png", rgba);
  const auto predictions = asked.ask({asked.folder / "rgb.png", asked.folder / "grey.png", asked.folder / "rgba.png"}, {{.batch_size = 2}});
  REQUIRE(predictions.size() == 3);
  // In batches of two and of one: sums may be rounded in another order, and a logit may be near zero.
  const auto larger = [](float a, float b) { return std::abs(a) < std::abs(b); };
  for (const auto& prediction : predictions) {
    const double largest = std::abs(*std::max_element(prediction.logits.begin(), prediction.logits.end(), larger));
    for (size_t c = 0; c < 4; ++c) REQUIRE(prediction.logits[c] == Approx(predictions[0].logits[c]).epsilon(0).margin(1e-5 * largest));
  }
  REQUIRE(predictions[0].top.size() == 4);
  REQUIRE(predictions[0].top[0].probability >= predictions[0].top[1].probability);
}

TEST_CASE("A picture that is damaged, absurdly large or none at all is an error that names it, or is left out if asked", "[bit]") {
  Asked asked;
  save(asked.folder / "good.png", picture(20, 30, 3));
  auto png = io::encode_png(picture(40, 40, 3));
  write_text(asked.folder / "cut.png", std::string(png.begin(), png.begin() + std::ptrdiff_t(png.size() / 2)));
  const uint8_t huge[8] = {0x7f, 0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff};
  std::memcpy(png.data() + 16, huge, sizeof huge);  // width and height in the header
  write_text(asked.folder / "huge.png", std::string(png.begin(), png.end()));
  write_text(asked.folder / "text.png", "these are words");
  for (const char* name : {"cut.png", "huge.png", "text.png"})
    REQUIRE_THROWS_WITH(asked.ask({asked.folder / "good.png", asked.folder / name}), Contains(name));
  const auto left = asked.ask({asked.folder / "cut.png", asked.folder / "good.png"}, {{.data = {.on_bad_item = data::OnBadItem::skip}}});
  REQUIRE(left.size() == 1);
  REQUIRE(left[0].file.filename() == "good.png");
}

TEST_CASE("Features are exported as the network pools them, for numpy and for safetensors", "[bit]") {
  Asked asked;
  for (int i = 0; i < 5; ++i) save(asked.folder / ("p" + std::to_string(i) + ".png"), picture(20 + i, 30, 3));
  std::vector<std::filesystem::path> files;
  for (int i = 0; i < 5; ++i) files.push_back(asked.folder / ("p" + std::to_string(i) + ".png"));
  std::vector<std::map<std::string, at::Tensor>> exports;
  std::vector<Prediction> plain = asked.ask(files);
  for (const char* name : {"f.npz", "f.safetensors"}) {
    PredictOptions options{{.batch_size = 2}};
    options.features = asked.folder / name;
    const auto predictions = asked.ask(files, options);
    auto tensors = io::load_weights(asked.folder / name).tensors;
    REQUIRE(tensors.at("features").sizes() == at::IntArrayRef({5, 128}));
    REQUIRE(tensors.at("logits").sizes() == at::IntArrayRef({5, 4}));
    const auto names = tensors.at("files");
    const std::string text(reinterpret_cast<const char*>(names.data_ptr<uint8_t>()), size_t(names.numel()));
    REQUIRE(std::count(text.begin(), text.end(), '\n') == 4);
    REQUIRE(text.starts_with(files[0].string()));
    for (size_t i = 0; i < 5; ++i)
      for (int64_t c = 0; c < 4; ++c) {
        REQUIRE(tensors.at("logits")[int64_t(i)][c].item<float>() == predictions[i].logits[size_t(c)]);
        REQUIRE(predictions[i].logits[size_t(c)] == Approx(plain[i].logits[size_t(c)]).margin(1e-4));
      }
    const auto parameters = asked.model->named_parameters();
    const auto logits = at::linear(tensors.at("features"), parameters["head.conv.weight"].flatten(1), parameters["head.conv.bias"]);
    REQUIRE(at::allclose(logits, tensors.at("logits"), 1e-4, 1e-4));
  }
}
