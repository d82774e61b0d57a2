// Streams: where training data comes from. Stages compose by value,
//
//   auto batches = indices(n, {.seed = 1}) | map(decode, {.workers = 4}) | batch(64) | prefetch(2);
//   while (auto b = batches.next()) …
//
// The plan (which item, in which order, with which random key) is sequential and cheap; the work in map() is parallel
// and a pure function of the item. So order and contents never depend on the number of workers, and a stream that is
// restored continues with the first item that was not delivered, without repeating work that was.
#pragma once

#include <libzoo/core/error.h>
#include <libzoo/core/state.h>
#include <libzoo/data/meter.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
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
  // "indices(1000, seed=1, shuffled, endless) | map(workers=4, window=8)".
  virtual std::string describe() const = 0;
  // describe() without what changes no item: worker counts, windows, prefetching. Tells two pipelines apart when a
  // checkpoint is restored.
  virtual std::string identity() const { return describe(); }

  // How a stage that holds items (a shuffle buffer, an echo) gets them back without storing them: locate() appends the
  // address of the item that next() returned last, refetch() returns the items at such addresses, in that order, and
  // does the work of no others. It leaves the stage at no defined place: load() follows.
  virtual void locate(Position& address) const = 0;
  virtual std::vector<T> refetch(const std::vector<Position>& addresses) = 0;

  // Appends what was measured, the source first. May be called by any thread.
  virtual void report(std::vector<StageReport>& reports) const = 0;
};

// A stage that reads from another.
template <class In, class Out = In>
class StageOn : public Stage<Out> {
 public:
  explicit StageOn(std::unique_ptr<Stage<In>> upstream) : upstream_(std::move(upstream)) {}

  std::string describe() const final { return joined(upstream_->describe(), name(true)); }
  std::string identity() const final { return joined(upstream_->identity(), name(false)); }

 protected:
  // "map(workers=4, window=8)"; without what changes no item for identity(). Empty: a stage not worth naming.
  virtual std::string name(bool with_speed) const = 0;

  std::unique_ptr<Stage<In>> upstream_;

 private:
  static std::string joined(const std::string& before, const std::string& own) { return own.empty() ? before : before + " | " + own; }
};

template <class T>
class Stream {
 public:
  using Item = T;
  explicit Stream(std::unique_ptr<Stage<T>> stage) : stage_(std::move(stage)) {}

  std::optional<T> next() { return stage_->next(); }
  std::string describe() const { return stage_->describe(); }
  std::vector<StageReport> reports() const;  // a row a stage, the source first

  // values: {"stages": identity, "position": […]}.
  State state() const;
  // Throws Error if the state comes from a stream with other stages, and then leaves this one as it was. The number of
  // workers may differ.
  void restore(const State& state);

  Stage<T>& stage() { return *stage_; }
  const Stage<T>& stage() const { return *stage_; }
  std::unique_ptr<Stage<T>> take_stage() && { return std::move(stage_); }

 private:
  std::unique_ptr<Stage<T>> stage_;
};

// source | map(f) | batch(8): a specification of a stage is anything with attach(std::unique_ptr<Stage<T>>), which returns
// the stage that reads from that one.
template <class T, class Specification>
auto operator|(Stream<T> stream, Specification specification) {
  auto stage = std::move(specification).attach(std::move(stream).take_stage());
  using Item = typename decltype(stage->next())::value_type;
  return Stream<Item>(std::unique_ptr<Stage<Item>>(std::move(stage)));
}

// The state of a stream as values, and back. read_position throws Error if `state` has no such values or other stages.
State stream_state(const std::string& identity, const Position& position);
Position read_position(const State& state, const std::string& identity);
// A list inside a position: its length, then its values. take_list throws Error if it is cut short.
void append_list(Position& position, const Position& list);
Position take_list(PositionReader& position);
[[noreturn]] void refuse_rest(const std::string& identity);        // the position has values that no stage took
[[noreturn]] void refuse_refetch(const std::string& description);  // there is no item at that position

// refetch() of a stage whose addresses are positions before an item.
template <class T>
std::vector<T> refetch_by_position(Stage<T>& stage, const std::vector<Position>& positions) {
  std::vector<T> items;
  items.reserve(positions.size());
  for (const Position& position : positions) {
    PositionReader reader(position);
    stage.load(reader);
    std::optional<T> item = stage.next();
    if (!item) refuse_refetch(stage.describe());
    items.push_back(std::move(*item));
  }
  return items;
}

// The items a restored stage held, from their addresses; then `upstream` stands at `position`.
template <class T>
std::vector<T> refetch_held(Stage<T>& upstream, const std::vector<Position>& addresses, PositionReader position) {
  if (addresses.empty()) return {};
  std::vector<T> items = upstream.refetch(addresses);
  upstream.load(position);
  return items;
}

template <class T>
std::vector<StageReport> Stream<T>::reports() const {
  std::vector<StageReport> reports;
  stage_->report(reports);
  return reports;
}

template <class T>
State Stream<T>::state() const {
  Position position;
  stage_->save(position);
  return stream_state(stage_->identity(), position);
}

template <class T>
void Stream<T>::restore(const State& state) {
  const Position wanted = read_position(state, stage_->identity());
  Position present;
  stage_->save(present);
  try {
    PositionReader reader(wanted);
    stage_->load(reader);
    if (!reader.empty()) refuse_rest(stage_->identity());
  } catch (...) {
    PositionReader reader(present);
    stage_->load(reader);
    throw;
  }
}

}  // namespace zoo::data
