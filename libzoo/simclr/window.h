// The mean of a run's values over its last steps, which stays on the device until it is asked for and survives a resumption.
#pragma once

#include <libzoo/core/state.h>

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace zoo::simclr {

class Window {
 public:
  // Of `total` steps the last `length` count.
  Window(int64_t total, int64_t length) : from_(total - length) {}
  void add(int64_t step, const at::Tensor& values);  // [k], the same k each time
  std::vector<double> means() const;                 // empty before any counted

  State state() const;
  void restore(const State& state);

 private:
  int64_t from_, count_ = 0;
  at::Tensor sum_;  // f64
};

}  // namespace zoo::simclr
