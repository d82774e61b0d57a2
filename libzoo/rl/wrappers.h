// Environments around environments.
//
//   auto game = rl::with_stack(rl::with_screen(rl::make_minatar("breakout")), 4);   // u8 [84, 84, 4], as from an Atari machine
#pragma once

#include <libzoo/rl/minatar.h>

#include <memory>
#include <span>
#include <string>

namespace zoo::rl {

// Action i is the i-th of spec().action.minimal. Throws UserError if the inner one is continuous.
std::unique_ptr<Environment> with_minimal_actions(std::unique_ptr<Environment> inner);

// Truncates after `steps` steps an episode that did not end. steps >= 1.
std::unique_ptr<Environment> with_time_limit(std::unique_ptr<Environment> inner, int64_t steps);

inline constexpr int64_t kScreenSide = 84;  // pixels

// MinAtar's planes as a grey picture u8 [84, 84, 1]: each kind of thing has its grey, and of several in a cell the one of the earliest
// channel shows. Pixel p lies in cell floor(10 p / 84).
std::unique_ptr<Environment> with_screen(std::unique_ptr<MinAtar> inner);

// Grey pictures u8 [height, width, 1] become [height, width, frames], oldest first; zeros before the first of an episode.
// Throws UserError for other observations.
std::unique_ptr<Environment> with_stack(std::unique_ptr<Environment> inner, int64_t frames);

// A square of grey pixels as characters, four rows and two columns of them each.
std::string grey_text(std::span<const uint8_t> pixels, int64_t side);

}  // namespace zoo::rl
