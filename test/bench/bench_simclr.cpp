// What peers/simclr_*.py do: two views of pictures, NT-Xent, LARS over a ResNet-50, training steps of a ResNet-18.
#include "test/bench/bench.h"

#include <libzoo/core/random.h>
#include <libzoo/data/image_batches.h>
#include <libzoo/io/jpeg.h>
#include <libzoo/nn/res_net.h>
#include <libzoo/optim/lars.h>
#include <libzoo/optim/sgd.h>
#include <libzoo/simclr/network.h>
#include <libzoo/simclr/nt_xent.h>
#include <libzoo/simclr/views.h>

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <memory>

namespace zoo::bench {
namespace {

// Waves, edges and noise, as the peer draws them.
io::Image picture(uint64_t seed, int64_t height, int64_t width) {
  RandomStream random({.seed = seed});
  double waves[3][2];
  for (auto& wave : waves)
    for (double& frequency : wave) frequency = random.uniform(3, 40);
  io::Image image{height, width, 3, std::vector<uint8_t>(size_t(height * width * 3))};
  const double side = double(std::max(height, width));
  for (int64_t y = 0; y < height; ++y)
    for (int64_t x = 0; x < width; ++x)
      for (int c = 0; c < 3; ++c) {
        const double u = double(x) / side, v = double(y) / side;
        const double edge = std::fmod(u * 9 + v * 5 * (c + 1), 1.0) > 0.5;
        const double value = 0.5 + 0.3 * std::sin(waves[c][0] * u + waves[c][1] * v) + 0.25 * edge + 0.04 * random.normal();
        image.row(y)[3 * x + c] = uint8_t(255 * std::clamp(value, 0.0, 1.0));
      }
  return image;
}

// The same few pictures again and again: JPEG files in memory, or pixels at 32x32.
class Few final : public data::ImageDataset {
 public:
  Few(int64_t size, bool small) : size_(size), small_(small) {
    for (uint64_t i = 0; i < 16; ++i) {
      const auto image = small ? picture(i, 32, 32) : picture(i, 375, 500);
      small ? pixels_.push_back(image) : files_.push_back(io::encode_jpeg(image, 90));
    }
  }
  int64_t size() const override { return size_; }
  int64_t num_classes() const override { return 1; }
  std::string class_name(int64_t) const override { return "picture"; }
  data::ImageSize typical_size() const override { return small_ ? data::ImageSize{32, 32} : data::ImageSize{375, 500}; }
  std::string describe() const override { return "16 pictures"; }

 protected:
  int64_t get_label(int64_t) const override { return 0; }
  void get_picture(int64_t index, data::Picture& picture) const override {
    if (small_)
      picture.set_pixels(data::View<uint8_t>(pixels_[size_t(index % 16)]));
    else
      picture.set_encoded(io::Bytes::borrow(files_[size_t(index % 16)]), "picture");
  }
  std::string get_item_name(int64_t index) const override { return "picture " + std::to_string(index); }

