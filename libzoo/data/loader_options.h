// How a recipe reads its pictures, the key `data` of every recipe: threads, look-ahead, echoing, unreadable files, and a
// limit of the rate to try out a slow input. Threads and look-ahead change nothing of what the network sees.
#pragma once

#include <libzoo/core/options.h>
#include <libzoo/data/bad_items.h>

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace zoo::data {

constexpr auto enum_names(OnBadItem) { return EnumNames<OnBadItem, 2>{{{OnBadItem::fail, "fail"}, {OnBadItem::skip, "skip"}}}; }

// Between reading and augmenting: every copy is augmented anew. After augmenting: the same pixels again. Batch: whole batches.
enum class EchoPlacement { before_augment, after_augment, batch };
constexpr auto enum_names(EchoPlacement) {
  return EnumNames<EchoPlacement, 3>{{{EchoPlacement::before_augment, "before_augment"},
                                      {EchoPlacement::after_augment, "after_augment"},
                                      {EchoPlacement::batch, "batch"}}};
}

// Items from number `fresh` on are used so often, as a run with `auto` has it in its log and in result.json.
struct EchoScheduleEntry {
  int64_t fresh = 0;
  double factor = 1;
};

template <class Field>
void fields(Field& field, EchoScheduleEntry& o) {
  field("fresh", o.fresh, "number of the first item", non_negative());
  field("factor", o.factor, "how often each is used", at_least(1));
}

// Data echoing (Choi et al. 2019): see docs/echoing.md.
struct EchoRecipe {
  std::string factor = "1";  // a number, or auto
  EchoPlacement at = EchoPlacement::before_augment;
  std::optional<int64_t> shuffle_buffer = {};
  int64_t min_lag = 0;
  double max_factor = 8;
  std::vector<EchoScheduleEntry> schedule = {};

  bool automatic() const { return factor == "auto"; }
  double number() const { return automatic() ? 1 : std::strtod(factor.c_str(), nullptr); }
  bool active() const { return automatic() || !schedule.empty() || number() != 1; }
};

template <class Field>
void fields(Field& field, EchoRecipe& o) {
  field("factor", o.factor, "how often each item is used: a number of at least 1, whole or not, or auto (from measured times)");
  field("at", o.at, "before_augment: each copy is augmented anew; after_augment: the same pixels; batch: whole batches");
  field("shuffle_buffer", o.shuffle_buffer, "items (or batches) among which copies are mixed; 16 batches times the factor unless set",
        between(0, 1 << 24));
  field("min_lag", o.min_lag, "items (or batches) between two copies of one, at least", between(0, 1 << 24));
  field("max_factor", o.max_factor, "the largest factor that auto may choose", at_least(1));
  field("schedule", o.schedule, "factors that a run with auto has used: repeats it exactly");
}

inline void check(const EchoRecipe& o, Problems& problems) {
  if (o.automatic()) return;
  char* end = nullptr;
  const double factor = std::strtod(o.factor.c_str(), &end);
  if (o.factor.empty() || *end != '\0' || !std::isfinite(factor) || factor < 1)
    problems.add("factor", "must be auto or a number of at least 1, got '" + o.factor + "'");
}

// Reading alone, as for evaluation.
struct ReadOptions {
  int64_t workers = 1;
  int64_t prefetch = 2;
  OnBadItem on_bad_item = OnBadItem::fail;
  int64_t max_bad_items = 100;
};

template <class Field>
void fields(Field& field, ReadOptions& o) {
  field("workers", o.workers, "threads that decode and augment; 0: the training thread itself", between(0, 256));
  field("prefetch", o.prefetch, "batches prepared ahead", between(0, 256));
  field("on_bad_item", o.on_bad_item, "a picture that can't be read: fail ends the run, skip leaves it out");
  field("max_bad_items", o.max_bad_items, "with skip: one more ends the run", non_negative());
}

// Copies of what was read, for sets that lie far away or take long to decode (cached_dataset.h).
struct CacheRecipe {
  int64_t memory_mb = 0;
  bool decoded = false;
  std::filesystem::path directory;
};

template <class Field>
void fields(Field& field, CacheRecipe& o) {
  field("memory_mb", o.memory_mb, "keep so many megabytes of pictures in memory; 0: none", between(0, 1 << 24));
  field("decoded", o.decoded, "keep pixels in place of files: more memory, no decoding");
  field("directory", o.directory, "a folder on a fast disk that holds copies of what was read, for later runs too; empty: none");
}

struct LoaderOptions : ReadOptions {
  EchoRecipe echo;
  CacheRecipe cache;
  bool scaled_decode = false;
  double rate_limit = 0;
};

template <class Field>
void fields(Field& field, LoaderOptions& o) {
  fields(field, static_cast<ReadOptions&>(o));
  field("echo", o.echo, "use each item several times while the next is read");
  field("cache", o.cache, "keep what was read");
  field("scaled_decode", o.scaled_decode, "decode JPEGs at 1/2, 1/4 or 1/8 where a crop is that much larger than its result: other pixels");
  field("rate_limit", o.rate_limit, "pictures read per second at most, to try out a slow input; 0: none", non_negative());
}

}  // namespace zoo::data
