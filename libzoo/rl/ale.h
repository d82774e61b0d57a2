// Atari machines through a plug-in of the user's: see rl/ale_plugin.h for what it must export.
#pragma once

#include <libzoo/rl/atari.h>

#include <filesystem>

namespace zoo::rl {

// The machine with that ROM in it. The library stays loaded. Throws UserError naming the file if the plug-in can't be loaded, is none or
// one of another version, or does not open the ROM.
std::unique_ptr<Console> open_ale(const std::filesystem::path& plugin, const std::filesystem::path& rom);

}  // namespace zoo::rl
