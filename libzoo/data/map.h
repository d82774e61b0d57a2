// map(work, {.workers = 4}): applies a function to every item, on threads, and keeps the order.
//
// `work` must be safe to call from several threads and depend on its item only. What it throws comes out of next() where
// its item would have; the item is then passed over. Work that was begun ahead is begun again after load(), work whose
// result was returned is not.
#pragma once

#include <libzoo/core/thread_pool.h>
#include <libzoo/data/bad_items.h>
#include <libzoo/data/stream.h>

#include <algorithm>
#include <deque>
#include <functional>

namespace zoo::data {

struct MapOptions {
  int workers = 0;             // threads; 0: the caller's
  int window = 0;              // items begun ahead of the one returned; 0: twice the workers
  BadItemPolicy bad_items = {};
  std::string name = "map";    // what the stage is called in messages and in checkpoints
};

// Throws Error if a count is negative.
void check_map_options(const MapOptions& options);
std::string describe_map(const MapOptions& options, bool with_workers);

template <class In, class Work>
class MapStage final : public StageOn<In, std::decay_t<std::invoke_result_t<const Work&, In>>> {
  using Base = StageOn<In, std::decay_t<std::invoke_result_t<const Work&, In>>>;
  using Base::upstream_;

 public:
  using Out = std::decay_t<std::invoke_result_t<const Work&, In>>;

  MapStage(std::unique_ptr<Stage<In>> upstream, Work work, MapOptions options)
      : Base(std::move(upstream)), work_(std::move(work)), options_(std::move(options)) {
    check_map_options(options_);
    if (options_.window == 0) options_.window = 2 * options_.workers;
    upstream_->save(delivered_);
    if (options_.workers > 0) pool_ = std::make_unique<ThreadPool>(options_.workers);
  }

  std::optional<Out> next() override {
    for (;;) {
      begin_ahead();
      if (pending_.empty()) return std::nullopt;
      Pending head = std::move(pending_.front());
      pending_.pop_front();
      try {
        const auto asked = Meter::Clock::now();
        Out out = head.result.get();
        meter_.waited(Meter::Clock::now() - asked);
        meter_.delivered(int64_t(pending_.size()));
        delivered_ = std::move(head.after);
        address_ = std::move(head.address);
        delivered_skipped_ = skipped_;
        return out;
      } catch (const Error& error) {
        if (head.upstream_failed || options_.bad_items.on_bad_item == OnBadItem::fail) throw;
        report_bad_item(options_.bad_items, ++skipped_, error.what());
      }
    }
  }

  void save(Position& position) const override {
    position.insert(position.end(), delivered_.begin(), delivered_.end());
    if (skips()) position.push_back(delivered_skipped_);
  }

  void load(PositionReader& position) override {
    drop_pending();
    upstream_->load(position);
    skipped_ = delivered_skipped_ = skips() ? position.take() : 0;
    delivered_.clear();
    upstream_->save(delivered_);
  }

  void locate(Position& address) const override { address.insert(address.end(), address_.begin(), address_.end()); }

  std::vector<Out> refetch(const std::vector<Position>& addresses) override {
    drop_pending();
    std::vector<std::future<Out>> results;
    for (In& item : upstream_->refetch(addresses)) results.push_back(begin(std::move(item)));
    std::vector<Out> items;
    items.reserve(results.size());
    for (auto& result : results) items.push_back(result.get());
    return items;
  }

  void report(std::vector<StageReport>& reports) const override {
    upstream_->report(reports);
    reports.push_back(meter_.report(options_.name, options_.window, std::max(options_.workers, 1)));
  }

 private:
  std::string name(bool with_speed) const override { return describe_map(options_, with_speed); }

  struct Pending {
    std::future<Out> result;
    Position after, address;  // the upstream's, once this item was pulled
    bool upstream_failed = false;
  };

  bool skips() const { return options_.bad_items.on_bad_item == OnBadItem::skip; }

  std::future<Out> begin(In item) {
    auto shared = std::make_shared<In>(std::move(item));
    auto run = [this, shared] {
      const auto begun = Meter::Clock::now();
      Out out = std::invoke(std::as_const(work_), std::move(*shared));
      meter_.worked(Meter::Clock::now() - begun);
      return out;
    };
    if (pool_) return pool_->submit(std::move(run));
    std::packaged_task<Out()> task(std::move(run));
    task();
    return task.get_future();
  }

  // An upstream error waits in line behind the items before it; nothing is pulled past it until it was thrown.
  void begin_ahead() {
    const size_t window = size_t(std::max(options_.window, 1));
    while (pending_.size() < window && (pending_.empty() || !pending_.back().upstream_failed)) {
      Pending entry;
      try {
        std::optional<In> item = upstream_->next();
        if (!item) return;
        upstream_->locate(entry.address);
        entry.result = begin(std::move(*item));
      } catch (...) {
        std::promise<Out> failed;
        failed.set_exception(std::current_exception());
        entry.result = failed.get_future();
        entry.upstream_failed = true;
      }
      upstream_->save(entry.after);
      pending_.push_back(std::move(entry));
    }
  }

  void drop_pending() {
    if (pending_.empty()) return;
    pending_.clear();
    if (pool_) pool_ = std::make_unique<ThreadPool>(options_.workers);  // what has not started never will
  }

  Work work_;
  MapOptions options_;
  Position delivered_, address_;
  int64_t skipped_ = 0, delivered_skipped_ = 0;
  Meter meter_;
  std::deque<Pending> pending_;
  std::unique_ptr<ThreadPool> pool_;  // last: joined before anything its work uses goes away
};

template <class Work>
struct Map {
  Work work;
  MapOptions options;
  template <class In>
  auto attach(std::unique_ptr<Stage<In>> upstream) && {
    return std::make_unique<MapStage<In, Work>>(std::move(upstream), std::move(work), std::move(options));
  }
};

template <class Work>
Map<Work> map(Work work, MapOptions options = {}) {
  return {std::move(work), std::move(options)};
}

}  // namespace zoo::data
