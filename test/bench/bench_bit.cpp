// BiT with 10 classes and random weights: what peers/bit_timm_step.py does with timm.
#include "test/bench/bench.h"

#include <libzoo/nn/res_net_v2.h>
#include <libzoo/optim/sgd.h>
#include <libzoo/train/device.h>

#include <ATen/ATen.h>
#include <ATen/detail/CUDAHooksInterface.h>
#ifdef ZOO_HAS_CUDA
#include <ATen/cuda/CUDAContext.h>
#endif

#include <memory>
#include <string>

namespace zoo::bench {
namespace {

struct Settings {
  std::string arch = "r50x1";  // or tiny: one unit per stage, width 0.5
  int64_t size = 64, batch = 32;
  std::string device = "cpu";
  std::string precision = "f32";  // or bf16
};

// Of the GPU's work; on the CPU all is done already.
void wait_for(const at::Device& device) {
  if (device.is_cuda()) at::detail::getCUDAHooks().deviceSynchronize(device.index());
}

std::string card_of(const at::Device& device) {
#ifdef ZOO_HAS_CUDA
  if (device.is_cuda()) return at::cuda::getDeviceProperties(device.index())->name;
#endif
  return device.is_cuda() ? "CUDA without kernels of ours" : "";
}

nn::ResNetV2 network(const Settings& settings) {
  nn::ResNetV2Options options{.num_classes = 10};
  if (settings.arch == "tiny") options.units = {1, 1, 1, 1}, options.width = 0.5;
  nn::ResNetV2 net(options);
  if (settings.precision == "bf16") net->set_compute_type(at::kBFloat16);
  at::NoGradGuard no_grad;
  net->named_parameters()["head.conv.weight"].normal_(0, 0.01);  // a zero head would send no gradient into the body
  net->to(train::resolve_device(settings.device));
  at::globalContext().setBenchmarkCuDNN(true);
  return net;
}

at::Tensor images(const Settings& settings) {
  return at::rand({settings.batch, 3, settings.size, settings.size}).mul_(2).sub_(1).to(train::resolve_device(settings.device));
}

Job forward(const Settings& settings) {
  auto net = network(settings);
  net->eval();
  const auto x = images(settings);
  return {.run =
              [net, x]() mutable {
                c10::InferenceMode inference;
                net(x);
                wait_for(x.device());
              },
          .items = double(settings.batch),
          .unit = "images/s",
          .card = card_of(x.device())};
}

Job train(const Settings& settings) {
  auto net = network(settings);
  const auto x = images(settings), labels = at::randint(0, 10, {settings.batch}, at::kLong).to(x.device());
  auto sgd = std::make_shared<optim::Sgd>(net->named_parameters(), optim::SgdOptions{.momentum = 0.9});
  return {.run =
              [net, x, labels, sgd]() mutable {
                const auto loss = at::cross_entropy_loss(net(x), labels);
                sgd->zero_grad();
                loss.backward();
                sgd->step(0.003);
                wait_for(x.device());
              },
          .items = double(settings.batch),
          .unit = "images/s",
          .card = card_of(x.device())};
}

Benchmark benchmark(const char* name, const char* what, Job (*prepare)(const Settings&)) {
  return {name, what, [prepare](CLI::App& command) {
            auto settings = std::make_shared<Settings>();
            command.add_option("--arch", settings->arch)->check(CLI::IsMember({"r50x1", "tiny"}))->capture_default_str();
            command.add_option("--size", settings->size, "pixels, square")->check(CLI::Range(1, 4096))->capture_default_str();
            command.add_option("--batch", settings->batch)->check(CLI::Range(1, 65536))->capture_default_str();
            command.add_option("--device", settings->device, "cpu, cuda or cuda:1")->capture_default_str();
            command.add_option("--precision", settings->precision)->check(CLI::IsMember({"f32", "bf16"}))->capture_default_str();
            return [settings, prepare](int) { return prepare(*settings); };
          }};
}

}  // namespace

std::vector<Benchmark> bit_benchmarks() {
  return {benchmark("bit_train", "a training step of a BiT network with SGD and momentum", train),
          benchmark("bit_forward", "a BiT network without gradients", forward)};
}

}  // namespace zoo::bench
