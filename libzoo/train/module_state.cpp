#include <libzoo/train/module_state.h>

#include <libzoo/core/error.h>
#include <libzoo/io/tensor.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <map>
#include <utility>
#include <vector>

namespace zoo::train {
namespace {

std::map<std::string, at::Tensor> named_tensors(const torch::nn::Module& module) {
  std::map<std::string, at::Tensor> tensors;
  for (const auto& item : module.named_parameters()) {
    if (item.value().defined()) tensors.emplace(item.key(), item.value());
  }
  for (const auto& item : module.named_buffers()) {
    if (item.value().defined()) tensors.emplace(item.key(), item.value());
  }
  return tensors;
}

}  // namespace

State module_state(const torch::nn::Module& module) {
  State state;
  for (const auto& [name, tensor] : named_tensors(module)) state.arrays.emplace(name, io::view_array(tensor));
  return state;
}

void restore_module(torch::nn::Module& module, const State& state, const std::string& name) {
  const auto tensors = named_tensors(module);
  std::string problems;
  std::vector<std::pair<at::Tensor, at::Tensor>> copies;
  for (const auto& [key, tensor] : tensors) {
    const auto found = state.arrays.find(key);
    if (found == state.arrays.end()) {
      problems += fmt::format("\n  missing: {}", key);
      continue;
    }
    if (found->second.shape() != tensor.sizes().vec()) {
      problems += fmt::format("\n  shape: {} is [{}], the module has [{}]", key, fmt::join(found->second.shape(), ", "),
                              fmt::join(tensor.sizes().vec(), ", "));
      continue;
    }
    auto value = io::to_tensor(found->second);
    if (value.scalar_type() != tensor.scalar_type()) {
      problems += fmt::format("\n  type: {} is {}, the module has {}", key, c10::toString(value.scalar_type()),
                              c10::toString(tensor.scalar_type()));
      continue;
    }
    copies.emplace_back(tensor, std::move(value));
  }
  for (const auto& [key, array] : state.arrays) {
    if (!tensors.contains(key)) problems += fmt::format("\n  unexpected: {}", key);
  }
  if (!problems.empty()) {
    throw Error(fmt::format("'{}' can't be restored, its tensors differ from the saved ones:{}", name, problems),
                "resume with the options that the run was started with");
  }
  at::NoGradGuard no_grad;
  for (auto& [tensor, value] : copies) tensor.copy_(value);
}

int64_t parameter_count(const torch::nn::Module& module) {
  int64_t total = 0;
  for (const auto& parameter : module.parameters()) total += parameter.numel();
  return total;
}

}  // namespace zoo::train
