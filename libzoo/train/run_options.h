// What the command line says about a run, whatever the system: place, seed, device, resumption.
#pragma once

#include <libzoo/core/json.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace zoo::dist {
class Group;
}

namespace zoo::train {

struct RunOptions {
  std::filesystem::path directory{}; // the run directory; made by Run
  bool resume = false;               // continue from the newest complete checkpoint; a run without one starts anew
  bool overwrite = false;            // replace an existing run directory
  bool dry_run = false;              // one step, a report of sizes, and nothing left on disk
  uint64_t seed = 0;
  std::string device = "auto";       // auto, cpu, cuda, cuda:1
  int threads = 0;                   // intra-op threads; 0: LibTorch's own choice
  bool quiet = false;                // no progress

  // The processes that train together; none: this one alone. Rank 0 writes the directory, which all ranks must be able to read; the
  // others keep nothing.
  std::shared_ptr<const dist::Group> group{};

  std::string program{};             // "zoo-bit finetune": for the manifest
  std::string config_yaml{};         // the resolved options as --dump-config prints them, written to config.yaml
  Json config = Json::object();      // the same as a value; a resumed run must have an equal one (keys named in
                                     // `may_change` excepted)
  std::vector<std::string> may_change{};  // dotted paths that may differ on --resume, for example "data.workers", "steps"

  int64_t checkpoint_every = 0;      // steps; 0: only at the end and on signals
  int64_t keep_last = 2;             // checkpoints kept besides best and every keep_every-th
  int64_t keep_every = 0;            // steps; 0: none
  int64_t log_every = 10;            // steps between two displayed lines; metrics.jsonl has every step
  bool stop_on_nan = true;           // a loss that is not finite ends the run with an error
};

}  // namespace zoo::train
