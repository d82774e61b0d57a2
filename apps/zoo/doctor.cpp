// zoo doctor: what this machine and this build can do, with a short speed check.
#include "apps/zoo/verbs.h"

#include <ATen/ATen.h>
#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <torch/headeronly/version.h>

#include <fmt/format.h>

#include <chrono>
#include <fstream>
#include <string>
#include <thread>

namespace zoo::apps {
namespace {

std::string processor_name() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  }
  return "unknown";
}

std::string processor_features() {
  std::string found;
#if defined(__x86_64__)
  __builtin_cpu_init();
  auto add = [&](bool has, const char* name) {
    if (has) found += (found.empty() ? "" : " ") + std::string(name);
  };
  add(__builtin_cpu_supports("sse4.2"), "sse4.2");
  add(__builtin_cpu_supports("avx2"), "avx2");
  add(__builtin_cpu_supports("fma"), "fma");
  add(__builtin_cpu_supports("avx512f"), "avx512f");
  add(__builtin_cpu_supports("avx512bw"), "avx512bw");
  add(__builtin_cpu_supports("avx512vnni"), "avx512vnni");
  add(__builtin_cpu_supports("avx512bf16"), "avx512bf16");
#endif
  return found.empty() ? "none known" : found;
}

// Thousand millions of floating-point operations a second of `work`, which does `operations` of them.
template <class Work>
double giga_operations(double seconds, double operations, Work work) {
  using Clock = std::chrono::steady_clock;
  work();
  int64_t repeats = 0;
  const auto start = Clock::now();
  double elapsed = 0;
  for (; elapsed < seconds; elapsed = std::chrono::duration<double>(Clock::now() - start).count(), ++repeats) work();
  return operations * double(repeats) / elapsed / 1e9;
}

}  // namespace

Json doctor(const DoctorOptions& options, const Context& context) {
  at::NoGradGuard no_grad;
  const auto a = at::rand({1024, 1024}), b = at::rand({1024, 1024});
  const auto images = at::rand({8, 64, 56, 56}).contiguous(at::MemoryFormat::ChannelsLast);
  const auto kernel = at::rand({64, 64, 3, 3}).contiguous(at::MemoryFormat::ChannelsLast);
  const double matmul = giga_operations(options.seconds / 2, 2.0 * 1024 * 1024 * 1024, [&] { at::matmul(a, b); });
  const double conv = giga_operations(options.seconds / 2, 2.0 * 8 * 56 * 56 * 64 * 64 * 9, [&] { at::conv2d(images, kernel, {}, 1, 1); });
  return {{"libzoo", ZOO_VERSION},
          {"LibTorch", TORCH_VERSION},
          {"compiler", fmt::format("GCC {}.{}", __GNUC__, __GNUC_MINOR__)},
          {"processor", processor_name()},
          {"features", processor_features()},
          {"cores", int64_t(std::thread::hardware_concurrency())},
          {"threads", at::get_num_threads()},
          {"oneDNN", at::globalContext().userEnabledMkldnn() && at::hasMKLDNN()},
          {"CUDA kernels compiled in", bool(ZOO_HAS_CUDA_KERNELS)},
          {"CUDA devices", at::hasCUDA() ? int64_t(at::detail::getCUDAHooks().deviceCount()) : 0},
          {"matmul GFLOP/s", matmul},
          {"convolution GFLOP/s", conv}};
}

}  // namespace zoo::apps
