// What decides how often an echo repeats an item, and which copies min_lag keeps apart: for tickets index and epoch, else
// the running number in the stage. An item type of your own may have an echo_key, found by argument-dependent lookup.
#pragma once

#include <libzoo/data/sources.h>

namespace zoo::data {

struct EchoKey {
  int64_t id = 0, epoch = 0;  // of 32 bits
};

inline EchoKey echo_key(const Ticket& ticket, int64_t) { return {ticket.index, ticket.epoch}; }

template <class T>
EchoKey echo_key(const T&, int64_t fresh) {
  return {fresh & 0xFFFFFFFF, fresh >> 32};
}

}  // namespace zoo::data
