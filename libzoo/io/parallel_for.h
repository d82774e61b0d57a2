// LibTorch's threads for loops of ours. at::parallel_for is a template that a file compiled without -fopenmp runs on one thread;
// this one goes through code that is compiled inside LibTorch, whatever threads that was built with.
//
//   io::parallel_for(0, rows, 64, [&](int64_t begin, int64_t end) { … });
#pragma once

#include <c10/util/FunctionRef.h>

#include <cstdint>

namespace zoo::io {

// Calls work(begin, end) for parts of [begin, end) of at least `grain` items, at most at::get_num_threads() at once. Inside of
// another such loop on one thread. Rethrows the first exception.
void parallel_for(int64_t begin, int64_t end, int64_t grain, c10::function_ref<void(int64_t begin, int64_t end)> work);

}  // namespace zoo::io