 private:
  int64_t size_;
  bool small_;
  std::vector<io::Image> pixels_;
  std::vector<std::vector<uint8_t>> files_;
};

data::Stream<data::ImageBatch> views(int64_t size, int64_t batch, int threads) {
  const bool small = size <= 32;
  const simclr::ViewOptions options{.size = size, .color_strength = small ? 0.5 : 1, .blur = !small};
  return data::image_batches(std::make_shared<Few>(64 * batch, small), simclr::two_views(options),
                             {.batch_size = batch, .workers = threads});
}

Job two_view(int64_t size, int threads) {
  const int64_t batch = size > 32 ? 32 : 256, batches = size > 32 ? 4 : 16;
  auto stream = std::make_shared<data::Stream<data::ImageBatch>>(views(size, batch, threads));
  return {[stream, batches] {
            for (int64_t i = 0; i < batches; ++i) stream->next();
          },
          double(batch * batches), "images/s"};
}

Job nt_xent(int64_t batch, int64_t dim) {
  at::manual_seed(0);
  auto x = at::randn({batch, dim}).requires_grad_(), y = at::randn({batch, dim}).requires_grad_();
  const auto small = at::randn({8, dim}).requires_grad_();
  simclr::nt_xent(small, small, {.temperature = 0.1}).value.backward();  // loads what is loaded once
  return {[x, y]() mutable {
            x.mutable_grad() = y.mutable_grad() = at::Tensor();
            simclr::nt_xent(x, y, {.temperature = 0.1}).value.backward();
          },
          1, "runs/s"};
}

Job lars() {
  auto net = std::make_shared<simclr::Network>(
      simclr::NetworkOptions{.encoder = "r50_1x_sk0", .head = simclr::HeadMode::none, .num_classes = 1000});
  const auto parameters = (*net)->named_parameters();
  for (auto& entry : parameters) entry.value().mutable_grad() = at::randn_like(entry.value()) * 1e-3;
  auto optimizer = std::make_shared<optim::Lars>(
      parameters,
      [](const std::string& name) {
        return name.ends_with("bias") || name.find("bn") != name.npos ? optim::Role::bias : optim::Role::weight;
      },
      optim::LarsOptions{.weight_decay = 1e-4});
  return {[net, optimizer] { optimizer->step(1.0); }, 1, "runs/s"};
}

Job train_step(int64_t batch, bool with_data, int threads) {
  auto net = std::make_shared<simclr::Network>(simclr::NetworkOptions{.encoder = "r18_1x_sk0", .small_stem = true, .head_layers = 2});
  auto sgd = std::make_shared<optim::Sgd>((*net)->named_parameters(), optim::SgdOptions{.momentum = 0.9});
  auto stream = std::make_shared<data::Stream<data::ImageBatch>>(views(32, batch, with_data ? 1 : threads));
  const auto images = stream->next()->images;
  const int64_t steps = with_data ? 4 : 1;
  return {[=] {
            for (int64_t step = 0; step < steps; ++step) {
              sgd->zero_grad();
              const auto x = simclr::both_views(with_data ? stream->next()->images : images);
              const auto z = (*net)->project((*net)->features(x)).view({batch, 2, -1});
              simclr::nt_xent(z.select(1, 0), z.select(1, 1), {.temperature = 0.5}).value.backward();
              sgd->step(0.1);
            }
          },
          double(batch * steps), "images/s"};
}

}  // namespace

std::vector<Benchmark> simclr_benchmarks() {
  struct Sizes {
    int64_t size = 224, batch = 1024, dim = 128;
  };
  return {{"simclr_two_view", "two random views of each picture, from JPEGs of 500x375 or 32x32 pixels",
           [](CLI::App& command) {
             auto o = std::make_shared<Sizes>();
             command.add_option("--size", o->size, "224 or 32")->check(CLI::IsMember({32, 224}))->capture_default_str();
             return [o](int threads) { return two_view(o->size, threads); };
           }},
          {"simclr_nt_xent", "NT-Xent, forward and backward",
           [](CLI::App& command) {
             auto o = std::make_shared<Sizes>();
             command.add_option("--batch", o->batch, "pairs")->check(CLI::PositiveNumber)->capture_default_str();
             command.add_option("--dim", o->dim)->check(CLI::PositiveNumber)->capture_default_str();
             return [o](int) { return nt_xent(o->batch, o->dim); };
           }},
          {"simclr_lars", "a LARS step over the parameters of a ResNet-50", [](CLI::App&) { return [](int) { return lars(); }; }},
          {"simclr_r18", "pre-training steps of a ResNet-18 on 32x32 pictures", [](CLI::App& command) {
             struct Step {
               int64_t batch = 64;
               bool with_data = false;
             };
             auto o = std::make_shared<Step>();
             command.add_option("--batch", o->batch, "pictures, of two views each")->check(CLI::PositiveNumber)->capture_default_str();
             command.add_flag("--with-data", o->with_data, "make the views too, on a thread beside the step");
             return [o](int threads) { return train_step(o->batch, o->with_data, threads); };
           }}};
}

}  // namespace zoo::bench
