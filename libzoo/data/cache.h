// What was made once, kept in memory up to a bound. Nothing is thrown out for newer items: where every item comes once an
// epoch, in a new order each time, that would throw out what comes next.
//
//   auto pictures = tickets | map(cached(decode, {.max_bytes = 1 << 30}), {.workers = 4}) | …
#pragma once

#include <libzoo/data/prefetch.h>
#include <libzoo/data/sources.h>

#include <concepts>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <unordered_map>

namespace zoo::data {

struct CacheOptions {
  int64_t max_bytes = 0;  // as byte_size(item) counts them; what would exceed it is not kept
};

void check_cache(const CacheOptions& options);  // throws Error if negative

// By number. Safe to use from several threads.
template <class T>
class Cache {
 public:
  explicit Cache(CacheOptions options) : options_(options) { check_cache(options_); }

  // None if it isn't there. What is found stays where it is as long as the cache.
  std::shared_ptr<const T> find(int64_t key) const {
    std::lock_guard lock(mutex_);
    const auto at = items_.find(key);
    return at == items_.end() ? nullptr : at->second;
  }

  // The item that is kept under the key from now on, which is the one before if there is one; `item` itself if it has no room.
  std::shared_ptr<const T> keep(int64_t key, T item, int64_t bytes) {
    auto shared = std::make_shared<const T>(std::move(item));
    std::lock_guard lock(mutex_);
    if (bytes_ + bytes > options_.max_bytes) return shared;
    const auto [at, is_new] = items_.emplace(key, std::move(shared));
    if (is_new) bytes_ += bytes;
    return at->second;
  }

  int64_t bytes() const {
    std::lock_guard lock(mutex_);
    return bytes_;
  }

 private:
  CacheOptions options_;
  mutable std::mutex mutex_;
  std::unordered_map<int64_t, std::shared_ptr<const T>> items_;
  int64_t bytes_ = 0;
};

// `work` of a ticket, done once for each index while there is room; the results are copied out, so they should be handles.
// It must not depend on the epoch.
template <class Work>
  requires std::invocable<const Work&, const Ticket&>
auto cached(Work work, CacheOptions options) {
  using Out = std::decay_t<std::invoke_result_t<const Work&, const Ticket&>>;
  return [work = std::move(work), cache = std::make_shared<Cache<Out>>(options)](const Ticket& ticket) -> Out {
    if (const auto found = cache->find(ticket.index)) return *found;
    Out made = std::invoke(work, ticket);
    const int64_t bytes = byte_size(made);
    return *cache->keep(ticket.index, std::move(made), bytes);
  };
}

}  // namespace zoo::data
