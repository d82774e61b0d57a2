// A scalar to log: a number, or a tensor with one element, which is read back only when it is needed.
//
//   run.log(step, {{"loss", loss}, {"learning_rate", rate}, {"images", images.size(0)}});
#pragma once

#include <ATen/core/Tensor.h>

#include <concepts>
#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace zoo::train {

class Value {
 public:
  template <std::floating_point T>
  Value(T number) : held_(double(number)) {}
  template <std::integral T>
  Value(T number) : held_(int64_t(number)) {}
  // Throws Error if the tensor has more than one element. Tensors on the CPU are read at once, others copied there.
  Value(const at::Tensor& tensor);

  const std::variant<double, int64_t, at::Tensor>& held() const { return held_; }
  double number() const;  // waits for the device if it is a tensor

 private:
  std::variant<double, int64_t, at::Tensor> held_;
};

using NamedValues = std::vector<std::pair<std::string, Value>>;

}  // namespace zoo::train
