// Which part of a log is learnt from.
#pragma once

#include <libzoo/core/options.h>

#include <cstdint>

namespace zoo::offline_rl {

enum class SubsetKind { all, trajectories, part_of_shards, first_shards };
constexpr auto enum_names(SubsetKind) {
  return EnumNames<SubsetKind, 4>{{{SubsetKind::all, "all"},
                                   {SubsetKind::trajectories, "trajectories"},
                                   {SubsetKind::part_of_shards, "part_of_shards"},
                                   {SubsetKind::first_shards, "first_shards"}}};
}
struct SubsetOptions {
  SubsetKind kind = SubsetKind::all;
  double fraction = 1;
  int64_t shards = 5;
};

template <class Field>
void fields(Field& field, SubsetOptions& o) {
  field("kind", o.kind,
        "all; trajectories: whole episodes drawn at random; part_of_shards: the first part of each shard; first_shards: the first few "
        "shards, "
        "5 of them being 20M frames of the DQN Replay data");
  field("fraction", o.fraction, "of the episodes, or of each shard's rows", between(1e-6, 1.0));
  field("shards", o.shards, "how many first shards", at_least(1));
}

}  // namespace zoo::offline_rl
