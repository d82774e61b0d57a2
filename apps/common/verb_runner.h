// What main_program needs of LibTorch, in a file of its own so that the rest compiles without it.
#pragma once

#include "apps/common/command_line.h"

namespace zoo::apps {

// Runs a run verb whose options are loaded. Returns what to print: the result, the report of a dry run, or null for a run
// that a signal stopped.
Json execute_run(const Verb& verb, const std::string& program, const CommandLine& line, const FieldTree& options,
                 const std::string& config_yaml);

// 0: leaves LibTorch's own choice.
void set_threads(int threads);

}  // namespace zoo::apps
