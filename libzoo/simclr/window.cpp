#include <libzoo/io/tensor.h>
#include <libzoo/simclr/window.h>

#include <ATen/ATen.h>

namespace zoo::simclr {

void Window::add(int64_t step, const at::Tensor& values) {
  if (step < from_) return;
  const auto wide = values.detach().to(at::kDouble);
  sum_ = sum_.defined() ? sum_.to(wide.device()) + wide : wide;
  ++count_;
}

std::vector<double> Window::means() const {
  std::vector<double> means;
  if (!sum_.defined()) return means;
  const auto mean = (sum_ / double(count_)).cpu();
  for (int64_t i = 0; i < mean.numel(); ++i) means.push_back(mean[i].item<double>());
  return means;
}

State Window::state() const {
  State state{.values = {{"count", count_}}};
  if (sum_.defined()) state.arrays.emplace("sum", io::to_array(sum_));
  return state;
}

void Window::restore(const State& state) {
  count_ = state.values.at("count");
  const auto sum = state.arrays.find("sum");
  sum_ = sum == state.arrays.end() ? at::Tensor() : io::to_tensor(sum->second).clone();
}

}  // namespace zoo::simclr
