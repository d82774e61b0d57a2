#include <libzoo/train/device.h>

#include <libzoo/core/error.h>

#include <fmt/format.h>

#include <charconv>

namespace zoo::train {

at::Device resolve_device(const std::string& name) {
  const int64_t gpus = at::globalContext().hasCUDA() ? int64_t(at::detail::getCUDAHooks().getNumGPUs()) : 0;
  if (name == "cpu") return at::kCPU;
  if (name == "auto") return gpus > 0 ? at::Device(at::kCUDA, 0) : at::Device(at::kCPU);

  int index = 0;
  bool understood = name == "cuda";
  if (name.starts_with("cuda:")) {
    const char* end = name.data() + name.size();
    const auto [stop, error] = std::from_chars(name.data() + 5, end, index);
    understood = error == std::errc() && stop == end && index >= 0;
  }
  if (!understood) throw UserError(fmt::format("device '{}' is unknown", name), "one of auto, cpu, cuda, cuda:0, cuda:1 …");
  if (gpus == 0) {
    const bool built = at::globalContext().hasCUDART();
    const char* reason = built ? "no CUDA device or driver was found" : "this LibTorch was built without CUDA";
    throw UserError(fmt::format("device '{}': {}", name, reason),
                    built ? "use --device cpu" : "use --device cpu, or build against a LibTorch with CUDA");
  }
  if (index >= gpus) {
    throw UserError(fmt::format("device '{}': there are {} CUDA devices", name, gpus), fmt::format("the last is cuda:{}", gpus - 1));
  }
  return {at::kCUDA, at::DeviceIndex(index)};
}

}  // namespace zoo::train
