// How a recipe reads its images: threads and look-ahead. Neither changes what the network sees.
#pragma once

#include <libzoo/core/options.h>

#include <cstdint>

namespace zoo::bit {

struct LoaderOptions {
  int64_t workers = 1;
  int64_t prefetch = 2;
};

template <class Field>
void fields(Field& field, LoaderOptions& o) {
  field("workers", o.workers, "threads that decode and augment; 0: the training thread itself", between(0, 256));
  field("prefetch", o.prefetch, "batches prepared ahead", between(0, 256));
}

}  // namespace zoo::bit
