// A loop over numbered items on the threads of a pool and the caller's.
#pragma once

#include <libzoo/core/thread_pool.h>

#include <cstddef>
#include <functional>

namespace zoo::rl {

// Calls work(begin, end) for equal parts of [0, count), one a thread; without a pool once. Rethrows an exception when all have ended.
void in_parts(ThreadPool* pool, size_t count, const std::function<void(size_t begin, size_t end)>& work);

}  // namespace zoo::rl
