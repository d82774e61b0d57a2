// manifest.json: which program made a run, on what machine, with what configuration, how often it was resumed and how
// each session ended.
#pragma once

#include <libzoo/core/json.h>
#include <libzoo/train/run_options.h>

#include <filesystem>
#include <string>

namespace zoo::train {

class Manifest {
 public:
  // Continues `previous` (null: a new run) with one more session. Throws UserError if program, seed or configuration
  // differ from those of `previous`, naming the keys; warns if the device or the thread count do.
  Manifest(std::filesystem::path path, Json previous, const RunOptions& options, const std::string& device, int threads);

  void note_parameters(const std::string& name, int64_t count);
  void note_session(const std::string& key, Json value);   // of the session that goes on
  // "running", "interrupted", "failed", "stopped" or "done"; anything but the first also ends the session.
  void set_state(const std::string& state);

  void write();                       // atomically. Throws Error
  const Json& json() const { return json_; }

 private:
  std::filesystem::path path_;
  Json json_;
};

std::string utc_now();  // "2025-01-31T12:00:00Z"

}  // namespace zoo::train
