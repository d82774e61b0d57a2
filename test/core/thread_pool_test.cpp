#include "test/catch.h"

#include <libzoo/core/error.h>
#include <libzoo/core/thread_pool.h>

#include <atomic>
#include <memory>
#include <string>

using zoo::ThreadPool;

TEST_CASE("A pool runs everything and hands back results", "[core][threads]") {
  ThreadPool pool(3);
  REQUIRE(pool.threads() == 3);
  std::vector<std::future<int>> results;
  for (int i = 0; i < 1000; ++i) results.push_back(pool.submit([i] { return i * i; }));
  for (int i = 0; i < 1000; ++i) REQUIRE(results[size_t(i)].get() == i * i);
  auto moved = std::make_unique<int>(5);
  int seen = 0;
  pool.submit([&seen] { seen = 7; }).get();
  REQUIRE(seen == 7);
}

TEST_CASE("An exception travels through the future and the pool lives on", "[core][threads]") {
  ThreadPool pool(1);
  auto failing = pool.submit([]() -> int { throw zoo::UserError("no such image", "look elsewhere"); });
  try {
    failing.get();
    FAIL("nothing was thrown");
  } catch (const zoo::UserError& e) {
    REQUIRE(std::string(e.what()) == "no such image");
    REQUIRE(e.hint() == "look elsewhere");
  }
  auto odd = pool.submit([] { throw 5; });
  REQUIRE_THROWS_AS(odd.get(), int);
  REQUIRE(pool.submit([] { return 1; }).get() == 1);
}

TEST_CASE("A pool that stops finishes what runs and drops what is queued", "[core][threads]") {
  std::atomic<bool> started = false, release = false;
  std::atomic<int> ran = 0;
  std::future<int> running, late;
  std::vector<std::future<void>> queued;
  {
    auto pool = std::make_unique<ThreadPool>(1);
    ThreadPool* raw = pool.get();
    running = pool->submit([&] {
      started = true;
      while (!release) std::this_thread::yield();
      return 1;
    });
    while (!started) std::this_thread::yield();
    for (int i = 0; i < 100; ++i) queued.push_back(raw->submit([&ran] { ++ran; }));
    std::thread stopper([&] { pool.reset(); });
    // The queued work is dropped while the first task still runs; the destructor waits for it.
    for (auto& future : queued) REQUIRE_THROWS_WITH(future.get(), "thread pool stopped");
    release = true;
    stopper.join();
  }
  REQUIRE(running.get() == 1);
  REQUIRE(ran == 0);
}

TEST_CASE("A task that submits while the pool stops gets an answer too", "[core][threads]") {
  std::atomic<bool> started = false;
  std::future<std::future<int>> outer;
  {
    ThreadPool pool(1);
    outer = pool.submit([&] {
      started = true;
      // Long enough for the destructor to have begun in most runs; either way the inner future is answered or dropped.
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      return pool.submit([] { return 3; });
    });
    while (!started) std::this_thread::yield();
  }
  auto inner = outer.get();
  std::string answer;
  try {
    answer = std::to_string(inner.get());
  } catch (const zoo::Error& e) {
    answer = e.what();
  }
  REQUIRE((answer == "3" || answer == "thread pool stopped"));
}

TEST_CASE("A pool without threads is refused", "[core][threads]") {
  REQUIRE_THROWS_WITH(ThreadPool(0), Contains("at least one thread, got 0"));
}
