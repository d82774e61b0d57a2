#include <libzoo/rl/parallel.h>

#include <algorithm>
#include <exception>
#include <future>
#include <vector>

namespace zoo::rl {

void in_parts(ThreadPool* pool, size_t count, const std::function<void(size_t, size_t)>& work) {
  if (count == 0) return;
  const size_t parts = pool ? size_t(pool->threads()) + 1 : 1, each = (count + parts - 1) / parts;
  std::vector<std::future<void>> others;
  for (size_t begin = each; begin < count; begin += each)
    others.push_back(pool->submit([&work, begin, end = std::min(begin + each, count)] { work(begin, end); }));
  std::exception_ptr failure;
  try {
    work(0, std::min(each, count));
  } catch (...) {
    failure = std::current_exception();  // the others still use `work`
  }
  for (auto& other : others) other.wait();
  if (failure) std::rethrow_exception(failure);
  for (auto& other : others) other.get();
}

}  // namespace zoo::rl
