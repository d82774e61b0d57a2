// The directory of a run: made, locked against other processes, taken up again or replaced.
//
//   RunDirectory directory(options);
//   if (directory.resumed()) use(directory.manifest());
//
// A lock (flock on DIR/.lock, with the holder's process id inside) is held as long as this lives; the system drops it
// when the process ends, however it ends.
#pragma once

#include <libzoo/core/json.h>
#include <libzoo/train/run_options.h>

#include <filesystem>
#include <string>
#include <vector>

namespace zoo::train {

class RunDirectory {
 public:
  // Throws UserError if the directory exists and is not to be resumed or overwritten, if it is no run's, or if another
  // process holds it. `overwrite` empties only what is a run by its manifest, or what an interrupted removal left of one
  // (no manifest, and only names that a run gives); never a symbolic link, a home, the current directory or one above.
  // A dry run gets a temporary directory.
  // So does a follower: a rank that leaves writing to rank 0.
  explicit RunDirectory(const RunOptions& options, bool follower = false);
  ~RunDirectory();
  RunDirectory(const RunDirectory&) = delete;
  RunDirectory& operator=(const RunDirectory&) = delete;

  const std::filesystem::path& path() const { return path_; }
  bool resumed() const { return !manifest_.is_null(); }
  const Json& manifest() const { return manifest_; }  // of the run that is resumed, else null

 private:
  void lock();
  void empty();
  void remove_temporaries();

  std::filesystem::path path_;
  int lock_ = -1;
  bool temporary_ = false;
  Json manifest_;
};

// Keys whose values differ between two configurations, as dotted paths in the order of `ours`; those at or below a path
// in `may_change` are left out.
struct Difference {
  std::string key, before, now;
};
std::vector<Difference> differences(const Json& before, const Json& now, const std::vector<std::string>& may_change);

}  // namespace zoo::train
