#include <libzoo/core/error.h>
#include <libzoo/core/suggest.h>
#include <libzoo/rl/minatar.h>
#include <libzoo/rl/minatar/game.h>

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace zoo::rl {
namespace {

using Maker = std::unique_ptr<MinAtar> (*)(const MinAtarOptions&);

constexpr std::pair<const char*, Maker> kGames[] = {{"asterix", minatar::make_asterix},
                                                    {"breakout", minatar::make_breakout},
                                                    {"freeway", minatar::make_freeway},
                                                    {"seaquest", minatar::make_seaquest},
                                                    {"space_invaders", minatar::make_space_invaders}};

}  // namespace

std::vector<std::string> minatar_games() {
  std::vector<std::string> names;
  for (const auto& [name, maker] : kGames) names.push_back(name);
  return names;
}

std::unique_ptr<MinAtar> make_minatar(const std::string& game, const MinAtarOptions& options) {
  for (const auto& [name, maker] : kGames)
    if (game == name) return maker(options);
  throw UserError(fmt::format("MinAtar has no game `{}`{}", game, did_you_mean(game, minatar_games())),
                  fmt::format("one of {}", fmt::join(minatar_games(), ", ")));
}

namespace minatar {

void check_options(const MinAtarOptions& options, const char* name) {
  if (!(options.sticky_action_prob >= 0 && options.sticky_action_prob <= 1))
    throw UserError(fmt::format("{}: sticky_action_prob must lie in [0, 1], is {}", name, options.sticky_action_prob));
}

namespace {

// The first channel that is set in a cell; -1: none.
int channel_at(std::span<const uint8_t> planes, int channels, int cell) {
  for (int c = 0; c < channels; ++c)
    if (planes[size_t(cell * channels + c)]) return c;
  return -1;
}

}  // namespace

std::string text_of(std::span<const uint8_t> planes, std::string_view letters) {
  std::string text;
  for (int cell = 0; cell < kSide * kSide; ++cell) {
    const int channel = channel_at(planes, int(letters.size()), cell);
    text += channel < 0 ? '.' : letters[size_t(channel)];
    if (cell % kSide == kSide - 1) text += '\n';
  }
  return text;
}

io::Image picture_of(std::span<const uint8_t> planes, int channels) {
  constexpr int kPixels = 16;  // a cell
  constexpr uint8_t kBackground[3] = {16, 18, 28};
  constexpr uint8_t kColours[10][3] = {{90, 200, 250}, {255, 149, 0},  {110, 110, 130}, {255, 214, 10},  {255, 69, 58},
                                       {48, 209, 88},  {191, 90, 242}, {100, 210, 255}, {172, 142, 104}, {255, 255, 255}};
  io::Image image{kSide * kPixels, kSide * kPixels, 3, std::vector<uint8_t>(size_t(kSide * kPixels * kSide * kPixels * 3))};
  for (int y = 0; y < kSide * kPixels; ++y)
    for (int x = 0; x < kSide * kPixels; ++x) {
      const int channel = channel_at(planes, channels, y / kPixels * kSide + x / kPixels);
      const bool edge = y % kPixels == kPixels - 1 || x % kPixels == kPixels - 1;
      std::copy_n(channel < 0 || edge ? kBackground : kColours[channel], 3, image.row(y) + 3 * x);
    }
  return image;
}

}  // namespace minatar
}  // namespace zoo::rl
