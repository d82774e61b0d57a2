// A ticket with a payload that is made when it is first asked for and shared by all copies of the handle, so that an echo
// on the plan decodes each item once, in the workers behind it. The payload goes away with the last copy. A saved
// position holds the ticket only.
//
//   tickets | lazy<Picture>() | echo({.factor = 2, .shuffle_buffer = 4096}) |
//       map([](const Echoed<Lazy<Picture>>& e) { return augment(e.item.get(decode), e.copy); }, {.workers = 4})
#pragma once

#include <libzoo/data/echo_key.h>
#include <libzoo/data/stream.h>

#include <memory>
#include <mutex>
#include <optional>

namespace zoo::data {

template <class Payload>
class Lazy {
 public:
  explicit Lazy(const Ticket& ticket) : ticket_(ticket), shared_(std::make_shared<Shared>()) {}

  const Ticket& ticket() const { return ticket_; }

  // make(ticket), called once for all copies; the others wait for it. If it throws, the next call tries again.
  template <class Make>
  const Payload& get(const Make& make) const {
    std::lock_guard lock(shared_->mutex);
    if (!shared_->payload) shared_->payload.emplace(make(ticket_));
    return *shared_->payload;
  }

  void save(Position& position) const { ticket_.save(position); }
  static Lazy load(PositionReader& position) { return Lazy(Ticket::load(position)); }

 private:
  struct Shared {
    std::mutex mutex;
    std::optional<Payload> payload;
  };
  Ticket ticket_;
  std::shared_ptr<Shared> shared_;
};

template <class Payload>
EchoKey echo_key(const Lazy<Payload>& item, int64_t fresh) {
  return echo_key(item.ticket(), fresh);
}

// The stage that makes them.
template <class Payload>
class LazyStage final : public StageOn<Ticket, Lazy<Payload>> {
  using StageOn<Ticket, Lazy<Payload>>::upstream_;

 public:
  using StageOn<Ticket, Lazy<Payload>>::StageOn;

  std::optional<Lazy<Payload>> next() override {
    const std::optional<Ticket> ticket = upstream_->next();
    return ticket ? std::optional(Lazy<Payload>(*ticket)) : std::nullopt;
  }
  void save(Position& position) const override { upstream_->save(position); }
  void load(PositionReader& position) override { upstream_->load(position); }
  void locate(Position& address) const override { upstream_->locate(address); }
  std::vector<Lazy<Payload>> refetch(const std::vector<Position>& addresses) override {
    const std::vector<Ticket> tickets = upstream_->refetch(addresses);
    return {tickets.begin(), tickets.end()};
  }
  void report(std::vector<StageReport>& reports) const override { upstream_->report(reports); }

 private:
  std::string name(bool) const override { return {}; }
};

template <class Payload>
struct MakeLazy {
  auto attach(std::unique_ptr<Stage<Ticket>> upstream) && { return std::make_unique<LazyStage<Payload>>(std::move(upstream)); }
};

template <class Payload>
MakeLazy<Payload> lazy() {
  return {};
}

}  // namespace zoo::data
