// A data set that reads each picture once: kept in memory, in a folder on a fast disk, or both.
//
//   auto train = cached(open_dataset(options), {.max_bytes = int64_t(4) << 30, .directory = "/scratch/pets"});
#pragma once

#include <libzoo/data/image_dataset.h>

#include <cstdint>
#include <filesystem>

namespace zoo::data {

struct DatasetCacheOptions {
  int64_t max_bytes = 0;            // in memory, of files or pixels; 0: none
  bool decoded = false;             // keep pixels in place of the file's bytes, so that they are decoded once
  std::filesystem::path directory;  // holds copies of what was read, for later runs too; empty: none

  bool active() const { return max_bytes > 0 || !directory.empty(); }
};

// The same pictures. Once an item does not fit into memory or onto the disk it is read from `dataset` each time; a copy on the
// disk that is damaged is read anew. Changes of the original are not seen. Throws UserError if the directory can't be
// written to or holds the pictures of another set.
DatasetPointer cached(DatasetPointer dataset, const DatasetCacheOptions& options);

}  // namespace zoo::data
