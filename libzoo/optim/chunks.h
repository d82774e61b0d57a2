// The values of many tensors in equal chunks over the processors: what makes one pass of an optimiser's step.
#pragma once

#include <c10/util/FunctionRef.h>

#include <cstdint>
#include <vector>

namespace zoo::optim {

// Calls work(tensor, begin, end) for chunks that cover [0, counts[tensor]) of every tensor, in parallel.
void for_chunks(const std::vector<int64_t>& counts, c10::function_ref<void(size_t tensor, int64_t begin, int64_t end)> work);

}  // namespace zoo::optim
