// What stands behind a Group. For this room only: c10d's headers are slow.
#pragma once

#include <libzoo/dist/group.h>

#include <torch/csrc/distributed/c10d/ProcessGroup.hpp>

namespace zoo::dist {

struct Group::Engine {
  c10::intrusive_ptr<c10d::ProcessGroup> processes;
};

// Throws UserError in a build without NCCL.
void add_nccl(c10d::ProcessGroup& processes, const c10::intrusive_ptr<c10d::Store>& store, int rank, int size,
              std::chrono::milliseconds timeout);

}  // namespace zoo::dist
