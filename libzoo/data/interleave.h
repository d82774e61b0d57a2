// interleave(open, {.cycle = 4, .block = 16}): reads several files at once. Each item of the stream before it (a file, a
// shard) is opened as a stream of its own; `cycle` of them take turns, `block` items a turn. One that ends makes room for the
// next. The order depends on the options only.
//
//   auto records = indices(files.size(), {.seed = 1, .epochs = 1}) | interleave([=](Ticket t) { return records_of(files[t.index]); }, {.cycle = 8});
#pragma once

#include <libzoo/data/stages.h>

#include <functional>
#include <type_traits>

namespace zoo::data {

struct InterleaveOptions {
  int64_t cycle = 4;  // streams open at once
  int64_t block = 1;  // items of a turn
};

void check_interleave(const InterleaveOptions& options);  // throws Error
std::string describe_interleave(const InterleaveOptions& options);

template <class In, class Open>
class InterleaveStage final : public StageOn<In, typename std::invoke_result_t<const Open&, In>::Item> {
 public:
  using Inner = std::invoke_result_t<const Open&, In>;
  using Out = typename Inner::Item;

 private:
  using Base = StageOn<In, Out>;
  using Base::upstream_;

 public:
  InterleaveStage(std::unique_ptr<Stage<In>> upstream, Open open, InterleaveOptions options)
      : Base(std::move(upstream)), open_(std::move(open)), options_(options) {}

  std::optional<Out> next() override {
    for (;;) {
      while (int64_t(lanes_.size()) < options_.cycle && !files_ended_) open_next();
      if (lanes_.empty()) return std::nullopt;
      if (turn_ >= int64_t(lanes_.size())) turn_ = 0;
      Lane& lane = lanes_[size_t(turn_)];
      if (std::optional<Out> item = lane.stream.next()) {
        address_ = lane.file;
        Position inside;
        lane.stream.stage().locate(inside);
        address_.insert(address_.begin(), int64_t(lane.file.size()));
        append_list(address_, inside);
        if (++taken_ == options_.block) pass_turn(turn_ + 1);
        meter_.delivered(int64_t(lanes_.size()));
        return item;
      }
      lanes_.erase(lanes_.begin() + turn_);
      pass_turn(turn_);
    }
  }

  void save(Position& position) const override {
    upstream_->save(position);
    position.insert(position.end(), {int64_t(lanes_.size()), turn_, taken_, int64_t(files_ended_)});
    for (const Lane& lane : lanes_) {
      append_list(position, lane.file);
      Position inside;
      lane.stream.stage().save(inside);
      append_list(position, inside);
    }
  }

  void load(PositionReader& position) override {
    const PositionReader upstream_position = position;
    upstream_->load(position);
    const int64_t count = take_counter(position, "interleave"), turn = take_counter(position, "interleave"),
                  taken = take_counter(position, "interleave");
    const bool ended = position.take() != 0;
    if (count > options_.cycle || taken >= options_.block) refuse_rest(this->identity());
    std::vector<Position> files, inside;
    for (int64_t i = 0; i < count; ++i) {
      files.push_back(take_list(position));
      inside.push_back(take_list(position));
    }
    std::vector<In> items = refetch_held(*upstream_, files, upstream_position);
    std::vector<Lane> lanes;
    for (size_t i = 0; i < items.size(); ++i) {
      lanes.push_back({files[i], open_(std::move(items[i]))});
      PositionReader reader(inside[i]);
      lanes.back().stream.stage().load(reader);
    }
    lanes_ = std::move(lanes);
    turn_ = turn;
    taken_ = taken;
    files_ended_ = ended;
  }

  void locate(Position& address) const override { address.insert(address.end(), address_.begin(), address_.end()); }

  std::vector<Out> refetch(const std::vector<Position>& addresses) override {
    std::vector<Position> files, inside;
    for (const Position& address : addresses) {
      PositionReader reader(address);
      files.push_back(take_list(reader));
      inside.push_back(take_list(reader));
    }
    std::vector<In> items = upstream_->refetch(files);
    std::vector<Out> found;
    for (size_t i = 0; i < items.size(); ++i) {
      Inner stream = open_(std::move(items[i]));
      found.push_back(std::move(stream.stage().refetch({inside[i]}).at(0)));
    }
    return found;
  }

  void report(std::vector<StageReport>& reports) const override {
    upstream_->report(reports);
    reports.push_back(meter_.report("interleave", options_.cycle));
  }

 private:
  struct Lane {
    Position file;  // where the stream before has it
    Inner stream;
  };

  std::string name(bool) const override { return describe_interleave(options_); }

  void open_next() {
    std::optional<In> file = upstream_->next();
    if (!file) {
      files_ended_ = true;
      return;
    }
    Position address;
    upstream_->locate(address);
    lanes_.push_back({std::move(address), open_(std::move(*file))});
  }

  void pass_turn(int64_t to) {
    turn_ = to;
    taken_ = 0;
  }

  Open open_;
  InterleaveOptions options_;
  std::vector<Lane> lanes_;
  Position address_;
  int64_t turn_ = 0, taken_ = 0;
  bool files_ended_ = false;
  Meter meter_;
};

template <class Open>
struct Interleave {
  Open open;
  InterleaveOptions options;
  template <class In>
  auto attach(std::unique_ptr<Stage<In>> upstream) && {
    check_interleave(options);
    return std::make_unique<InterleaveStage<In, Open>>(std::move(upstream), std::move(open), options);
  }
};

template <class Open>
Interleave<Open> interleave(Open open, InterleaveOptions options = {}) {
  return {std::move(open), options};
}

}  // namespace zoo::data
