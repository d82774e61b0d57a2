#include "apps/common/command_line.h"

#include <libzoo/core/error.h>
#include <libzoo/core/scalar_text.h>
#include <libzoo/core/suggest.h>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <limits>

namespace zoo::apps {
namespace {

struct FlagHelp {
  std::string flag, value, meaning;
};

std::vector<FlagHelp> flags_of(const Verb& verb) {
  std::vector<FlagHelp> flags = {{"--config", "FILE", "options from a YAML file or a recipe (bit/demo); repeatable, the last wins"}};
  for (const FlagKey& flag : verb.flags) flags.push_back({flag.flag, "VALUE", "the same as " + flag.key + "=VALUE"});
  if (verb.run) {
    flags.insert(flags.end(), {{"--out", "DIR", "run directory (default runs/<system>-<verb>/<UTC time>)"},
                               {"--resume", "", "continue the run in --out from its newest checkpoint"},
                               {"--overwrite", "", "replace the run in --out"},
                               {"--dry-run", "", "one step, then a report of parameters, memory and steps; leaves no files"}});
  }
  flags.insert(flags.end(), {{"--seed", "N", "seed of all random numbers (default 0)"},
                             {"--device", "NAME", "auto, cpu, cuda or cuda:1 (default auto)"},
                             {"--threads", "N", "threads for tensor operations (default: chosen by LibTorch)"},
                             {"--precision", "NAME", "f32, bf16 or f16 where the verb offers it (default f32)"},
                             {"--dump-config", "", "print the options with the origin of each value, and stop"},
                             {"--json", "", "print the result as JSON"},
                             {"--quiet", "", "no progress; only warnings and errors on standard error"},
                             {"--log-level", "NAME", "debug, info, warning, error or off (default info)"},
                             {"--version", "", "print the version, and stop"},
                             {"--help", "", "print this, and stop"}});
  return flags;
}

template <class T>
T integer(const std::string& flag, const std::string& text, T low, T high) {
  T value = 0;
  if (parse_integer(text, value) != Parsed::ok || value < low || value > high) {
    throw UserError(fmt::format("{} needs an integer in [{}, {}], got {}", flag, low, high, shown(text)));
  }
  return value;
}

// key=value and not, say, ./a=b.png.
bool is_override(const std::string& word) {
  const size_t equals = word.find('=');
  if (equals == word.npos || equals == 0 || !(std::isalpha(static_cast<unsigned char>(word[0])) || word[0] == '_')) return false;
  return word.substr(0, equals).find('/') == word.npos;
}

void require_one_of(const std::string& flag, const std::string& value, const std::vector<std::string>& choices) {
  if (std::find(choices.begin(), choices.end(), value) != choices.end()) return;
  std::string list;
  for (const std::string& choice : choices) list += (list.empty() ? "" : ", ") + choice;
  throw UserError(fmt::format("{} {} is unknown{}", flag, shown(value), did_you_mean(value, choices)), "one of " + list);
}

void check_device(const std::string& device) {
  int64_t index = 0;
  if (device.starts_with("cuda:") && parse_integer(std::string_view(device).substr(5), index) == Parsed::ok && index >= 0) return;
  require_one_of("--device", device, {"auto", "cpu", "cuda"});
}

void check_arguments(const Verb& verb, const std::vector<std::string>& arguments) {
  size_t least = 0, most = 0;
  for (const std::string& word : CLI::detail::split(verb.arguments, ' ')) {
    if (word.empty()) continue;
    least += word[0] != '[';
    most = word.find("…") != word.npos ? std::numeric_limits<size_t>::max() : most + (most != std::numeric_limits<size_t>::max());
  }
  if (arguments.size() > most)
    throw UserError(fmt::format("unexpected argument {}", shown(arguments[most])), "options are written key=value; --help lists them");
  if (arguments.size() < least) throw UserError(fmt::format("{} needs {}", verb.name, verb.arguments), "--help says more");
}

}  // namespace

CommandLine parse_command_line(const Verb& verb, const std::string& program, const std::vector<std::string>& words) {
  CommandLine line;
  CLI::App app(verb.summary, program);
  app.set_help_flag();
  app.allow_extras();
  std::string seed, threads;
  std::vector<std::string> values(verb.flags.size());
  app.add_option("--config", line.configs)->allow_extra_args(false);
  for (size_t i = 0; i < verb.flags.size(); ++i) app.add_option(verb.flags[i].flag, values[i]);
  if (verb.run) {
    app.add_option("--out", line.out);
    app.add_flag("--resume", line.resume);
    app.add_flag("--overwrite", line.overwrite);
    app.add_flag("--dry-run", line.dry_run);
  }
  app.add_option("--seed", seed);
  app.add_option("--device", line.device);
  app.add_option("--threads", threads);
  app.add_option("--precision", line.precision);
  app.add_option("--log-level", line.log_level);
  app.add_flag("--json", line.json);
  app.add_flag("--quiet,-q", line.quiet);
  app.add_flag("--dump-config", line.dump_config);
  app.add_flag("--help,-h", line.help);
  app.add_flag("--version", line.version);
  app.add_flag("--markdown", line.markdown);

  // Behind "--" everything is an argument; CLI11 would not say which words stood there.
  const auto end = std::find(words.begin(), words.end(), "--");
  std::vector<std::string> reversed(std::make_reverse_iterator(end), words.rend());
  try {
    app.parse(reversed);
  } catch (const CLI::ParseError& e) {
    throw UserError(one_line(e.what()), "--help lists the flags");
  }
  if (line.help || line.version || line.markdown) return line;

  for (const std::string& word : app.remaining()) {
    if (word.size() > 1 && word[0] == '-') {
      std::vector<std::string> known;
      for (const FlagHelp& flag : flags_of(verb)) known.push_back(flag.flag);
      const std::string flag = word.substr(0, word.find('='));
      throw UserError(fmt::format("unknown flag {}{}", shown(flag), did_you_mean(flag, known)),
                      "--help lists the flags; options are written key=value");
    }
    (is_override(word) ? line.overrides : line.arguments).push_back(word);
  }
  if (end != words.end()) line.arguments.insert(line.arguments.end(), end + 1, words.end());
  check_arguments(verb, line.arguments);

  for (size_t i = 0; i < values.size(); ++i) {
    if (app.count(verb.flags[i].flag) > 0) line.values.emplace_back(verb.flags[i].key, values[i]);
  }
  if (!seed.empty()) line.seed = integer<uint64_t>("--seed", seed, 0, std::numeric_limits<uint64_t>::max());
  if (!threads.empty()) line.threads = int(integer<int64_t>("--threads", threads, 1, 1024));
  check_device(line.device);
  if (!line.precision.empty()) require_one_of("--precision", line.precision, {"f32", "bf16", "f16"});
  require_one_of("--log-level", line.log_level, {"debug", "info", "warning", "error", "off"});
  if (line.resume && line.overwrite) throw UserError("--resume and --overwrite exclude each other");
  if (line.resume && line.out.empty()) throw UserError("--resume needs --out DIR, the run to continue");
  return line;
}

std::string flags_help(const Verb& verb) {
  std::string text;
  for (const FlagHelp& flag : flags_of(verb))
    text += fmt::format("  {:<22}{}\n", flag.flag + (flag.value.empty() ? "" : ' ' + flag.value), flag.meaning);
  return text;
}

}  // namespace zoo::apps
