// The command line that all programs share: verbs, options from recipes, files and key=value words, runs, results.
//
//   int main(int argc, char** argv) {
//     using namespace zoo::apps;
//     return main_program("zoo-bit", "Big Transfer.",
//                         {run_verb<FinetuneOptions>("finetune", "a new data set by BiT-HyperRule", bit::finetune,
//                                                    {.recipe = "bit/finetune"}),
//                          plain_verb<PredictOptions>("predict", "classes of pictures", predict,
//                                                     {.arguments = "IMAGE…", .flags = {{"--checkpoint", "checkpoint"}}})},
//                         argc, argv);
//   }
//
// Exit status: 0 done (or stopped by a signal, saved), 2 the user's mistake, 1 ours.
#pragma once

#include <libzoo/core/json.h>
#include <libzoo/core/options.h>

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace zoo::train {
class Run;
struct RunOptions;
}  // namespace zoo::train

namespace zoo::apps {

// What a verb without a run gets besides its options. The thread count is already set.
struct Context {
  bool json = false, quiet = false;
  uint64_t seed = 0;
  std::string device = "auto";
  int threads = 0;
  std::string precision = "f32";
  std::vector<std::string> arguments;  // files, folders: the words that are neither flags nor key=value
  std::string program;  // "zoo-bit predict"
};

// A flag that takes a value and is a shorthand for an option: {"--checkpoint", "checkpoint"}.
struct FlagKey {
  std::string flag, key;
};

template <class Options>
struct RunDefaults {
  std::string recipe;  // "bit/finetune": laid below --config; none if empty
  std::function<void(const Options&, train::RunOptions&)> run_options;  // sets checkpoint_every, keep_last, keep_every, log_every
  std::vector<std::string> may_change;  // dotted option paths that may differ on --resume
  std::vector<FlagKey> flags;
  bool ranks = false;  // may be started as several processes, by torchrun for one
};

struct PlainDefaults {
  std::string recipe;
  std::string arguments;  // "FILE", "IN OUT", "IMAGE…" (one or more), "[PATTERN…]" (any number); empty: none are taken
  std::vector<FlagKey> flags;
};

// A verb without its options' type. Made by run_verb and plain_verb.
struct Verb {
  std::string name, summary;
  const TypeInfo* options = nullptr;
  std::function<Json(const void* options, const Context&)> plain;  // one of these two
  std::function<Json(const void* options, train::Run&)> run;
  std::string recipe, arguments;
  std::vector<FlagKey> flags;
  std::function<void(const void* options, train::RunOptions&)> run_options;
  std::vector<std::string> may_change;
  bool ranks = false;
};

// A verb that trains. What the body returns becomes the run's result and is printed.
template <class Options>
Verb run_verb(std::string name, std::string summary, std::function<Json(const Options&, train::Run&)> body,
              RunDefaults<Options> defaults = {}) {
  Verb verb{.name = std::move(name), .summary = std::move(summary), .options = &type_of<Options>()};
  verb.run = [body = std::move(body)](const void* options, train::Run& run) { return body(*static_cast<const Options*>(options), run); };
  verb.recipe = std::move(defaults.recipe);
  verb.flags = std::move(defaults.flags);
  if (defaults.run_options) {
    verb.run_options = [set = std::move(defaults.run_options)](const void* options, train::RunOptions& run) {
      set(*static_cast<const Options*>(options), run);
    };
  }
  verb.may_change = std::move(defaults.may_change);
  verb.ranks = defaults.ranks;
  return verb;
}

// A verb that does not. What the body returns is printed; null if it has printed its lines itself.
template <class Options>
Verb plain_verb(std::string name, std::string summary, std::function<Json(const Options&, const Context&)> body,
                PlainDefaults defaults = {}) {
  Verb verb{.name = std::move(name), .summary = std::move(summary), .options = &type_of<Options>()};
  verb.plain = [body = std::move(body)](const void* options, const Context& context) {
    return body(*static_cast<const Options*>(options), context);
  };
  verb.recipe = std::move(defaults.recipe);
  verb.arguments = std::move(defaults.arguments);
  verb.flags = std::move(defaults.flags);
  return verb;
}

// Runs the verb that argv[1] names and returns the exit status; nothing is thrown.
int main_program(std::string name, std::string summary, std::vector<Verb> verbs, int argc, char** argv);

// Becomes the program of that name beside this one, with argv[1] … argv[argc-1] as its arguments. Returns, with an exit
// status and after a message, only if that fails.
int exec_sibling(const std::string& program, int argc, char** argv);

}  // namespace zoo::apps
