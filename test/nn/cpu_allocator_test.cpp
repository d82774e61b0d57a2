#include "test/catch.h"

#include <libzoo/nn/cpu_allocator.h>

#include <ATen/ATen.h>
#include <c10/core/CPUAllocator.h>

#include <atomic>
#include <thread>
#include <vector>

using namespace zoo;

TEST_CASE("the memory of large tensors is used again, and never by two at once", "[nn]") {
  const auto before = at::arange(1 << 20);  // freed after the switch
  nn::use_caching_cpu_allocator();
  nn::use_caching_cpu_allocator();
  const int64_t used = nn::cpu_memory().used;
  auto x = at::ones({1000, 1000});
  const void* first = x.data_ptr();
  CHECK(nn::cpu_memory().used - used >= 4000000);
  CHECK(nn::cpu_memory().used - used <= 4500000);
  const auto y = at::zeros({1000, 1000});
  CHECK(y.data_ptr() != first);
  CHECK(x.sum().item<float>() == 1e6f);
  x.reset();
  CHECK(nn::cpu_memory().waiting >= 4000000);
  CHECK(at::zeros({999, 1001}).data_ptr() == first);  // zeros writes them: the ones are gone
  CHECK(at::zeros({999, 1001}).sum().item<float>() == 0);
  CHECK(before[77].item<int64_t>() == 77);
}

TEST_CASE("no more memory waits than is in use when new memory is taken", "[nn]") {
  nn::use_caching_cpu_allocator();
  const auto held = at::empty({1 << 22});
  for (int64_t megabytes = 1; megabytes < 100; megabytes += 3) at::empty({megabytes << 20}, at::kByte);
  const auto last = at::empty({101 << 20}, at::kByte);
  CHECK(nn::cpu_memory().waiting <= nn::cpu_memory().used);
}

TEST_CASE("memory that is asked for without a tensor comes back too", "[nn]") {
  nn::use_caching_cpu_allocator();
  auto* allocator = c10::GetCPUAllocator();
  for (const size_t size : {size_t(0), size_t(100), size_t(1) << 20, size_t(5) << 20}) {
    const int64_t used = nn::cpu_memory().used;
    void* piece = allocator->raw_allocate(size);
    allocator->raw_deallocate(piece);
    CHECK(nn::cpu_memory().used == used);
  }
}

TEST_CASE("threads take and free large tensors at the same time", "[nn]") {
  nn::use_caching_cpu_allocator();
  const int64_t used = nn::cpu_memory().used;
  std::vector<std::thread> threads;
  std::atomic<bool> whole = true;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 50; ++i) {
        const auto x = at::full({(1 + i % 3) << 18}, float(t));
        if (x.min().item<float>() != float(t) || x.max().item<float>() != float(t)) whole = false;
      }
    });
  for (auto& thread : threads) thread.join();
  CHECK(whole);
  CHECK(nn::cpu_memory().used == used);
}
