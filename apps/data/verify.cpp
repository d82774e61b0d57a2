// zoo data verify set={type: …}: decodes every picture.
#include "apps/data/progress.h"
#include "apps/data/verbs.h"
#include <libzoo/core/error.h>
#include <libzoo/core/log.h>
#include <libzoo/data/image_dataset.h>
#include <libzoo/data/map.h>
#include <libzoo/data/sources.h>

#include <fmt/format.h>

#include <cstdio>

namespace zoo::apps {

Json verify_data(const VerifyDataOptions& options, const Context& context) {
  const auto set = data::open_dataset(options.set);
  if (!context.quiet) log::info(set->describe());
  struct Found {
    int64_t index;
    std::string problem;  // empty: none
  };
  auto items = data::indices(set->size(), {.shuffle = false, .epochs = 1}) |
               data::map(
                   [&](data::Ticket ticket) {
                     static thread_local data::Picture picture;
                     try {
                       set->read(ticket.index, picture);
                       picture.pixels();
                       return Found{ticket.index, {}};
                     } catch (const Error& error) {
                       return Found{ticket.index, error.what()};
                     }
                   },
                   {.workers = int(options.workers), .window = int(64 * options.workers)});
  int64_t done = 0, bad = 0;
  ItemProgress progress("verified", set->size(), context.quiet);
  while (const auto found = items.next()) {
    progress.done(++done);
    if (found->problem.empty()) continue;
    ++bad;
    const std::string name = set->item_name(found->index);
    const std::string line = context.json
                                 ? Json({{"index", found->index}, {"item", name}, {"problem", found->problem}}).dump()
                                 : (found->problem.find(name) == std::string::npos ? name + ": " + found->problem : found->problem);
    std::puts(line.c_str());
  }
  std::fflush(stdout);
  if (bad > 0) throw Error(fmt::format("{} of {} pictures can't be read", bad, done), "replace them, or train with data.on_bad_item=skip");
  return {{"pictures", done}, {"bad", bad}};
}

}  // namespace zoo::apps
