#include "apps/common/program.h"

#include "apps/common/command_line.h"
#include "apps/common/print.h"
#include "apps/common/recipes.h"
#include "apps/common/verb_runner.h"

#include <libzoo/core/error.h>
#include <libzoo/core/field_values.h>
#include <libzoo/core/log.h>
#include <libzoo/core/scalar_text.h>
#include <libzoo/core/suggest.h>
#include <libzoo/nn/cpu_allocator.h>

#include <fmt/format.h>

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <new>

namespace zoo::apps {
namespace {

void print(const std::string& text) { std::fwrite(text.data(), 1, text.size(), stdout); }

std::string program_help(const std::string& name, const std::string& summary, const std::vector<Verb>& verbs) {
  size_t width = 0;
  for (const Verb& verb : verbs) width = std::max(width, verb.name.size());
  std::string text = fmt::format("{}: {}\n\nusage: {} VERB [key=value …] [--config FILE …] [flags]\n\nverbs:\n", name, summary, name);
  for (const Verb& verb : verbs) text += fmt::format("  {:<{}}  {}\n", verb.name, width, verb.summary);
  return text + fmt::format("\n{} VERB --help lists its flags and options.\n", name);
}

std::string verb_help(const std::string& program, const Verb& verb, const FieldTree& defaults) {
  const std::string arguments = verb.arguments.empty() ? "" : ' ' + verb.arguments;
  std::string text = fmt::format("{0} {1}: {2}\n\nusage: {0} {1}{3} [key=value …] [--config FILE …] [flags]\n", program, verb.name,
                                 verb.summary, arguments);
  if (!verb.recipe.empty()) text += fmt::format("\nstarts from the recipe {}; --config and key=value are laid over it\n", verb.recipe);
  text += "\nflags:\n" + flags_help(verb);
  const std::string options = help_text(defaults);
  if (!options.empty()) text += "\noptions (key, type, default, range, meaning), on the command line as key=value or in YAML:\n" + options;
  return text;
}

std::vector<ConfigLayer> layers_of(const Verb& verb, const std::string& program, const CommandLine& line, const FieldTree& options) {
  std::vector<ConfigLayer> layers;
  if (!verb.recipe.empty()) layers.push_back(ConfigLayer::from_file(find_config(verb.recipe)));
  for (const std::string& config : line.configs) layers.push_back(ConfigLayer::from_file(find_config(config)));
  for (const std::string& word : line.overrides) layers.push_back(ConfigLayer::from_override(word));
  for (const auto& [key, text] : line.values) layers.push_back(ConfigLayer::from_value(key, text));
  if (!line.precision.empty()) {
    const std::vector<FieldInfo> fields = fields_of(*options.type, options.object);
    if (std::any_of(fields.begin(), fields.end(), [](const FieldInfo& field) { return field.key == "precision"; })) {
      layers.push_back(ConfigLayer::from_value("precision", line.precision));
    } else if (line.precision != "f32") {
      throw UserError(fmt::format("{} {} computes in f32 only, --precision {} was asked for", program, verb.name, line.precision));
    }
  }
  return layers;
}

int execute(const std::string& program, const Verb& verb, const std::vector<std::string>& words) {
  const CommandLine line = parse_command_line(verb, program + ' ' + verb.name, words);
  const FieldTree options = describe_defaults(*verb.options);
  if (line.help) return print(verb_help(program, verb, options)), 0;
  if (line.version) return print(fmt::format("{} {}\n", program, ZOO_VERSION)), 0;
  if (line.markdown) return print(markdown_table(options)), 0;

  log::set_level(line.quiet ? std::max(log::Level::warning, log::parse_level(line.log_level)) : log::parse_level(line.log_level));
  Origins origins;
  bind_options(options, layers_of(verb, program, line, options), &origins);
  const std::string yaml = dump(options, origins, program + ' ' + verb.name);
  if (line.dump_config) return print(yaml), 0;

  Json result;
  if (verb.run) {
    result = execute_run(verb, program, line, options, yaml);
  } else {
    set_threads(line.threads);
    Context context{.json = line.json,
                    .quiet = line.quiet,
                    .seed = line.seed.value_or(0),
                    .device = line.device,
                    .threads = line.threads,
                    .precision = line.precision.empty() ? "f32" : line.precision,
                    .arguments = line.arguments,
                    .program = program + ' ' + verb.name};
    result = verb.plain(options.object, context);
  }
  log::set_status_line("");
  if (!result.is_null()) print(line.json ? result.dump(-1, ' ', false, Json::error_handler_t::replace) + '\n' : readable(result));
  return 0;
}

const Verb& find_verb(const std::string& program, const std::vector<Verb>& verbs, const std::string& name) {
  std::vector<std::string> names;
  for (const Verb& verb : verbs) {
    if (verb.name == name) return verb;
    names.push_back(verb.name);
  }
  if (name.starts_with('-')) throw UserError(fmt::format("a verb comes first, got {}", shown(name)), "one of " + comma_list(names));
  throw UserError(fmt::format("{} has no verb {}{}", program, shown(name), did_you_mean(name, names)), "one of " + comma_list(names));
}

int dispatch(const std::string& name, const std::string& summary, const std::vector<Verb>& verbs, const std::vector<std::string>& words) {
  if (words.empty()) {
    std::fputs(program_help(name, summary, verbs).c_str(), stderr);
    return 2;
  }
  if (words[0] == "--version") return print(fmt::format("{} {}\n", name, ZOO_VERSION)), 0;
  if (words[0] == "--help" || words[0] == "-h" || (words[0] == "help" && words.size() == 1))
    return print(program_help(name, summary, verbs)), 0;
  if (words[0] == "help") return execute(name, find_verb(name, verbs, words[1]), {"--help"});
  return execute(name, find_verb(name, verbs, words[0]), {words.begin() + 1, words.end()});
}

int complain(const std::string& message, const std::string& hint, int status) {
  log::set_status_line("");
  std::fputs((message + '\n').c_str(), stderr);
  if (!hint.empty()) std::fputs(("hint: " + hint + '\n').c_str(), stderr);
  return status;
}

// LibTorch puts a backtrace of many lines behind its messages.
std::string first_line(const std::string& text) { return log::level() == log::Level::debug ? text : text.substr(0, text.find('\n')); }

}  // namespace

int main_program(std::string name, std::string summary, std::vector<Verb> verbs, int argc, char** argv) {
  nn::use_caching_cpu_allocator();
  int status = 1;
  try {
    status = dispatch(name, summary, verbs, {argv + std::min(argc, 1), argv + argc});
  } catch (const ConfigError& e) {
    status = complain(e.what(), e.hint(), 2);
  } catch (const UserError& e) {
    status = complain(std::string("error: ") + e.what(), e.hint(), 2);
  } catch (const Error& e) {
    status = complain(std::string("error: ") + e.what(), e.hint(), 1);
  } catch (const std::bad_alloc&) {
    status = complain("error: out of memory", "", 1);
  } catch (const std::exception& e) {
    status = complain("error: " + first_line(e.what()), "", 1);
  } catch (...) {
    status = complain("error: an exception of unknown type", "", 1);
  }
  if (std::fflush(stdout) != 0 || std::ferror(stdout))
    return complain(fmt::format("error: standard output: {}", std::strerror(errno)), "", status == 0 ? 1 : status);
  return status;
}

int exec_sibling(const std::string& program, int argc, char** argv) {
  const std::filesystem::path path = program_folder() / program;
  std::vector<char*> arguments;
  std::string first = path.string();
  arguments.push_back(first.data());
  for (int i = 1; i < argc; ++i) arguments.push_back(argv[i]);
  arguments.push_back(nullptr);
  execv(first.c_str(), arguments.data());
  return complain(fmt::format("error: {}: {}", first, std::strerror(errno)),
                  errno == ENOENT ? "build or install " + program + " beside this program" : "", errno == ENOENT ? 2 : 1);
}

}  // namespace zoo::apps
