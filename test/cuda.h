// Tests that need a GPU: they say so and pass where there is none.
#pragma once

#include "test/catch.h"

#include <ATen/Context.h>
#include <ATen/detail/CUDAHooksInterface.h>

namespace zoo::test {

inline bool has_gpu() {
  const bool found = at::globalContext().hasCUDA() && at::detail::getCUDAHooks().getNumGPUs() > 0;
  if (!found) WARN("left out: there is no GPU");
  return found;
}

}  // namespace zoo::test
