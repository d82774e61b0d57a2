// The words of one verb's command line, sorted but not yet understood as options.
#pragma once

#include "apps/common/program.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace zoo::apps {

struct CommandLine {
  std::vector<std::string> configs;                         // --config, in order
  std::vector<std::string> overrides;                       // key=value
  std::vector<std::pair<std::string, std::string>> values;  // option path and text, from flags such as --checkpoint
  std::vector<std::string> arguments;
  std::optional<uint64_t> seed;
  std::string device = "auto", precision, log_level = "info", out;
  int threads = 0;
  bool resume = false, overwrite = false, dry_run = false;
  bool json = false, quiet = false, dump_config = false, help = false, version = false, markdown = false;
};

// `words` are those behind the verb. Throws UserError for unknown flags, bad values and a wrong number of arguments.
CommandLine parse_command_line(const Verb& verb, const std::string& program, const std::vector<std::string>& words);

// The flags of a verb, for its help: aligned lines.
std::string flags_help(const Verb& verb);

}  // namespace zoo::apps
