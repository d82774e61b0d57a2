// Watches one parse: memory, time, and what to save if the process dies.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

namespace zoo::fuzz {

// Counts what malloc gives out and writes the current input to `crash_file`, with a line that says how to repeat it, when a
// sanitizer, a signal or the clock ends the process. Call once.
void install_guard(const std::filesystem::path& crash_file, const std::string& repeat);

// Between begin and end a parse may take `seconds` of processor time (0: any) and 2 x input + 64 MiB of memory.
void begin_input(std::span<const uint8_t> input, unsigned seconds);
void end_input();                      // ends the process if the memory was exceeded
[[noreturn]] void report(const char* why);  // saves the input and ends the process

}  // namespace zoo::fuzz
