// Pictures to normalised batches, as a recipe reads them: what peers/echo_image_pipeline.py and peers/augment32.py do.
//
//   zoo-bench jpeg224 --data build/bench/images --threads 2
#include "test/bench/bench.h"

#include <libzoo/data/image_batches.h>

#include <filesystem>
#include <memory>

namespace zoo::bench {
namespace {

using namespace zoo::data;

const std::vector<float> kMean{0.485f, 0.456f, 0.406f}, kStd{0.229f, 0.224f, 0.225f};

// Endless batches of 64; one run takes about `items` pictures.
Job drain(const DatasetPointer& dataset, const ImageTransform& transform, int threads, int64_t items, int64_t batch_size) {
  auto stream = std::make_shared<Stream<ImageBatch>>(
      image_batches(dataset, transform, {.batch_size = batch_size, .drop_last = false, .seed = 1, .workers = threads}));
  const int64_t batches = (items + batch_size - 1) / batch_size;
  return {[stream, batches] {
            for (int64_t i = 0; i < batches; ++i) stream->next();
          },
          double(items), "images/s"};
}

struct Jpeg {
  std::string data;
  int64_t images = 1000;
  bool scaled = false, decode_only = false;
};

// Random resized crops of a folder of JPEGs to 224x224.
Job jpeg224(const Jpeg& o, int threads) {
  DatasetPointer folder = open_dataset(ImageFolderOptions{.path = o.data});
  std::vector<std::pair<std::string, int64_t>> names;
  for (int64_t i = 0; i < folder->size(); ++i) names.emplace_back(std::filesystem::path(folder->item_name(i)).filename().string(), i);
  std::sort(names.begin(), names.end());
  names.resize(size_t(std::min(o.images, folder->size())));
  std::vector<int64_t> chosen;
  for (const auto& [name, index] : names) chosen.push_back(index);
  const TrainTransform train{
      .mode = TrainMode::random_resized, .crop = 224, .range = {.area_min = 0.08}, .mean = kMean, .std = kStd, .scaled_decode = o.scaled};
  ImageTransform transform = image_transform(train);
  if (o.decode_only) {
    transform.apply = [train](Picture& picture, const RandomKey& key, float*) {
      RandomStream random(key);
      const auto [height, width] = picture.size();
      picture.region(train.draw(height, width, random).box);
    };
  }
  return drain(subset(folder, chosen), transform, threads, int64_t(chosen.size()), 64);
}

// 32x32 noise in memory.
class Noise final : public ImageDataset {
 public:
  explicit Noise(int64_t size) : pixels_(size_t(size * kPicture)) {
    for (size_t i = 0; i < pixels_.size(); ++i) pixels_[i] = uint8_t(uint32_t(i) * 2654435761u >> 24);
  }
  int64_t size() const override { return int64_t(pixels_.size()) / kPicture; }
  int64_t num_classes() const override { return 10; }
  std::string class_name(int64_t label) const override { return std::to_string(label); }
  ImageSize typical_size() const override { return {32, 32}; }
  std::string describe() const override { return "noise"; }

 protected:
  int64_t get_label(int64_t index) const override { return index % 10; }
  void get_picture(int64_t index, Picture& picture) const override {
    picture.set_pixels(View<uint8_t>(&pixels_[size_t(index * kPicture)], 32, 32, 3, 96));
  }
  std::string get_item_name(int64_t index) const override { return "noise " + std::to_string(index); }

 private:
  static constexpr int64_t kPicture = 32 * 32 * 3;
  std::vector<uint8_t> pixels_;
};

Job augment32(int64_t images, int64_t batch_size, int threads) {
  const TrainTransform train{.mode = TrainMode::padded, .crop = 32, .mean = kMean, .std = kStd};
  return drain(std::make_shared<Noise>(images), image_transform(train), threads, images, batch_size);
}

}  // namespace

std::vector<Benchmark> data_benchmarks() {
  return {{"jpeg224", "random resized crops of a folder of JPEGs, normalised, in batches of 64",
           [](CLI::App& command) {
             auto o = std::make_shared<Jpeg>();
             command.add_option("--data", o->data, "folder with one folder of pictures per class")->required();
             command.add_option("--images", o->images, "the first so many by file name")->check(CLI::PositiveNumber)->capture_default_str();
             command.add_flag("--decode-only", o->decode_only, "decode the crops and do no more: what is left if all else were free");
             command.add_flag("--scaled", o->scaled, "decode at a fraction of the size where the crop allows");
             return [o](int threads) { return jpeg224(*o, threads); };
           }},
          {"augment32", "padded crops and mirrors of 32x32 pictures in memory, normalised", [](CLI::App& command) {
             struct Options {
               int64_t images = 50'000, batch = 128;
             };
             auto o = std::make_shared<Options>();
             command.add_option("--images", o->images)->check(CLI::PositiveNumber)->capture_default_str();
             command.add_option("--batch", o->batch)->check(CLI::PositiveNumber)->capture_default_str();
             return [o](int threads) { return augment32(o->images, o->batch, threads); };
           }}};
}

}  // namespace zoo::bench
