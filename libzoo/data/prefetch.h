// prefetch(k, {.max_bytes}): a thread keeps up to k items ready, and begins none while those that are ready fill max_bytes. Errors come out of next() in the order of the items; destroying or
// rewinding the stage waits for the item that is being made and leaves no thread.
#pragma once

#include <libzoo/data/stream.h>

#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>
#include <type_traits>

namespace zoo::data {

struct PrefetchOptions {
  int64_t max_bytes = 0;  // of the items ready, as byte_size(item) counts them; 0: any
};

// What an item occupies. Types that hold memory elsewhere have an overload in their namespace.
template <class T>
int64_t byte_size(const T&) {
  return sizeof(T);
}
template <class T>
int64_t byte_size(const std::vector<T>& items) {
  if constexpr (std::is_arithmetic_v<T>) return int64_t(items.size() * sizeof(T));
  int64_t bytes = 0;
  for (const T& item : items) bytes += byte_size(item);
  return bytes;
}

void check_prefetch(int64_t items, const PrefetchOptions& options);  // throws Error if negative
std::string describe_prefetch(int64_t items, const PrefetchOptions& options);

template <class T>
class PrefetchStage final : public StageOn<T> {
  using StageOn<T>::upstream_;

 public:
  PrefetchStage(std::unique_ptr<Stage<T>> upstream, int64_t items, PrefetchOptions options)
      : StageOn<T>(std::move(upstream)), items_(size_t(items)), options_(options) {
    upstream_->save(delivered_);
  }
  ~PrefetchStage() override { stop(); }

  std::optional<T> next() override {
    if (!thread_.joinable() && !ended_) thread_ = std::thread([this] { run(); });
    Entry entry;
    const auto asked = Meter::Clock::now();
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return !ready_.empty() || ended_; });
      if (ready_.empty()) return std::nullopt;
      meter_.delivered(int64_t(ready_.size()) - 1);
      entry = std::move(ready_.front());
      ready_.pop_front();
      bytes_ -= entry.bytes;
    }
    meter_.waited(Meter::Clock::now() - asked);
    changed_.notify_all();
    if (entry.error) std::rethrow_exception(entry.error);
    delivered_ = std::move(entry.after);
    address_ = std::move(entry.address);
    return std::move(entry.item);
  }

  void save(Position& position) const override { position.insert(position.end(), delivered_.begin(), delivered_.end()); }

  void load(PositionReader& position) override {
    stop();
    upstream_->load(position);
    delivered_.clear();
    upstream_->save(delivered_);
  }

  void locate(Position& address) const override { address.insert(address.end(), address_.begin(), address_.end()); }

  std::vector<T> refetch(const std::vector<Position>& addresses) override {
    stop();
    return upstream_->refetch(addresses);
  }

  void report(std::vector<StageReport>& reports) const override {
    upstream_->report(reports);
    reports.push_back(meter_.report("prefetch", int64_t(items_)));
  }

 private:
  std::string name(bool with_speed) const override { return with_speed ? describe_prefetch(int64_t(items_), options_) : ""; }

  struct Entry {
    std::optional<T> item;
    std::exception_ptr error;
    Position after, address;
    int64_t bytes = 0;
  };

  bool has_room() const { return ready_.size() < items_ && (options_.max_bytes == 0 || bytes_ < options_.max_bytes); }

  void run() {
    for (;;) {
      {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return has_room() || stopping_; });
        if (stopping_) return;
      }
      Entry entry;
      try {
        entry.item = upstream_->next();
        upstream_->save(entry.after);
        if (entry.item) {
          upstream_->locate(entry.address);
          entry.bytes = byte_size(*entry.item);
        }
      } catch (...) {
        entry.error = std::current_exception();
      }
      {
        std::lock_guard lock(mutex_);
        if (entry.item || entry.error) {
          bytes_ += entry.bytes;
          ready_.push_back(std::move(entry));
        } else {
          ended_ = true;
        }
      }
      changed_.notify_all();
      if (ended_) return;
    }
  }

  void stop() {
    {
      std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_all();
    if (thread_.joinable()) thread_.join();
    thread_ = std::thread();
    ready_.clear();
    bytes_ = 0;
    ended_ = stopping_ = false;
  }

  size_t items_;
  PrefetchOptions options_;
  Meter meter_;
  Position delivered_, address_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Entry> ready_;
  int64_t bytes_ = 0;  // of those
  bool ended_ = false, stopping_ = false;
  std::thread thread_;
};

struct Prefetch {
  int64_t items;
  PrefetchOptions options;
  template <class T>
  std::unique_ptr<Stage<T>> attach(std::unique_ptr<Stage<T>> upstream) && {
    check_prefetch(items, options);
    if (items == 0) return upstream;
    return std::make_unique<PrefetchStage<T>>(std::move(upstream), items, options);
  }
};

inline Prefetch prefetch(int64_t items, PrefetchOptions options = {}) { return {items, options}; }

}  // namespace zoo::data
