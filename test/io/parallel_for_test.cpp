#include "test/catch.h"

#include <libzoo/io/parallel_for.h>

#include <ATen/Parallel.h>

#include <atomic>
#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

using zoo::io::parallel_for;

namespace {

struct Threads {
  int before = at::get_num_threads();
  explicit Threads(int count) { at::set_num_threads(count); }
  ~Threads() { at::set_num_threads(before); }
};

}  // namespace

TEST_CASE("every item is given out once, to several threads, in parts of the grain at least", "[io]") {
  const Threads threads(3);
  for (const int64_t count : {int64_t(1), int64_t(7), int64_t(100), int64_t(99999)}) {
    std::vector<int> seen(size_t(count), 0);
    std::set<std::thread::id> who;
    std::mutex mutex;
    parallel_for(5, 5 + count, 10, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) ++seen[size_t(i - 5)];
      const std::lock_guard lock(mutex);
      who.insert(std::this_thread::get_id());
    });
    CHECK(std::set(seen.begin(), seen.end()) == std::set{1});
    CHECK(who.size() == (count > 10 ? 3 : 1));
  }
  parallel_for(3, 3, 1, [](int64_t, int64_t) { FAIL("nothing to do"); });
}

TEST_CASE("a loop inside of a loop stays on its thread", "[io]") {
  const Threads threads(2);
  std::atomic<int> moved = 0;
  parallel_for(0, 2, 1, [&](int64_t, int64_t) {
    const auto here = std::this_thread::get_id();
    parallel_for(0, 100, 1, [&](int64_t, int64_t) { moved += std::this_thread::get_id() != here; });
  });
  CHECK(moved == 0);
}

TEST_CASE("an exception of one part comes out of the loop", "[io]") {
  const Threads threads(2);
  CHECK_THROWS_AS(parallel_for(0, 2, 1,
                               [](int64_t begin, int64_t end) {
                                 if (end == 2) throw std::runtime_error("part");
                               }),
                  std::runtime_error);
}
