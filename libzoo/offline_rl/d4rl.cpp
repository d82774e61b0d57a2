#include <libzoo/core/error.h>
#include <libzoo/offline_rl/d4rl.h>

namespace zoo::offline_rl {

std::vector<int64_t> d4rl_rows(std::span<const uint8_t> terminals, std::optional<std::span<const uint8_t>> timeouts,
                               int64_t max_episode_steps) {
  if (timeouts && timeouts->size() != terminals.size()) throw Error("D4RL: terminals and timeouts differ in length");
  std::vector<int64_t> rows;
  int64_t step = 0;
  for (size_t i = 0; i + 1 < terminals.size(); ++i) {
    const bool cut = timeouts ? (*timeouts)[i] != 0 : step == max_episode_steps - 1;
    if (cut) {
      step = 0;
      continue;
    }
    if (terminals[i]) step = 0;
    rows.push_back(int64_t(i));
    ++step;
  }
  return rows;
}

}  // namespace zoo::offline_rl
