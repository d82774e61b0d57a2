// Streams: where training data comes from. Stages compose by value,
//
//   auto batches = indices(n, seed) | map(decode, {.workers = 4}) | batch(64) | prefetch(2);
//   while (auto b = batches.next()) …
//
// The plan (which item, in which order, with which random key) is sequential and cheap; the work in map() is parallel
// and a pure function of the item. So order and contents never depend on the number of workers, and a stream that is
// restored continues with the first item that was not delivered, without repeating work that was.
#pragma once

#include <libzoo/core/error.h>
#include <libzoo/core/state.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace zoo::data {

// A position in a stream: each stage appends its counters after those of the stage before it.
using Position = std::vector<int64_t>;

class PositionReader {
 public:
  explicit PositionReader(std::span<const int64_t> values) : values_(values) {}
  int64_t take();                        // throws Error when nothing is left
  bool empty() const { return values_.empty(); }

 private:
  std::span<const int64_t> values_;
};

// One stage. Used by one thread at a time; a stage that hands work to threads hides that behind next().
template <class T>
class Stage {
 public:
  virtual ~Stage() = default;
  // The next item, or nothing at the end. Throws what its work threw, in the order of the items.
  virtual std::optional<T> next() = 0;
  // Appends the position after the last item that next() returned.
  virtual void save(Position& position) const = 0;
  virtual void load(PositionReader& position) = 0;
  // "indices(1000) | shuffle | map(workers=4)": also tells two pipelines apart when a checkpoint is restored.
  virtual std::string describe() const = 0;
};

template <class T>
class Stream {
 public:
  using Item = T;
  explicit Stream(std::unique_ptr<Stage<T>> stage) : stage_(std::move(stage)) {}

  std::optional<T> next() { return stage_->next(); }
  std::string describe() const { return stage_->describe(); }

  State state() const;
  // Throws Error if the state comes from a stream with other stages.
  void restore(const State& state);

  Stage<T>& stage() { return *stage_; }
  std::unique_ptr<Stage<T>> take_stage() && { return std::move(stage_); }

 private:
  std::unique_ptr<Stage<T>> stage_;
};

}  // namespace zoo::data
