// A ticket with a payload that is made when it is first asked for and shared by all copies of the handle, so that an echo
// on the plan decodes each item once, in the workers behind it. The payload goes away with the last copy. A saved
// position holds the ticket only.
//
//   tickets | lazy<Picture>() | echo({.factor = 2, .shuffle_buffer = 4096}) |
//       map([](const Echoed<Lazy<Picture>>& e) { return augment(e.item.get(decode), e.copy); }, {.workers = 4})
#pragma once

#include <libzoo/data/echo_key.h>
#include <libzoo/data/map.h>

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
auto lazy() {
  return map([](const Ticket& ticket) { return Lazy<Payload>(ticket); }, {.name = "lazy"});
}

}  // namespace zoo::data
