// zoo: the tools around the systems, and `zoo <system> <verb>`, which runs zoo-<system>.
#include "apps/zoo/verbs.h"

#include <string>

int main(int argc, char** argv) {
  using namespace zoo::apps;
  for (const char* system : {"bit", "data", "echo", "offline-rl", "simclr"}) {
    if (argc > 1 && std::string(argv[1]) == system) return exec_sibling(std::string("zoo-") + system, argc - 1, argv + 1);
  }
  return main_program("zoo", "Model zoo and training library: tools. `zoo bit …` runs zoo-bit.",
                      {plain_verb<ListOptions>("list", "architectures and released weights", list_models, {.arguments = "[PATTERN…]"}),
                       plain_verb<DescribeOptions>("describe", "what a weights file holds, or what a named network is", describe,
                                                   {.arguments = "FILE|NAME"}),
                       plain_verb<ConvertOptions>("convert", "weights under other names or in another format", convert_file,
                                                  {.arguments = "IN OUT", .flags = {{"--names", "names"}}}),
                       plain_verb<DoctorOptions>("doctor", "versions, processor features, a speed check", doctor),
                       plain_verb<DocsOptions>("docs", "the reference page of all options", print_docs)},
                      argc, argv);
}
