// Which process of a group this is, as its launcher tells in the environment: torchrun (RANK, WORLD_SIZE, LOCAL_RANK), Slurm
// (SLURM_PROCID, SLURM_NTASKS, SLURM_LOCALID) or Open MPI (OMPI_COMM_WORLD_RANK …). The ranks meet at MASTER_ADDR:MASTER_PORT.
//
//   if (const auto place = zoo::dist::place_from_environment()) group = zoo::dist::join(*place, device);
#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace zoo::dist {

struct Place {
  int rank = 0, size = 1;
  int local_rank = 0;                     // among the ranks of this machine: the number of its GPU
  std::string address = "127.0.0.1";      // where rank 0 listens, unless the launcher does
  int port = 29500;
  bool launcher_listens = false;          // torchrun keeps the store itself
  std::string prefix = "zoo";             // of this group's keys in the store, another one after each restart
  std::chrono::milliseconds timeout{600'000};  // of every collective: ZOO_DIST_TIMEOUT seconds
};

// Nothing where no launcher has set its variables, or where the group has a single rank. Throws UserError naming the variable that is
// missing or makes no sense.
std::optional<Place> place_from_environment();

}  // namespace zoo::dist
