// An episode to look at: as an animated picture, and as text for a terminal.
#pragma once

#include <libzoo/io/apng.h>
#include <libzoo/rl/rollout.h>

#include <string>
#include <vector>

namespace zoo::rl {

struct RecordOptions {
  uint64_t seed = 0;
  int64_t max_steps = 1000;
  double epsilon = 0;
};

struct Recording {
  std::vector<io::Image> pictures;  // after the reset and after every step
  std::vector<std::string> texts;
  std::vector<double> rewards;  // of the steps
  Episode episode;

  // Lines of a frame: its text, the step, the return so far.
  std::string terminal_frame(size_t frame) const;
};

// Plays episode 0 of evaluate() with the same seed and options, frame by frame.
Recording record(const EnvironmentMaker& make, const Policy& policy, const RecordOptions& options = {});

}  // namespace zoo::rl
