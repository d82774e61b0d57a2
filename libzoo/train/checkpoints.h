// The checkpoints of a run: checkpoints/step-00000400/ holds one state file per tracked thing, run.json, and the marker
// COMPLETE, which is written last. A checkpoint is written beside its final name, synced and renamed, so that one
// either is there as a whole or is not; readers skip what has no marker.
//
//   Checkpoints checkpoints(directory / "checkpoints", {.keep_last = 2});
//   checkpoints.write(400, parts, {{"metrics_bytes", 12345}});
//   if (auto found = checkpoints.newest()) restore(found->states);
#pragma once

#include <libzoo/core/error.h>
#include <libzoo/core/state.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace zoo::train {

struct CheckpointPart {
  std::string name;                // the file is <name>.safetensors
  std::function<State()> save;
};

struct Checkpoint {
  int64_t step = 0;
  std::map<std::string, State> states;
  Json facts;                      // what write() was given, and "step" and "files"
};

// A checkpoint that the disk did not take, as opposed to a thing that can't tell its state.
class NotWritten : public Error {
 public:
  using Error::Error;
};

class Checkpoints {
 public:
  struct Keep {
    int64_t last = 2;
    int64_t every = 0;
  };

  Checkpoints(std::filesystem::path folder, Keep keep) : folder_(std::move(folder)), keep_(keep) {}

  // Writes the checkpoint, then removes those that are neither among the last, nor a multiple of `every`, nor `best`.
  // Throws NotWritten with the file and the system's reason, or what a part's save threw; then nothing is left of the new
  // one, and the old ones are untouched.
  void write(int64_t step, std::span<const CheckpointPart> parts, const Json& facts, std::optional<int64_t> best = {});

  // The newest complete checkpoint whose files have the sizes and checksums that were noted. Damaged ones are renamed
  // to damaged-step-… with a warning. Throws Error if there are complete ones but all are damaged.
  std::optional<Checkpoint> newest();

  Checkpoint read(int64_t step) const;       // throws Error if it is not there, not complete, or damaged
  void point_best_to(int64_t step);          // the symbolic link checkpoints/best, where it can be made
  std::vector<int64_t> steps() const;        // of the complete ones, ascending
  std::filesystem::path path(int64_t step) const;

 private:
  void prune(std::optional<int64_t> best);
  void remove_leftovers();

  std::filesystem::path folder_;
  Keep keep_;
};

}  // namespace zoo::train
