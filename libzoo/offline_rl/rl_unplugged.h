// The Atari records of RL Unplugged (Gulcehre et al. 2020): TFRecord files, compressed as a whole, of tf.Examples with PNG frames.
//
//   UnpluggedEpisodes episodes(io::map_file(path), path, io::Compression::gzip);   // atari_episodes_ordered/<Game>/run_1-00000-of-00050
//   while (auto episode = episodes.next()) use(*episode);
//
// Throw UserError naming the file and record on a wrong checksum, a cut file, a feature that is missing or of another length than the
// episode, and frames that are no grey PNG or differ in size.
#pragma once

#include <libzoo/core/array.h>
#include <libzoo/io/tfrecord.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace zoo::offline_rl {

struct UnpluggedEpisode {
  Array observation;  // u8 [steps, height, width], one frame a step
  std::vector<int64_t> action;
  std::vector<float> reward, clipped_reward, discount;
  bool terminal = false;  // game over at the last step, of which then only the observation means anything; else it was cut
  int64_t episode_id = 0, checkpoint_id = 0;
  float episode_return = 0, clipped_episode_return = 0;

  int64_t steps() const { return int64_t(action.size()); }
};

class UnpluggedEpisodes {
 public:
  UnpluggedEpisodes(io::Bytes file, std::string where, io::Compression compression = io::Compression::gzip);
  std::optional<UnpluggedEpisode> next();

 private:
  std::string where_;
  io::TfRecordReader reader_;
};

// Of atari/<Game>/run_1-00000-of-00100: single transitions, in no order.
struct UnpluggedTransition {
  Array o_t, o_tp1;  // u8 [height, width, 4], newest frame last
  int64_t a_t = 0, a_tp1 = 0;
  float r_t = 0, d_t = 0;      // clipped reward; discount, 0 at a game's end
  int64_t episode_id = 0;      // the bits of an unsigned number
  float episode_return = 0;    // of clipped rewards
};

class UnpluggedTransitions {
 public:
  UnpluggedTransitions(io::Bytes file, std::string where, io::Compression compression = io::Compression::gzip);
  std::optional<UnpluggedTransition> next();

 private:
  std::string where_;
  io::TfRecordReader reader_;
};

}  // namespace zoo::offline_rl
